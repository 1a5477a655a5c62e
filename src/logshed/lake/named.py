"""Which files the tables and the ledger name, and which lie there without a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from logshed.errors import LakeError
from logshed.lake import storage
from logshed.lake.checksums import Checksums
from logshed.lake.ledger import Ledger
from logshed.lake.names import FILE_PROPERTIES, FIRST

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from pyiceberg.manifest import ManifestFile
    from pyiceberg.table import Table

    from logshed.lake.storage import Found
    from logshed.lake.store import Store

TRIES = 5
"""How often a table is loaded again when another process has just expired what it named."""
_METADATA = re.compile(r"(\d+)-[0-9a-f-]+\.metadata\.json$")
_LEDGER = re.compile(
    r"\.?(root|batches|changes|kept|files)-[0-9a-f]{32}\.json(\.\d+)?|(delta|base|sums)-[0-9a-f]{32}\.parquet"
)
"""The files of the ledger's folder that are ours to remove."""


def tables(store: Store) -> dict[str, Table]:
    """Every table of the catalog by its full name.

    Raises:
        LakeError: A table that every lake has is not among them: all that lies there would seem to be nobody's.
    """
    first = {one.name: store.table(one) for one in FIRST}
    return {**{name: store.load(name) for name in store.names() if name not in first}, **first}


def files_named(table: Table, without: Container[int] = ()) -> set[str]:
    """Every file that a loaded table names: metadata, manifests, data files of all snapshots.

    Args:
        table: The table.
        without: Ids of snapshots that do not count.

    Raises:
        FileNotFoundError: A manifest is missing.
    """
    metadata = table.metadata
    named = {table.metadata_location, *(entry.metadata_file for entry in metadata.metadata_log)}
    named |= {one.statistics_path for one in (*metadata.statistics, *metadata.partition_statistics)}
    manifests: dict[str, ManifestFile] = {}
    for snapshot in metadata.snapshots:
        if snapshot.snapshot_id not in without:
            named.add(snapshot.manifest_list)
            manifests |= {one.manifest_path: one for one in snapshot.manifests(table.io)}
    for path, manifest in manifests.items():
        named.add(path)
        named |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True)}
    return {storage.local(one) for one in named}


def unnamed_of_table(store: Store, name: str) -> list[Found]:
    """Files in a table's folder that nothing of the table names.

    Raises:
        LakeError: The table is damaged, or the catalog is older than it; nothing may be removed then.
    """
    folder = storage.local(store.load(name).location())
    for _ in range(TRIES):
        there = storage.listing(folder)  # first: what comes after this is named later, and stays
        table = store.load(name)
        _assert_newest(table, there)
        try:
            named = files_named(table)
        except FileNotFoundError:
            continue  # another process has just expired a snapshot
        return [one for one in there if one.path not in named]
    raise LakeError(
        f"cannot tell which files of {name} are in use: a manifest that the table names is missing; "
        "restore it from a backup, nothing was removed"
    )


def unnamed_of_ledger(store: Store) -> list[Found]:
    """Files in the ledger's folder that no table names, and no root of the ledger."""
    for _ in range(TRIES):
        there = storage.listing(store.ledger_folder())
        try:
            named = _ledger_named(tables(store).values())
        except FileNotFoundError:
            continue  # another process has replaced the root
        return [one for one in there if _LEDGER.fullmatch(one.name) and one.path not in named]
    raise LakeError("cannot tell which files of the ledger are in use: its root is missing; restore it from a backup")


def _ledger_named(loaded: Iterable[Table]) -> set[str]:
    named: set[str] = set()
    for table in loaded:
        named |= {table.properties[name] for name in FILE_PROPERTIES if name in table.properties}
        named |= set(Ledger.of(table).files())
        named |= set(sums.files() if (sums := Checksums.of(table)) else ())
    return named


def _assert_newest(table: Table, there: Iterable[Found]) -> None:
    """A commit that was lost left metadata with the next number at most; more of them were committed once."""
    numbers = [int(found[1]) for one in there if (found := _METADATA.fullmatch(one.name))]
    own = _METADATA.search(table.metadata_location)
    if own is not None and max(numbers, default=0) > int(own[1]) + 1:
        raise LakeError(
            f"cannot tell which files of {'.'.join(table.name())} are in use: its catalog is older than its metadata; "
            "restore the newest catalog, nothing was removed"
        )
