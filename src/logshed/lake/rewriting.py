"""Takes rows out of a table: only the files that hold some of them are written anew, each without them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from polars.io.plugins import register_io_source
from pyiceberg.exceptions import ValidationException

from logshed.errors import CommitConflictError, LakeError, UnsureError
from logshed.lake import parquet, storage
from logshed.lake.commit import ATTEMPTS, LOST, back_off, landed, remove_files, swap, trim_snapshots
from logshed.lake.compact_plan import STEM
from logshed.lake.compacting import LEVEL, assert_nothing_marked, remove_unless_taken, types
from logshed.lake.finding import collected, scanned
from logshed.lake.ledger import Ledger
from logshed.lake.names import LEDGER_PROPERTY
from logshed.lake.scan import iceberg_files, paths
from logshed.lake.steps import step
from logshed.lake.writing import ROW_GROUP_ROWS, cause_of, whole_schema
from logshed.work import DataFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyiceberg.manifest import DataFile as IcebergFile
    from pyiceberg.table import Table

    from logshed.lake.store import Store

    Noted = Callable[[Table], dict[str, str]]

ROUNDS = 20
"""How often it is begun anew because another writer has taken one of the files away."""


@dataclass(slots=True)
class Taken:
    """Rows of one file that go.

    Attributes:
        file: The file.
        hit: Which rows go.
        rows: How many.
        facts: What is to be known of them once they are gone.
    """

    file: IcebergFile
    hit: pl.Expr
    rows: int
    facts: pl.DataFrame

    @property
    def path(self) -> str:
        """Where the file lies."""
        return paths([self.file])[0]

    @property
    def whole(self) -> bool:
        """Whether no row of the file stays."""
        return self.rows == self.file.record_count


@dataclass(slots=True)
class Rewriting:
    """What came of it.

    Attributes:
        rows: Rows that are gone.
        files: Files that they were in.
        dropped: Those of them of which no row stayed, so that nothing was written.
        bytes: Bytes of the files.
        made_bytes: Bytes of those in their place.
        old: Paths of the files that are gone.
        new: Paths of those in their place.
    """

    rows: int = 0
    files: int = 0
    dropped: int = 0
    bytes: int = 0
    made_bytes: int = 0
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)


def without(
    store: Store,
    name: str,
    look: Callable[[Table], list[Taken]],
    verb: str,
    *,
    adjust: Callable[[Sequence[Taken]], pl.DataFrame] | None = None,
    noted: Callable[[Table, Sequence[Taken]], dict[str, str]] | None = None,
    trim: bool = True,
) -> Rewriting:
    """Take rows out of a table in one commit that other writers survive, and that survives them.

    Args:
        store: The lake.
        name: The table's full name.
        look: Finds the rows in the table as it is now.
        verb: What does it, for the steps and the snapshot.
        adjust: Ledger entries that account for rows of ``bronze.lines``.
        noted: Properties that change with it.
        trim: Keep the list of snapshots short, as every commit does; else they are left to who expires them all.

    Raises:
        LakeError: A file cannot be read or written, or rows are marked as deleted; nothing was changed.
        CommitConflictError: Other writers were quicker each time.
    """
    for _ in range(ROUNDS):
        table = store.load(name)
        assert_nothing_marked(table, verb)
        taken = look(table)
        if not taken:
            return Rewriting()
        new: list[DataFile] = []
        try:
            _write(name, table, taken, verb, new)
            done = _counted(taken, new)
            if _committed(store, name, taken, new, verb, adjust, noted, trim=trim):
                return done
        except UnsureError:
            raise  # the table may have them
        except BaseException:
            remove_unless_taken(store, name, new)
            raise
        remove_files(new)
    raise CommitConflictError(f"cannot {verb} rows of {name}: other writers keep changing it; run the same again")


def _write(name: str, table: Table, taken: Sequence[Taken], verb: str, new: list[DataFile]) -> None:
    """Write the files of which rows stay, and note each once it is there."""
    for one in taken:
        if not one.whole:
            new.append(_written(name, table, one))
            step(f"after {verb} file")


def _committed(
    store: Store,
    name: str,
    taken: Sequence[Taken],
    new: Sequence[DataFile],
    verb: str,
    adjust: Callable[[Sequence[Taken]], pl.DataFrame] | None,
    noted: Callable[[Table, Sequence[Taken]], dict[str, str]] | None,
    *,
    trim: bool,
) -> bool:
    """Swap the files; False where one of the old ones is no longer in the table."""
    token = uuid4().hex
    for attempt in range(ATTEMPTS):
        table = store.load(name)
        if attempt and landed(table, token):
            return True
        properties = noted(table, taken) if noted is not None else {}
        if adjust is not None:
            properties[LEDGER_PROPERTY] = Ledger.of(table).append(adjust(taken), store.ledger_folder())
        try:
            step(f"before {verb} commit")
            swap(store, table, [one.file for one in taken], new, properties, {"logshed.verb": verb}, token)
        except ValidationException:
            return False
        except LOST as error:
            back_off(attempt, error)
            continue
        step(f"after {verb} commit")
        if trim:
            trim_snapshots(table)
        return True
    raise CommitConflictError(
        f"cannot {verb} rows of {name}: {ATTEMPTS} attempts met other writers; run the same command again"
    )


def _counted(taken: Sequence[Taken], new: Sequence[DataFile]) -> Rewriting:
    return Rewriting(
        rows=sum(one.rows for one in taken),
        files=len(taken),
        dropped=sum(one.whole for one in taken),
        bytes=sum(one.file.file_size_in_bytes for one in taken),
        made_bytes=sum(storage.size(file.path) for file in new),
        old=[one.path for one in taken],
        new=[file.path for file in new],
    )


def _written(name: str, table: Table, one: Taken) -> DataFile:
    """A file's rows that stay, a row group in hand at a time, in their order."""
    folder, _, old = one.path.rpartition("/")
    path = f"{folder}/{STEM if old.startswith(STEM) else ''}{uuid4().hex}.parquet"
    stay = one.file.record_count - one.rows
    try:
        with storage.copies([one.path]) as copies:
            here = copies[one.path]
            found = pq.read_metadata(here)
            columns = set(found.schema.to_arrow_schema().names)
            whole = whole_schema(table)
            schema = pa.schema(field for field in whole if field.name in columns or not field.nullable)
            own = {key.decode(): value.decode() for key, value in (found.metadata or {}).items()}
            rows = _Staying(here, whole, schema, one.hit, found.num_rows)
            parquet.sink(
                rows.frame(),
                path,
                compression="zstd",
                compression_level=LEVEL,
                row_group_size=ROW_GROUP_ROWS,
                arrow_schema=schema,
                metadata={key: value for key, value in own.items() if key.startswith("logshed")},
                maintain_order=True,
            )
    except (OSError, pl.exceptions.ComputeError, pa.ArrowException) as error:
        storage.remove(path)
        raise LakeError(f"cannot rewrite {one.path}: {cause_of(error)}; nothing of it was changed") from error
    except BaseException:
        storage.remove(path)
        raise
    if rows.written != stay:
        storage.remove(path)
        raise LakeError(
            f"cannot rewrite {one.path}: {stay:,} rows were to stay and {rows.written:,} did; "
            "nothing was changed; report this"
        )
    return DataFile(name, path, rows.written)


class _Staying:
    """The rows of a file that stay, as a stream that Polars writes.

    Args:
        path: The file, on this machine.
        whole: All columns of the table: what rows go by may be one that the file leaves out.
        schema: Those that the file has.
        hit: Which rows go.
        height: Its rows.

    Attributes:
        written: Rows so far.
    """

    def __init__(self, path: str, whole: pa.Schema, schema: pa.Schema, hit: pl.Expr, height: int) -> None:
        self._rows = scanned([path], whole)
        self._types = types(schema)
        self._hit = hit
        self._height = height
        self.written = 0

    def frame(self) -> pl.LazyFrame:
        """The stream."""
        return register_io_source(self._stream, schema=self._types)

    def _stream(
        self, columns: list[str] | None, predicate: pl.Expr | None, most: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        assert predicate is None  # noqa: S101 - what Polars asks of a source, not what a user gives
        assert most is None  # noqa: S101 - as above
        for start in range(0, self._height, ROW_GROUP_ROWS):
            group = self._rows.slice(start, ROW_GROUP_ROWS)
            part = group.filter(~self._hit.fill_null(value=False)).select(list(self._types)).collect()
            self.written += part.height
            yield part.select(columns or list(self._types))


def taken_of(
    table: Table,
    hits: Callable[[IcebergFile], pl.Expr | None],
    facts: Sequence[pl.Expr],
    keys: Sequence[str | pl.Expr] = (),
) -> list[Taken]:
    """The files of a table that hold rows that go, by a look at the columns that tell it.

    Args:
        table: The table.
        hits: Which rows of a file go; None where its bounds tell that none does.
        facts: Sums over the rows that go.
        keys: What these are grouped by.
    """
    schema = whole_schema(table)
    found: list[Taken] = []
    for file in iceberg_files(table):
        hit = hits(file)
        if hit is None:
            continue
        rows = scanned(paths([file]), schema).filter(hit)
        sums = (pl.len().alias("_rows"), *facts)
        gone = collected(rows.group_by(keys).agg(sums) if keys else rows.select(sums), paths([file])[0])
        count = int(gone["_rows"].sum())
        if count:
            found.append(Taken(file, hit, count, gone))
    return found
