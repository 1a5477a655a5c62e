"""What the records of some days come to in a gold table, written beside: what a worker does of an aggregation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl

from logshed.errors import QueryError
from logshed.lake.commit import remove_files
from logshed.schema import polars_schema
from logshed.sql.duckdb import DuckDB

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from logshed.lake.writing import FileWriter
    from logshed.queries.gold import GoldTable
    from logshed.sql.duckdb import Limits
    from logshed.sql.tables import Tables
    from logshed.work import DataFile


@dataclass(frozen=True, slots=True)
class DayRows:
    """Computes days of a gold table.

    Attributes:
        table: The table.
        writer: Its writer.
        tables: The lake that is asked.
        limits: Memory and processors of a statement.
    """

    table: GoldTable
    writer: FileWriter
    tables: Tables
    limits: Limits

    def __call__(self, days: Sequence[date], /) -> tuple[DataFile, ...]:
        """A file for each of some days that follow each other, but for those without a row.

        Raises:
            QueryError: The table's statement is wrong.
            LakeError: A file cannot be read or written; what was written is gone again.
        """
        files: list[DataFile] = []
        try:
            files.extend(self._written(days))  # one by one, so that what was written before a failure is known
        except BaseException:
            remove_files(files)
            raise
        return tuple(files)

    def stop(self) -> None:
        """Nothing is given up: files that nobody commits are swept later."""

    def _written(self, days: Sequence[date]) -> Iterator[DataFile]:
        table = self.table
        since = datetime.combine(days[0], datetime.min.time(), UTC)
        until = datetime.combine(days[-1], datetime.min.time(), UTC) + timedelta(days=1)
        rows = DuckDB(self.tables, **self.limits).query(table.sql, table.bind(since, until)).pl()
        if missing := [column.name for column in table.columns if column.name not in rows.columns]:
            raise QueryError(f"cannot refresh {table.name}: its statement gives no column {missing[0]}; add it")
        rows = rows.select(column.name for column in table.columns).cast(polars_schema(table.columns))  # type: ignore[arg-type]
        wanted = set(days)
        for (day,), part in rows.group_by(pl.col("timestamp").dt.date()):
            if day in wanted:
                yield from self.writer.write(part.sort("timestamp", "collection"), f"{day}-{uuid4().hex}")
