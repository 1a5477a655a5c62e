"""The commit: data files and ledger in one Iceberg transaction; the followers after it, each in its own.

A crash before a transaction leaves files that nothing refers to; after it, nothing is read again. When another writer
was quicker, the loser reloads, gives back what the winner already has, and tries again with the rest.
"""

from __future__ import annotations

import random
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.io.pyarrow import parquet_file_to_data_file

from logshed.errors import CommitConflictError, LakeError, StorageError, UnsureError
from logshed.lake import storage
from logshed.lake.batch import COMMIT_WITHIN_MS, Batches, age_ms
from logshed.lake.checksums import changed
from logshed.lake.ledger import Ledger, entries
from logshed.lake.names import BATCHES_PROPERTY, FILE_PROPERTIES, LEDGER_PROPERTY, LINES, TABLES
from logshed.lake.scan import day_of, iceberg_files, paths
from logshed.lake.steps import step
from logshed.lake.transacting import Changes, expire
from logshed.lake.writing import room_told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    import polars as pl
    from pyiceberg.manifest import DataFile as IcebergFile
    from pyiceberg.table import Table

    from logshed.lake.names import TableDef
    from logshed.lake.store import Store
    from logshed.work import DataFile, Written

ATTEMPTS = 100
SNAPSHOTS_KEPT = 20
SNAPSHOTS_AT_MOST = 40

UNREACHED_AT_MOST = 6
"""How often a commit is tried at a catalog that gives no answer."""

LOST = (CommitFailedException, StorageError)
"""What a commit raises that another writer, or the way to the catalog, kept from being done."""

_TOKEN = "logshed.commit"  # noqa: S105 - a name
"""In a snapshot's summary: by it a commit that gave no answer is known again."""

Ends = dict[tuple[str, str], int]
"""Ledger ends by (source, generation)."""


def commit_lines(
    store: Store, batch: str, bundles: Sequence[tuple[Written, ...]], expected: Mapping[tuple[str, str], int]
) -> list[tuple[Written, ...]]:
    """Put a batch of bundles into ``bronze.lines`` and the ledger.

    Args:
        store: The lake.
        batch: The batch's id.
        bundles: What was written; the splits of a bundle share data files and stand or fall together.
        expected: The ledger's ends of every generation of the bundles' sources, as they were when the work was planned.

    Returns:
        The bundles that another writer made stale: their work must be planned again.

    Raises:
        StorageError: The catalog or the storage cannot be reached; the batch may have been committed.
        LakeError: The batch is too old, or the disk is full; nothing was committed.
    """
    token = uuid4().hex
    stale: list[tuple[Written, ...]] = []
    for attempt in range(ATTEMPTS):
        table = reloaded(store, LINES, attempt)
        if attempt and landed(table, token):
            return stale
        ledger = Ledger.of(table)
        fresh, stale = _sorted_out(ledger, bundles, expected)
        if not fresh:
            return stale
        _assert_young(batch)
        files = [file for bundle in fresh for work in bundle for file in work.data_files if file.table == LINES.name]
        new = entries((work for bundle in fresh for work in bundle), batch)
        try:
            step("before ledger write")
            root = ledger.append(new, store.ledger_folder())
            step("before bronze commit")
            append_files(store, table, files, {LEDGER_PROPERTY: root}, batch, token)
        except LOST as error:
            back_off(attempt, error)
            continue
        step("after bronze commit")
        trim_snapshots(table)
        return stale
    raise CommitConflictError(
        f"cannot commit batch {batch}: {ATTEMPTS} attempts met other writers; run the same command again"
    )


def commit_follower(
    store: Store,
    short: str,
    batch: str,
    files: Sequence[DataFile],
    also: Sequence[str] = (),
    noted: Mapping[str, str] | None = None,
) -> bool:
    """Put a batch's files into a table that follows another, once.

    Args:
        store: The lake.
        short: The table's short name.
        batch: The batch.
        files: Its files.
        also: More batches that these files stand for, where several were done in one go.
        noted: More properties that change with it.

    Returns:
        Whether this call did it; False where one of the batches was already there (the files are then superfluous).
    """
    token = uuid4().hex
    for attempt in range(ATTEMPTS):
        table = reloaded(store, TABLES[short], attempt)
        if attempt and landed(table, token):
            return True
        batches = Batches.of(table)
        if any(one in batches for one in (batch, *also)):
            return False
        for one in also:
            batches = batches.add(one)
        try:
            step(f"before {short} commit")
            done = batches.add(batch).save(store.ledger_folder())
            append_files(store, table, files, {BATCHES_PROPERTY: done, **(noted or {})}, batch, token)
        except LOST as error:
            back_off(attempt, error)
            continue
        step(f"after {short} commit")
        trim_snapshots(table)
        return True
    raise CommitConflictError(
        f"cannot commit batch {batch} to {short}: {ATTEMPTS} attempts met other writers; run the same command again"
    )


def replace_days(
    store: Store,
    table: TableDef,
    base: Table,
    batches: Sequence[str],
    days: Iterable[date],
    files: Sequence[DataFile],
    noted: Mapping[str, str] | None = None,
) -> bool:
    """Put new rows in place of all that a table has for some days, and note the batches that led to them.

    A table's files hold a day each, as ``files`` must. ``noted`` are more properties that change with it. ``base`` is
    the table as it was before it was looked from what the rows are computed: rows that another has put in place since
    may come of newer records, or of those that an erasure has left.

    Returns:
        Whether this call did it; False where another has changed the table since.

    Raises:
        CommitConflictError: Other writers were quicker each time.
    """
    wanted, token = set(days), uuid4().hex
    for attempt in range(ATTEMPTS):
        loaded = reloaded(store, table, attempt)
        if attempt and landed(loaded, token):
            return True
        if loaded.metadata.current_snapshot_id != base.metadata.current_snapshot_id:
            return False
        done = Batches.of(loaded)
        for batch in batches:
            done = done.add(batch)
        try:
            step(f"before {table.short} commit")
            properties = {BATCHES_PROPERTY: done.save(store.ledger_folder()), **(noted or {})}
            with unchanged(loaded):
                there = iceberg_files(loaded)
            old = [file for file in there if day_of(loaded, file, table.partition_column) in wanted]
            swap(store, loaded, old, files, properties, token=token)
        except LOST as error:
            back_off(attempt, error)
            continue
        trim_snapshots(loaded)
        return True
    raise CommitConflictError(
        f"cannot commit days of {table.short}: {ATTEMPTS} attempts met other writers; run the same command again"
    )


def replace_files(
    store: Store, short: str, old: Sequence[IcebergFile], new: Sequence[DataFile], adjust: pl.DataFrame | None = None
) -> None:
    """Swap data files of a table for rewritten ones, with ledger entries that adjust the counts.

    Raises:
        CommitConflictError: Another writer was quicker; nothing was changed.
    """
    table = store.table(TABLES[short])
    properties = {}
    if adjust is not None:
        properties[LEDGER_PROPERTY] = Ledger.of(table).append(adjust, store.ledger_folder())
    token = uuid4().hex
    try:
        swap(store, table, old, new, properties, token=token)
    except StorageError as error:
        if not landed(reloaded(store, TABLES[short], 1), token):
            raise UnsureError(str(error), passing=error.passing) from error
    except (CommitFailedException, ValidationException) as error:
        raise CommitConflictError(
            f"cannot rewrite files of {short}: another writer was quicker; run the same command again"
        ) from error


def swap(
    store: Store,
    table: Table,
    old: Sequence[IcebergFile],
    new: Sequence[DataFile],
    properties: dict[str, str],
    noted: dict[str, str] | None = None,
    token: str = "",
) -> None:
    """One transaction: files in place of others. Who reads the old ones keeps them for a while.

    Properties that are not given stay, also those that another writer changes meanwhile: whoever changes one adds a
    snapshot with it, and that makes this transaction fail.

    Raises:
        CommitFailedException: Another writer was quicker.
        ValidationException: One of the old files is no longer in the table.
    """
    properties = {**properties, **_checksums(store, table, paths(old), new)}
    storage.keep_a_while([*paths(old), *_superseded(table, properties)])
    with unchanged(table), room_told(named(table)), Changes(table) as transaction:
        with transaction.update_snapshot(snapshot_properties=_noted(token, **(noted or {}))).overwrite() as overwrite:
            for file in old:
                overwrite.delete_data_file(file)
            for added in _iceberg_files(table, new):
                overwrite.append_data_file(added)
        if properties:
            transaction.set_properties(properties)


def _superseded(table: Table, properties: Mapping[str, str]) -> list[str]:
    """The files that properties name which are about to change."""
    return [table.properties[name] for name in properties if name in table.properties and name in FILE_PROPERTIES]


def append_files(
    store: Store, table: Table, files: Sequence[DataFile], properties: dict[str, str], batch: str = "", token: str = ""
) -> None:
    """One transaction: the files and the properties. An append without files still makes the loser of a race fail.

    Raises:
        CommitFailedException: Another writer was quicker.
    """
    properties = {**properties, **_checksums(store, table, (), files)}
    storage.keep_a_while(_superseded(table, properties))
    with unchanged(table), room_told(named(table)), Changes(table) as transaction:
        noted = _noted(token, **({"logshed.batch": batch} if batch else {}))
        with transaction.update_snapshot(snapshot_properties=noted).merge_append() as append:
            for file in _iceberg_files(table, files):
                append.append_data_file(file)
        transaction.set_properties(properties)


@contextmanager
def unchanged(table: Table) -> Iterator[None]:
    """Tell that another writer was quicker where one has taken away files that the table named when it was loaded.

    Raises:
        CommitFailedException: One has, as an erasure does with older states at once.
        FileNotFoundError: The table names a file that is not there.
    """
    try:
        yield
    except FileNotFoundError as error:
        if table.catalog.load_table(table.name()).metadata_location == table.metadata_location:
            raise
        raise CommitFailedException(f"{named(table)} was changed, and what it named is gone") from error


def _checksums(store: Store, table: Table, old: Sequence[str], new: Sequence[DataFile]) -> dict[str, str]:
    """The property that keeps the checksums of the files of ``bronze.lines``; of other tables none are kept."""
    if not (old or new) or not store.is_table(table, LINES):
        return {}
    return changed(table, old, new, store.ledger_folder())


def _noted(token: str, **noted: str) -> dict[str, str]:
    return {**noted, _TOKEN: token} if token else noted


def reloaded(store: Store, table: TableDef, attempt: int) -> Table:
    """The table as it is now. Once a commit was sent the catalog is waited for, since it may have done it.

    Raises:
        UnsureError: The catalog gives no answer.
        LakeError: As ``Store.table``, where nothing was sent yet.
    """
    while True:
        try:
            return store.table(table)
        except StorageError as error:
            if not attempt:
                raise
            back_off(attempt, error)
            attempt += 1


def landed(table: Table, token: str) -> bool:
    """Whether a commit that gave no answer, or a strange one, was done for all that."""
    found = (snapshot.summary for snapshot in table.metadata.snapshots)
    return any(summary is not None and summary.additional_properties.get(_TOKEN) == token for summary in found)


def named(table: Table) -> str:
    """What a table is called in a sentence about what cannot be written."""
    return f"table {'.'.join(table.name())}"


def _iceberg_files(table: Table, files: Iterable[DataFile]) -> list[IcebergFile]:
    return [parquet_file_to_data_file(table.io, table.metadata, file.path) for file in files]


def _sorted_out(
    ledger: Ledger, bundles: Sequence[tuple[Written, ...]], expected: Mapping[tuple[str, str], int]
) -> tuple[list[tuple[Written, ...]], list[tuple[Written, ...]]]:
    """The bundles whose sources stand where they stood at planning, and the others."""
    sources = {work.split.source for bundle in bundles for work in bundle}
    found = ledger.ends(sources)
    moved = {key[0] for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)}
    fresh: list[tuple[Written, ...]] = []
    stale: list[tuple[Written, ...]] = []
    for bundle in bundles:
        (stale if any(work.split.source in moved for work in bundle) else fresh).append(bundle)
    return fresh, stale


def _assert_young(batch: str) -> None:
    if age_ms(batch) > COMMIT_WITHIN_MS:
        raise LakeError(f"cannot commit batch {batch}: it is older than 12 hours; run the same command again")


def back_off(attempt: int, error: BaseException | None = None) -> None:
    """Wait a little, and longer the more often it was tried.

    Raises:
        UnsureError: The catalog gave no answer so often that it will not give one soon.
    """
    if isinstance(error, StorageError):
        if attempt >= UNREACHED_AT_MOST or not error.passing:
            told = f"{error}; what was written stays, run the same command again"
            raise UnsureError(told, passing=error.passing) from error
        time.sleep(min(0.2 * 2**attempt, 5.0))
    time.sleep(min(0.02 * 2 ** min(attempt, 6), 1.0) * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret


def trim_snapshots(table: Table) -> None:
    """Keep the list of snapshots short: it is what makes commits slow."""
    if len(table.metadata.snapshots) <= SNAPSHOTS_AT_MOST:
        return
    try:
        table.refresh()
        snapshots = sorted(table.metadata.snapshots, key=lambda snapshot: snapshot.timestamp_ms)
        surplus = snapshots[:-SNAPSHOTS_KEPT]
        for snapshot in surplus:
            with suppress(FileNotFoundError):  # another process has expired it
                storage.keep_a_while(
                    [snapshot.manifest_list, *(one.manifest_path for one in snapshot.manifests(table.io))]
                )
        with room_told(named(table)):
            expire(table, (snapshot.snapshot_id for snapshot in surplus))
    except (CommitFailedException, LakeError, ValueError):
        return  # another writer has just done it, or it cannot be done now; the next commit looks again


@contextmanager
def given_back(files: Iterable[DataFile]) -> Iterator[None]:
    """Remove data files whose commit was surely not done; where no answer came, the table may have them."""
    try:
        yield
    except LakeError as error:
        if not isinstance(error, StorageError):
            remove_files(files)
        raise


def remove_files(files: Iterable[DataFile]) -> None:
    """Delete data files that no commit took."""
    for file in files:
        storage.remove(file.path)
