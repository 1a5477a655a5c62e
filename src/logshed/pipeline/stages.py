"""The way of a record: redact, parse the redacted text, verify, enrich, drop, transform. A frame in, two tables out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import parse as parsing
from logshed.formats import registry
from logshed.formats.choice import Choice
from logshed.pipeline import drops, fields, transforms
from logshed.pipeline.enriching import enriched
from logshed.pipeline.settling import settled
from logshed.pipeline.shares import ORIGIN, Shares
from logshed.redaction.kept import redactor
from logshed.redaction.tally import Tally
from logshed.schema import BRONZE, SILVER, SILVER_BY_NAME, polars_schema
from logshed.sources.encodings import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.pipeline.job import Job
    from logshed.pipeline.shares import Share
    from logshed.work import Split

STAGES = ("redacted", "parsed", "kept", "logs", "lines")
"""Where the rows can be watched: the redacted records, their columns, what drop rules leave of them, and what goes into
both tables once the transforms are through."""


@dataclass(frozen=True, slots=True)
class Refined:
    """What the stages made of a frame of records.

    Attributes:
        lines: Rows of ``bronze.lines``.
        logs: Rows of ``silver.logs``.
        shares: What each split had of them.
    """

    lines: pl.DataFrame
    logs: pl.DataFrame
    shares: Sequence[Share]


class Stages:
    """The stages of one source's records, or of those of several that are ``alike``.

    Args:
        job: The batch's work.
        split: Where the records come from; its format choice holds for all of them.
        watch: Is shown the rows as they leave each of ``STAGES``; the first of them is redacted already.
        others: More splits whose records come in the same frames, with the column ``origin``.
    """

    def __init__(
        self,
        job: Job,
        split: Split,
        watch: Callable[[str, pl.DataFrame], None] | None = None,
        others: Sequence[Split] = (),
    ) -> None:
        self._job = job
        self._watch = watch
        self._split = split
        self._splits = (split, *others)
        self._choice = Choice.parse(split.format)
        self._formats = registry.load(job.plugins)
        self._collection = split.collection or job.collection
        self._redactor = redactor(job.policy.of(self._collection, split.source))
        self._drops = [rule for rule in job.drops if drops.applies(rule, split.source)]
        own = [rule for rule in job.transforms if transforms.applies(rule, split.source)]
        self._transforms = [transforms.Applied(rule) for rule in own]

    @staticmethod
    def alike(job: Job, split: Split) -> tuple[int, str] | None:
        """What splits have in common whose records may come in the same frames; None: this one's come alone."""
        if any(drops.applies(rule, split.source) for rule in job.drops):
            return None
        if any(transforms.applies(rule, split.source) for rule in job.transforms):
            return None
        forms = registry.load(job.plugins)
        if any(registry.find(name, forms).has_header for name in Choice.parse(split.format).formats):
            return None
        return id(job.policy.of(split.collection or job.collection, split.source)), split.format

    def refine(self, records: pl.DataFrame) -> Refined:
        """Records as they were read to rows of both tables.

        Args:
            records: Columns text, offset, line_count, cut_bytes, escaped; one row a record.
        """
        shares = Shares(len(self._splits), records)
        records, tally = self._redacted(records)
        shares.replaced(tally, records)
        dropped: dict[str, int] = {}
        for rule in self._drops:
            if rule.where is None:
                records = drops.drop_text(records, rule, dropped)
        records, parsed = settled(records, self._parse, self._redactor, tally := Tally(records.height))
        shares.replaced(tally, records)
        self._show("redacted", records)
        logs = self._logs(records, parsed)
        self._show("parsed", logs)
        for rule in self._drops:
            if rule.where is not None:
                records, parsed, logs = drops.drop_where(records, parsed, logs, rule, dropped)
        self._show("kept", logs)
        records, parsed, logs = self._transformed(records, parsed, logs, dropped)
        self._show("logs", logs)
        lines = self._lines(records, parsed)
        self._show("lines", lines)
        origins = {}
        if len(self._splits) > 1:
            origins = {"lines": records[ORIGIN], "logs": records[ORIGIN].gather(parsed["row"])}
        return Refined(lines, logs, shares.of(lines, logs, origins, dropped))

    def rest(self, records: pl.DataFrame) -> pl.DataFrame:
        """Records as they were read to records that may rest: as ``bronze.lines`` would have them.

        Args:
            records: As ``refine`` takes them.
        """
        redacted, tally = self._redacted(records)
        return settled(redacted, self._parse, self._redactor, tally)[0]

    def reparse(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Rows of ``silver.logs`` from rows of ``bronze.lines``, which are redacted already."""
        parsed = self._parse(lines)
        logs = self._logs(lines, parsed)
        for rule in self._drops:
            if rule.where is not None:
                hit = drops.condition(logs, rule, lines["text"].gather(parsed["row"]))
                parsed, logs = parsed.filter(~hit), logs.filter(~hit)
        for applied in self._transforms:
            stays = applied.stays(logs, again=True)
            logs = applied.change(logs if stays is None else logs.filter(stays))
        return logs

    def again(self, records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Records of ``bronze.lines`` read anew: nothing is dropped, since what rests was chosen when it came.

        Returns:
            The records, rewritten where their columns show what the policy hides; their parsed rows; rows of
            ``silver.logs``, one a parsed row.
        """
        records, parsed = settled(records, self._parse, self._redactor, Tally(records.height))
        logs = self._logs(records, parsed)
        for applied in self._transforms:
            logs = applied.change(logs)
        return records, parsed, logs

    def silver(self, records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, pl.Series]:
        """What redacted records say, before anything is looked up; each is read as if it were alone.

        Args:
            records: Columns text, offset, redaction_count, escaped; one row a record.

        Returns:
            The records, rewritten where their columns show what the policy hides; rows of ``silver.logs``; and the
            record's row of each.
        """
        parse = partial(self._parse, alone=True)
        records, parsed = settled(records, parse, self._redactor, Tally(records.height))
        return records, conform(self._told_of(records, parsed), polars_schema(SILVER)), parsed["row"]

    def taken(self, records: pl.DataFrame) -> pl.Series:
        """Which records a format takes, at least in part."""
        parsed = self._parse(records).group_by("row").agg(pl.col("parse_error").is_null().any().alias("taken"))
        return parsed.sort("row")["taken"]

    def _transformed(
        self, records: pl.DataFrame, parsed: pl.DataFrame, logs: pl.DataFrame, dropped: dict[str, int]
    ) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """What the transforms leave of the rows, and make of them; a record is in one collection with all its items."""
        for applied in self._transforms:
            stays = applied.stays(logs)
            if stays is not None:
                records, parsed, logs = drops.keep(records, parsed, logs, stays, applied.rule.name, dropped)
            logs = applied.change(logs)
            routed = applied.routed(logs)
            if routed is not None and routed.any():
                rows = parsed["row"].filter(routed).unique()
                own = records["collection"] if "collection" in records.columns else self._constant(records.height)
                route = pl.Series([applied.rule.route]).new_from_index(0, rows.len())
                records = records.with_columns(own.scatter(rows, route).alias("collection"))
                logs = logs.with_columns(records["collection"].gather(parsed["row"]).alias("collection"))
        return records, parsed, logs

    def _redacted(self, records: pl.DataFrame) -> tuple[pl.DataFrame, Tally]:
        """The records without what the policy's rules find in their text, and how much that was."""
        redacted = self._redactor.redact(records["text"])
        counts = redacted.counts.alias("redaction_count")
        return records.with_columns(redacted.text.alias("text"), counts), redacted.tally

    def _constant(self, height: int) -> pl.Series:
        return pl.Series("collection", [self._collection]).new_from_index(0, height)

    def _show(self, stage: str, rows: pl.DataFrame) -> None:
        if self._watch is not None:
            self._watch(stage, rows)

    def _parse(self, records: pl.DataFrame, *, alone: bool = False) -> pl.DataFrame:
        text = records["text"]
        escaped = records["escaped"].fill_null(value=False).arg_true()
        if escaped.len():
            text = text.clone().scatter(escaped, readable(text.gather(escaped)))
        return parsing.parse(
            text,
            self._choice,
            observed=self._job.observed,
            timezone=self._job.timezone,
            formats=self._formats,
            alone=alone,
        )

    def _lines(self, records: pl.DataFrame, parsed: pl.DataFrame) -> pl.DataFrame:
        """One row a record; it counts as rejected where no format took any part of it."""
        frame = records
        if parsed["parse_error"].null_count() == parsed.height:
            frame = frame.with_columns(parse_error=pl.lit(None, pl.String))
        else:
            taken = parsed.group_by("row").agg(
                pl.when(pl.col("parse_error").is_null().any())
                .then(None)
                .otherwise(pl.col("parse_error").first())
                .alias("parse_error")
            )
            frame = frame.with_row_index("row").join(taken, on="row", how="left", maintain_order="left")
        constants = {name: value for name, value in self._constants(frame).items() if name not in frame.columns}
        resource = self._told(frame, [_json(split.resource) for split in self._splits])
        frame = frame.with_columns(**constants, resource=resource, format=pl.lit(self._split.format))
        return conform(frame, polars_schema(BRONZE))

    def _logs(self, records: pl.DataFrame, parsed: pl.DataFrame) -> pl.DataFrame:
        frame = enriched(self._told_of(records, parsed), self._job.networks, self._job.sources)
        return conform(frame, polars_schema(SILVER))

    def _told_of(self, records: pl.DataFrame, parsed: pl.DataFrame) -> pl.DataFrame:
        """The parsed rows with what is known of their records."""
        origin = records.select("offset", "redaction_count", *([ORIGIN] if len(self._splits) > 1 else []))
        if parsed.height != records.height or parsed["row"].n_unique() != parsed.height:
            origin = origin[parsed["row"]]
        frame = parsed.with_columns(origin.get_columns())
        frame = frame.with_columns(**self._constants(frame))
        observed = pl.lit(self._job.observed, pl.Datetime("us", "UTC"))
        source = pl.col("timestamp_source")
        frame = frame.with_columns(
            timestamp=pl.col("timestamp").fill_null(observed),
            timestamp_source=pl.when(pl.col("timestamp").is_null()).then(pl.lit("observed")).otherwise(source),
        )
        return self._with_resource(frame)

    def _with_resource(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What the resource says holds where the record itself says nothing; what no column is for is an attribute."""
        unmapped: dict[str, pl.Expr] = {}
        resources = [dict(split.resource) for split in self._splits]
        for name in dict.fromkeys(name for resource in resources for name in resource):
            value = self._told(frame, [resource.get(name) for resource in resources])
            column = name.replace(".", "_")
            if column not in SILVER_BY_NAME:
                unmapped[name] = value
                continue
            own = pl.col(column) if column in frame.columns else pl.lit(None, pl.String)
            frame = frame.with_columns(own.fill_null(value).alias(column))
        return fields.with_defaults(frame, unmapped) if unmapped else frame

    def _constants(self, frame: pl.DataFrame) -> dict[str, pl.Expr]:
        splits = self._splits
        return {
            "source": self._told(frame, [split.source for split in splits]),
            "generation": self._told(frame, [split.generation for split in splits]),
            "batch": pl.lit(self._job.batch),
            "collection": self._told(frame, [split.collection or self._job.collection for split in splits]),
            "observed_timestamp": pl.lit(self._job.observed, pl.Datetime("us", "UTC")),
        }

    def _told(self, frame: pl.DataFrame, values: Sequence[str | None]) -> pl.Expr:
        """What is told of the splits, for each row of a frame of theirs."""
        if len(values) == 1 or len(set(values)) == 1:
            return pl.lit(values[0])
        return pl.lit(pl.Series(values, dtype=pl.String).gather(frame[ORIGIN]))


def conform(frame: pl.DataFrame, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """Exactly the columns of a table; those that nothing filled are null."""
    return frame.select(
        pl.col(name) if name in frame.columns else pl.lit(None, dtype).alias(name) for name, dtype in schema.items()
    ).cast(schema)  # type: ignore[arg-type]


def _json(resource: tuple[tuple[str, str], ...]) -> str:
    return json.dumps(dict(resource), sort_keys=True)
