"""Thins a log out: a share of its records, errors and whole traces kept, the lines as they were but for redaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.errors import UsageError
from logshed.pipeline.fields import is_field, with_fields
from logshed.pipeline.transforms import sampled
from logshed.sources.encodings import unescape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logshed.pipeline.passing import Pass
    from logshed.pipeline.planning import Plan
    from logshed.pipeline.stages import Refined

ERROR_SEVERITY = 17
"""OpenTelemetry's first number of the range ERROR."""

SERVER_ERROR = 500


@dataclass(slots=True)
class SampleReport:
    """What came of a sample, in records.

    Attributes:
        read: Records read.
        kept: Records kept.
        errors: Errors among those read.
        errors_kept: Errors kept.
    """

    read: int = 0
    kept: int = 0
    errors: int = 0
    errors_kept: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


class Sampler:
    """Chooses records.

    Args:
        passing: Reads the files.
        share: Share of the records to keep, 0 to 1.
        keep_errors: Keep every error, and every record of a trace that has one.
        by: Column or ``attributes.<key>`` whose records stay together.
        seed: Another number chooses other records.

    Attributes:
        report: What came of it so far.
    """

    def __init__(self, passing: Pass, share: float, *, keep_errors: bool = True, by: str, seed: int = 0) -> None:
        """Check what was asked for.

        Raises:
            UsageError: ``by`` names no column.
        """
        if not is_field(by):
            raise UsageError(f"cannot sample by {by}: there is no such column; see docs/reference/columns.md")
        self.report = SampleReport()
        self._passing = passing
        self._share = share
        self._keep_errors = keep_errors
        self._by = by
        self._seed = seed
        self._with_errors = pl.Series("key", [], dtype=pl.UInt64)

    def lines(self, paths: Sequence[str]) -> Iterator[bytes]:
        """The text of the records that are kept, redacted, with a line feed behind each; some records at a time.

        Raises:
            SourceError: Nothing can be read; where only some cannot, the reader's ``problems`` tell it afterwards.
        """
        plans = self._passing.plans(paths)
        if not plans:
            self._passing.check()
        if self._keep_errors and not any(plan.target.is_stream for plan in plans):
            self._with_errors = self._traces_with_errors(plans)
        for refined in self._refined(plans):
            yield self._chosen(refined)

    def _refined(self, plans: list[Plan]) -> Iterator[Refined]:
        for plan in plans:
            for split in plan.splits:
                yield from self._passing.frames(split)

    def _traces_with_errors(self, plans: list[Plan]) -> pl.Series:
        """Hashes of the traces that hold an error, which takes a reading of its own."""
        known = len(self._passing.problems)
        found = self._with_errors
        for refined in self._refined(plans):
            facts = self._facts(refined.logs)
            found = pl.concat([found, facts.filter("error")["key"].drop_nulls()]).unique()
        del self._passing.problems[known:]  # the second reading tells them again
        return found

    def _facts(self, logs: pl.DataFrame) -> pl.DataFrame:
        """Of each record where it stands, whether it is an error, the hash of its trace, and whether it is drawn."""
        rows = with_fields(logs, [self._by])
        error = (
            (pl.col("severity_number") >= ERROR_SEVERITY)
            | (pl.col("http_response_status_code") >= SERVER_ERROR)
            | pl.col("exception_type").is_not_null()
        ).fill_null(value=False)
        key = pl.when(pl.col(self._by).is_not_null()).then(pl.col(self._by).cast(pl.String).hash(self._seed))
        facts = rows.select("offset", "item", error.alias("error"), key.alias("key"))
        facts = facts.with_columns(sampled(rows, self._share, self._by, self._seed).alias("drawn"))
        if not (rows["item"].max() or 0):
            return facts.drop("item")
        return facts.group_by("offset", maintain_order=True).agg(
            pl.col("error").any(), pl.col("key").drop_nulls().first(), pl.col("drawn").any()
        )

    def _chosen(self, refined: Refined) -> bytes:
        facts = self._facts(refined.logs)
        kept = facts["drawn"]
        if self._keep_errors:
            kept = kept | facts["error"] | facts["key"].is_in(self._with_errors.implode()).fill_null(value=False)
        errors = facts["error"]
        self.report.read += facts.height
        self.report.kept += int(kept.sum())
        self.report.errors += int(errors.sum())
        self.report.errors_kept += int((errors & kept).sum())
        lines = refined.lines.join(facts.filter(kept), on="offset", how="semi", maintain_order="left")
        if not lines["escaped"].any():
            return "".join(f"{text}\n" for text in lines["text"]).encode()
        pairs = zip(lines["text"], lines["escaped"], strict=True)
        return b"".join((unescape(text) if escaped else text.encode()) + b"\n" for text, escaped in pairs)
