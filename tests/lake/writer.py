"""Puts small batches into a lake's tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from logshed.lake.names import LINES, LOGS
from logshed.lake.writing import FileWriter, table_schema
from logshed.work import Counts, Split, Written

if TYPE_CHECKING:
    from logshed.lake.store import Store
    from logshed.work import DataFile

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@dataclass
class Writer:
    """Writes small batches into a lake's tables."""

    store: Store

    def lines(self, batch: str, source: str, start: int, end: int, *, now: datetime = NOW) -> Written:
        """One split whose every byte is a record of one line."""
        frame = pl.DataFrame({"offset": range(start, end)}).with_columns(
            text=pl.format("line {}", "offset"),
            source=pl.lit(source),
            generation=pl.lit("g"),
            line_count=pl.lit(1),
            batch=pl.lit(batch),
            observed_timestamp=pl.lit(now),
            collection=pl.lit("default"),
            resource=pl.lit("{}"),
            format=pl.lit("logfmt"),
            parse_error=pl.lit(None, pl.String),
            redaction_count=pl.lit(0),
            cut_bytes=pl.lit(None, pl.Int64),
            escaped=pl.lit(None, pl.Boolean),
        )
        writer = FileWriter.of(LINES, self.store.table(LINES))
        files = writer.write(frame.cast(table_schema(LINES)), f"{batch}-{start}")
        counts = Counts(read=end - start, stored=end - start)
        return Written(Split(source, source, "g", start, end), tuple(files), counts)

    def logs(self, batch: str, timestamps: list[datetime]) -> list[DataFile]:
        """Rows of silver at these times."""
        schema = table_schema(LOGS)
        frame = pl.DataFrame({"timestamp": timestamps}, schema={"timestamp": schema["timestamp"]})
        required = {
            "observed_timestamp": NOW,
            "collection": "c",
            "source": "s",
            "generation": "g",
            "offset": 0,
            "item": 0,
        }
        frame = frame.with_columns(**{name: pl.lit(value) for name, value in required.items()}, batch=pl.lit(batch))
        missing = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in frame.columns]
        writer = FileWriter.of(LOGS, self.store.table(LOGS))
        return writer.write(frame.with_columns(missing).cast(schema), batch)
