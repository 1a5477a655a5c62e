"""What each split had of a frame that holds the records of several: its lines' fates, times and rejects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.pipeline.drift import samples_of
from logshed.work import Counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.redaction.tally import Tally

ORIGIN = "origin"
"""The column that tells to which split a record belongs, from 0 on; a frame of one split's records has none."""
_ISO = "%Y-%m-%dT%H:%M:%S%.6fZ"


@dataclass(frozen=True, slots=True)
class Share:
    """What one split had.

    Attributes:
        counts: The fates of its physical lines.
        first_timestamp: Earliest time of an event in ISO 8601, empty where there is none.
        last_timestamp: Latest.
        reject_samples: Beginnings of the first rejected records.
    """

    counts: Counts
    first_timestamp: str = ""
    last_timestamp: str = ""
    reject_samples: tuple[str, ...] = ()


class Shares:
    """Sums up a frame on its way through the stages.

    Args:
        splits: How many splits have records in it.
        records: As they were read.
    """

    def __init__(self, splits: int, records: pl.DataFrame) -> None:
        self._splits = splits
        self._read = self._of(records, {}, lines=pl.col("line_count").sum())
        self._redacted: list[dict[str, int]] = [{} for _ in range(splits)]

    def replaced(self, tally: Tally, records: pl.DataFrame) -> None:
        """Note what was replaced in these records."""
        parts = tally.by_share(records[ORIGIN], self._splits) if self._splits > 1 else [tally.by_rule]
        for own, part in zip(self._redacted, parts, strict=True):
            for rule, count in part.items():
                own[rule] = own.get(rule, 0) + count

    def of(
        self, lines: pl.DataFrame, logs: pl.DataFrame, origins: Mapping[str, pl.Series], dropped: dict[str, int]
    ) -> list[Share]:
        """What each split had, in their order.

        Args:
            lines: Rows of ``bronze.lines``.
            logs: Rows of ``silver.logs``.
            origins: To which split the rows of each belong (``lines`` and ``logs``); empty where there is one split.
            dropped: Lines that are in neither, by the rule; only one split can have any.
        """
        rejected = pl.col("parse_error").is_not_null()
        fates = self._of(
            lines,
            origins,
            "lines",
            rejected=pl.col("line_count").filter(rejected).sum(),
            cut=pl.col("cut_bytes").is_not_null().sum(),
        )
        own = pl.col("timestamp").filter(pl.col("timestamp_source") != "observed")
        times = self._of(logs, origins, "logs", first=own.min().dt.strftime(_ISO), last=own.max().dt.strftime(_ISO))
        found = []
        for number, (read, fate, time) in enumerate(zip(self._read, fates, times, strict=True)):
            lost = fate.get("rejected") or 0
            counts = Counts(
                read=read.get("lines") or 0,
                stored=(read.get("lines") or 0) - lost - sum(dropped.values()),
                rejected=lost,
                dropped=dropped,
                cut=fate.get("cut") or 0,
                redacted=self._redacted[number],
            )
            rejects = lines.filter(origins["lines"] == number) if lost and origins else lines
            samples = samples_of(rejects) if lost else ()
            found.append(Share(counts, time.get("first") or "", time.get("last") or "", samples))
        return found

    def _of(
        self, frame: pl.DataFrame, origins: Mapping[str, pl.Series], name: str = "", **sums: pl.Expr
    ) -> list[dict[str, Any]]:
        """Some sums over a frame for each split; nothing for those that have no rows."""
        if self._splits == 1:
            return frame.select(**sums).to_dicts()
        told = frame.with_columns(origins[name].alias(ORIGIN)) if name else frame
        rows = {row[ORIGIN]: row for row in told.group_by(ORIGIN).agg(**sums).iter_rows(named=True)}
        return [rows.get(number, {}) for number in range(self._splits)]
