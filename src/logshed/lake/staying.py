"""A file of a table written anew without some of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl
import pyarrow as pa
from polars.io.plugins import register_io_source

from logshed.errors import LakeError
from logshed.lake import by_ids, parquet, storage
from logshed.lake.compact_plan import STEM
from logshed.lake.compact_rows import types
from logshed.lake.compacting import LEVEL
from logshed.lake.scan import paths
from logshed.lake.writing import ROW_GROUP_ROWS, cause_of, whole_schema
from logshed.work import DataFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.manifest import DataFile as IcebergFile
    from pyiceberg.table import Table


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


def rest_of(name: str, table: Table, one: Taken) -> DataFile:
    """A new file of the rows that stay, a row group in hand at a time, in their order.

    Args:
        name: The table's full name.
        table: The table.
        one: The file, and which rows go.

    Raises:
        LakeError: It cannot be read or written.
    """
    folder, _, old = one.path.rpartition("/")
    path = f"{folder}/{STEM if old.startswith(STEM) else ''}{uuid4().hex}.parquet"
    stay = one.file.record_count - one.rows
    try:
        with storage.copies([one.path]) as copies:
            here = copies[one.path]
            found, whole = by_ids.footer(here), whole_schema(table)
            there = {name for number, name in by_ids.called(whole).items() if number in found.names}
            schema = pa.schema(field for field in whole if field.name in there or not field.nullable)
            rows = _Staying(here, whole, schema, one.hit, one.file.record_count)
            parquet.sink(
                rows.frame(),
                path,
                compression="zstd",
                compression_level=LEVEL,
                row_group_size=ROW_GROUP_ROWS,
                arrow_schema=schema,
                metadata={key: value for key, value in found.notes.items() if key.startswith("logshed")},
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
        self._rows = by_ids.rows([path], whole)
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
