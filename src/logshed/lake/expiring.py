"""Expires snapshots, removes files that nothing names, merges manifests: PyIceberg does none of it whole."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from pyiceberg.table import TableProperties
from pyiceberg.utils.bin_packing import ListPacker

from logshed.errors import CommitConflictError, LakeError
from logshed.lake import storage
from logshed.lake.commit import ATTEMPTS, LOST, back_off, named, trim_snapshots, unchanged
from logshed.lake.named import TRIES, files_named, unnamed_of_ledger, unnamed_of_table
from logshed.lake.steps import step
from logshed.lake.writing import room_told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyiceberg.manifest import ManifestFile
    from pyiceberg.table import Table

    from logshed.lake.storage import Found
    from logshed.lake.store import Store

LEAST_MANIFESTS = 5
"""Fewer are not worth a commit; PyIceberg merges them itself once there are 20."""
_MERGE_AT = TableProperties.MANIFEST_MIN_MERGE_COUNT


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken away.

    Attributes:
        files: Files.
        bytes: Their bytes.
        snapshots: Snapshots that a table has no more.
        kept: Files that stay for now, since they are younger than the grace period.
    """

    files: int = 0
    bytes: int = 0
    snapshots: int = 0
    kept: int = 0


def expire(store: Store, name: str, grace_s: float, *, dry: bool) -> Removed:
    """Forget the snapshots of a table that were followed by another longer ago, and remove what only they name.

    The current one stays, and what a branch or a tag names.

    Args:
        store: The lake.
        name: The table's full name.
        grace_s: How long ago, in seconds.
        dry: Only say what would be done.

    Raises:
        LakeError: The table is damaged.
        CommitConflictError: Other writers were quicker each time.
    """
    for attempt in range(ATTEMPTS):
        table = store.load(name)
        ids = _expirable(table, grace_s)
        if not ids:
            return Removed()
        try:
            only = files_named(table) - files_named(table, ids)
            if not dry:
                step("before expire commit")
                with room_told(named(table)):
                    table.maintenance.expire_snapshots().by_ids(ids).commit()
        except (*LOST, ValueError) as error:
            back_off(attempt, error)
        except FileNotFoundError as error:  # another process has just expired it, or it is lost
            if attempt >= TRIES:
                raise LakeError(
                    f"cannot expire snapshots of {name}: a manifest is missing; restore it from a backup"
                ) from error
        else:
            return _without(store, name, only, grace_s, len(ids), dry=dry)
    raise CommitConflictError(
        f"cannot expire snapshots of {name}: {ATTEMPTS} attempts met other writers; run the same command again"
    )


def expirable(store: Store, name: str) -> set[str]:
    """Every file that a table names for older states alone, but for those of a branch or a tag.

    Raises:
        FileNotFoundError: Another process has just expired some.
    """
    table = store.load(name)
    return files_named(table) - files_named(table, _expirable(table, 0))


def _without(store: Store, name: str, only: set[str], grace_s: float, snapshots: int, *, dry: bool) -> Removed:
    """Remove what expired snapshots alone named; asked again, since the table must not name it now."""
    if not dry:
        step("after expire commit")
        only &= {one.path for one in unnamed_of_table(store, name)}
    return replace(remove(storage.found(only), grace_s, "expire", dry=dry), snapshots=snapshots)


def orphans(store: Store, name: str, grace_s: float, *, dry: bool) -> Removed:
    """Remove files in a table's folder that nothing names and that are older than the grace period.

    Raises:
        LakeError: It cannot be told which those are.
    """
    return remove(unnamed_of_table(store, name), grace_s, "orphans", dry=dry)


def ledger_orphans(store: Store, grace_s: float, *, dry: bool) -> Removed:
    """The same of the ledger's folder."""
    return remove(unnamed_of_ledger(store), grace_s, "orphans", dry=dry)


def remove(found: Iterable[Found], grace_s: float, verb: str, *, dry: bool) -> Removed:
    """Remove those that are old enough."""
    every = list(found)
    old = [one for one in every if one.age_s >= grace_s]
    if old and not dry and verb == "orphans":
        step("before orphans are removed")
    for one in old if not dry else ():
        storage.remove(one.path)
        step(f"after a file of {verb} is gone")
    return Removed(len(old), sum(one.bytes for one in old), 0, len(every) - len(old))


def merge_manifests(store: Store, name: str, *, dry: bool) -> tuple[int, int]:
    """Merge a table's small manifests where that at least halves their number, or where one lists only what is gone.

    Returns:
        How many manifests it had, and how many it has now; the same where there was nothing to do.

    Raises:
        CommitConflictError: Other writers were quicker each time.
    """
    for attempt in range(ATTEMPTS):
        table = store.load(name)
        try:
            with unchanged(table):
                before = _manifests(table)
        except LOST as error:
            back_off(attempt, error)
            continue
        live = [one for one in before if one.has_added_files() or one.has_existing_files()]
        planned = _bins(table, live)
        if len(live) == len(before) and (len(before) < LEAST_MANIFESTS or planned * 2 > len(before)):
            return len(before), len(before)
        if dry:
            return len(before), planned
        try:
            step("before rewrite-manifests commit")
            with unchanged(table):
                _merge(table)
        except LOST as error:
            back_off(attempt, error)
            continue
        step("after rewrite-manifests commit")
        trim_snapshots(table)
        table.refresh()
        return len(before), len(_manifests(table))
    raise CommitConflictError(
        f"cannot merge manifests of {name}: {ATTEMPTS} attempts met other writers; run the same command again"
    )


def _expirable(table: Table, grace_s: float) -> list[int]:
    """Snapshots that another one followed long enough ago."""
    ordered = sorted(table.metadata.snapshots, key=lambda one: one.sequence_number or 0)
    protected = {ref.snapshot_id for ref in table.metadata.refs.values()}
    until = time.time() - grace_s
    return [
        one.snapshot_id
        for one, after in pairwise(ordered)
        if after.timestamp_ms / 1000 <= until and one.snapshot_id not in protected
    ]


def _manifests(table: Table) -> list[ManifestFile]:
    snapshot = table.current_snapshot()
    return [] if snapshot is None else snapshot.manifests(table.io)


def _bins(table: Table, manifests: list[ManifestFile]) -> int:
    """How many manifests there would be, filled as PyIceberg fills them."""
    size = int(
        table.properties.get(
            TableProperties.MANIFEST_TARGET_SIZE_BYTES, TableProperties.MANIFEST_TARGET_SIZE_BYTES_DEFAULT
        )
    )
    packer: ListPacker[ManifestFile] = ListPacker(target_weight=size, lookback=1, largest_bin_first=False)
    return len(packer.pack_end(manifests, lambda one: one.manifest_length)) if manifests else 0


def _merge(table: Table) -> None:
    """An append without files that merges all manifests; the property that makes it do so is put back with it."""
    before = table.properties.get(_MERGE_AT)
    with room_told(named(table)), table.transaction() as transaction:
        transaction.set_properties({_MERGE_AT: "1"})
        with transaction.update_snapshot(snapshot_properties={"logshed.verb": "rewrite-manifests"}).merge_append():
            pass
        if before is None:
            transaction.remove_properties(_MERGE_AT)
        else:
            transaction.set_properties({_MERGE_AT: before})
