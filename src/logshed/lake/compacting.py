"""Compaction: small files of a table become large ones, each group of them in one commit that other writers survive."""

from __future__ import annotations

import json
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl
import pyarrow as pa
from pyiceberg.exceptions import ValidationException
from pyiceberg.manifest import ManifestContent

from logshed.errors import CommitConflictError, LakeError
from logshed.lake import by_ids, storage
from logshed.lake.commit import ATTEMPTS, LOST, back_off, landed, reloaded, remove_files, swap, trim_snapshots
from logshed.lake.compact_plan import STEM, runs
from logshed.lake.compact_rows import Rows, minutes
from logshed.lake.names import LINES
from logshed.lake.scan import iceberg_files
from logshed.lake.steps import step
from logshed.lake.writing import ROW_GROUP_ROWS, cause_of, digest, whole_schema
from logshed.work import DataFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pyiceberg.table import Table

    from logshed.lake.compact_plan import Group, Sizes
    from logshed.lake.names import TableDef
    from logshed.lake.store import Store

LEVEL = 3
"""zstd's level: 10 % more time than 1, 2 % fewer bytes, once."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """What came of a group.

    Attributes:
        files: Files that take its place; none where another writer has taken one of the old ones away meanwhile.
        bytes: Their bytes.
    """

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Compaction:
    """Writes groups' rows into large files beside them: what a worker does of a compaction.

    Rows lie by day, and in each run of rows by the table's order. Memory is bounded by the rows of a run.

    Attributes:
        table: Their table.
        schema: Its Arrow schema, with field ids.
        sizes: How large is what.
    """

    table: TableDef
    schema: pa.Schema
    sizes: Sizes

    @classmethod
    def of(cls, store: Store, table: TableDef, sizes: Sizes) -> Compaction:
        """That of a table as it is now.

        Raises:
            LakeError: Rows are marked as deleted, or a column is of a type that Logshed does not write.
        """
        loaded = store.table(table)
        assert_nothing_marked(loaded, "compact")
        return cls(table, whole_schema(loaded), sizes)

    def __call__(self, group: Group, /) -> tuple[DataFile, ...]:
        """Write a group's rows.

        Raises:
            LakeError: A file cannot be read or written; what was written is gone again.
        """
        new: list[DataFile] = []
        try:
            with _copied(self.table, group) as near:
                for file in _written(self, near):
                    new.append(file)
                    step("after compact file")
            _assert_whole(self.table, group, new)
        except BaseException:
            remove_files(new)
            raise
        return tuple(new)

    def stop(self) -> None:
        """Nothing is given up: a file that is half written is of no table, and swept later."""


def put_in_place(store: Store, table: TableDef, group: Group, new: Sequence[DataFile]) -> Compacted:
    """Put files in a group's place.

    Raises:
        LakeError: Rows are marked as deleted meanwhile; nothing was changed.
        CommitConflictError: Other writers were quicker each time.
    """
    try:
        size = sum(storage.size(file.path) for file in new)
        if _committed(store, table, group, new):
            return Compacted(len(new), size)
    except BaseException:
        remove_unless_taken(store, table.name, new)
        raise
    remove_files(new)
    return Compacted(0, 0)


@contextmanager
def _copied(table: TableDef, group: Group) -> Iterator[Group]:
    """The group on this machine: its rows are read once for each run, which a storage elsewhere would count."""
    try:
        with storage.copies([storage.local(one.file.file_path) for one in group.files]) as copies:
            yield replace(group, at=copies)
    except FileNotFoundError as error:
        raise LakeError(
            f"cannot compact {table.short}: a file is gone ({error}); restore it from a backup, nothing was changed"
        ) from error


def remove_unless_taken(store: Store, name: str, new: Sequence[DataFile]) -> None:
    """Give the room back. An interrupt may come after the commit: then the table has them."""
    taken = {storage.local(file.file_path) for file in iceberg_files(store.load(name))}
    remove_files(file for file in new if file.path not in taken)


def _committed(store: Store, table: TableDef, group: Group, new: Sequence[DataFile]) -> bool:
    """Swap the files; where other writers were quicker, look again whether the old ones are all there still."""
    old, token = [one.file for one in group.files], uuid4().hex
    for attempt in range(ATTEMPTS):
        loaded = reloaded(store, table, attempt)
        if attempt and landed(loaded, token):
            return True
        assert_nothing_marked(loaded, "compact")
        try:
            step("before compact commit")
            swap(store, loaded, old, list(new), {}, {"logshed.verb": "compact"}, token)
        except ValidationException:
            return False
        except LOST as error:
            back_off(attempt, error)
            continue
        step("after compact commit")
        trim_snapshots(loaded)
        return True
    raise CommitConflictError(
        f"cannot compact {table.short}: {ATTEMPTS} attempts met other writers; run the same command again"
    )


def assert_nothing_marked(loaded: Table, verb: str) -> None:
    """Another program may mark rows as deleted in files beside the data: rows written anew would come back."""
    snapshot = loaded.current_snapshot()
    if snapshot is None or all(one.content == ManifestContent.DATA for one in snapshot.manifests(loaded.io)):
        return
    raise LakeError(
        f"cannot {verb} rows of {'.'.join(loaded.name())}: another program has marked rows of it as deleted; "
        "let that program rewrite its files, nothing was changed"
    )


def _assert_whole(table: TableDef, group: Group, new: list[DataFile]) -> None:
    rows = sum(file.rows for file in new)
    if rows != group.rows:
        raise LakeError(
            f"cannot compact {table.short}: {group.rows:,} rows were to be written and {rows:,} were; "
            "nothing was changed; run `logshed audit`, and report this"
        )


def _written(task: Compaction, group: Group) -> Iterator[DataFile]:
    with storage.workshop(group.folder) as folder:
        yield from _written_in(folder, task, group)


def _written_in(folder: str, task: Compaction, group: Group) -> Iterator[DataFile]:
    table, sizes = task.table, task.sizes
    columns, notes = _contents(group)
    there = {name for number, name in by_ids.called(task.schema).items() if number in columns}
    schema = pa.schema(field for field in task.schema if field.name in there or not field.nullable)
    path, whole = Path(), True
    try:
        waiting = deque(runs(minutes(group, schema, table.partition_column), group, sizes))
        while waiting:
            path, whole = Path(folder) / f"{STEM}{uuid4().hex}.parquet", False
            rows = Rows(group, table, schema, sizes, waiting, path)
            rows.frame().sink_parquet(
                path,
                compression="zstd",
                compression_level=LEVEL,
                row_group_size=ROW_GROUP_ROWS,
                arrow_schema=schema,
                metadata=notes,
                maintain_order=True,
            )
            checksum = digest(str(path)) if table == LINES else ""
            settled = storage.settle(path, group.folder)
            whole = True
            yield DataFile(table.name, settled, rows.written, checksum)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise LakeError(f"cannot compact {table.short}: {cause_of(error)}; run the same command again") from error
    finally:
        if not whole:
            path.unlink(missing_ok=True)


def _contents(group: Group) -> tuple[set[int], dict[str, str]]:
    """The field ids that the files of a group have, and their notes; of several notes of a name a list."""
    columns: set[int] = set()
    notes: dict[str, set[str]] = {}
    for one in group.files:
        path = group.here(one)
        try:
            found = by_ids.footer(path)
        except (OSError, pa.ArrowException) as error:
            raise LakeError(
                f"cannot compact {path}: {cause_of(error)}; restore it from a backup, nothing was changed"
            ) from error
        columns |= set(found.names)
        for name, value in found.notes.items():
            notes.setdefault(name, set()).add(value)
    own = {name: values for name, values in notes.items() if name.startswith("logshed")}
    return columns, {name: _joined(values) for name, values in own.items()}


def _joined(values: set[str]) -> str:
    """One note for several; one that was joined before is a list already."""
    if len(values) == 1:
        return next(iter(values))
    every: dict[str, object] = {}
    for value in values:
        found = json.loads(value)
        for one in found if isinstance(found, list) else [found]:
            every[json.dumps(one, sort_keys=True)] = one
    return json.dumps([every[text] for text in sorted(every)])
