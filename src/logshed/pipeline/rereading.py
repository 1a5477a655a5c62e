"""Reads rows of ``bronze.lines`` anew: by formats that are given or found, to rows of both tables."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import polars as pl

from logshed.errors import FormatError
from logshed.formats import adhoc, detect, registry
from logshed.formats.choice import Choice
from logshed.pipeline.planning import AUTO, without_headers
from logshed.pipeline.rejoining import PLACE, held_back, joins, rejoined
from logshed.pipeline.stages import Stages
from logshed.schema import BRONZE, polars_schema
from logshed.work import UNTIL_EOF, Split

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from logshed.pipeline.job import Job

SAMPLE = 1000
"""Rows of a source by which its format is told."""
ORIGIN = ["source", "generation", "collection", "resource"]
CHANGING = ["text", "line_count", "format", "parse_error", "redaction_count"]
"""Columns of ``bronze.lines`` that a reading may change."""


@dataclass(frozen=True, slots=True)
class Again:
    """What became of some rows.

    Attributes:
        lines: Rows of ``bronze.lines``, those joined that are one record.
        logs: Rows of ``silver.logs``.
        changed: Whether ``lines`` are other than they were.
    """

    lines: pl.DataFrame
    logs: pl.DataFrame
    changed: bool


class Reader:
    """Reads rows anew.

    Args:
        job: Policy, formats, enrichment.
        format_text: ``auto`` or the format choice for all rows.

    Raises:
        FormatError: There is no such format.
    """

    def __init__(self, job: Job, format_text: str = AUTO) -> None:
        self._job = job
        self._formats = registry.load(job.plugins)
        self._given = "" if format_text == AUTO else str(registry.check(Choice.parse(format_text), self._formats))
        self._known: dict[tuple[str, str, str], str] = {}
        self.lines: dict[tuple[str, str], int] = {}
        """Physical lines by the format that they were read with and the one that they are read with now."""

    def read(self, rows: pl.DataFrame) -> Iterator[Again]:
        """Read rows of any sources, those of each in their order."""
        for key, own in rows.group_by(ORIGIN, maintain_order=True):
            chosen = self._chosen(own)
            for (choice,), same in chosen.group_by("now", maintain_order=True):
                yield self._again(cast("tuple[str, str, str, str]", key), str(choice), same.drop("now"))

    def held_back(self, rows: pl.DataFrame) -> int:
        """From which row of one source on what comes next may belong to the last record."""
        choices = self._chosen(rows)["now"].unique().to_list()
        if len(choices) != 1 or not self._may_join(choices[0]):
            return rows.height
        return held_back(rows, [registry.find(name, self._formats) for name in Choice.parse(choices[0]).formats])

    def _again(self, origin: tuple[str, str, str, str], choice: str, rows: pl.DataFrame) -> Again:
        stages = self._stages(origin, choice, rows)
        for (before,), same in rows.group_by("format"):
            key = (str(before), choice)
            self.lines[key] = self.lines.get(key, 0) + int(same["line_count"].sum())
        joined, records = self._joined(stages, choice, rows)
        records, parsed, logs = stages.again(records)
        logs = _with_origin(logs, records[parsed["row"]], several=records.height > joined.height)
        lines = _lines(joined, records, parsed, choice)
        changed = lines.height != rows.height or not lines.select(CHANGING).equals(rows.select(CHANGING))
        return Again(lines, logs, changed)

    def _stages(self, origin: tuple[str, str, str, str], choice: str, rows: pl.DataFrame) -> Stages:
        source, generation, collection, resource = origin
        split = Split(source, "", generation, 0, UNTIL_EOF, choice, tuple(sorted(json.loads(resource).items())))
        observed = cast("datetime", rows["observed_timestamp"].max())
        return Stages(replace(self._job, collection=collection, observed=observed), split)

    def _joined(self, stages: Stages, choice: str, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        if not self._may_join(choice):
            return rows, rows.with_row_index(PLACE)
        forms = [registry.find(name, self._formats) for name in Choice.parse(choice).formats]
        return rejoined(rows, forms, stages.taken)

    def _may_join(self, choice: str) -> bool:
        found = Choice.parse(choice)
        forms, envelopes = (
            [registry.find(name, self._formats) for name in names] for names in (found.formats, found.envelopes)
        )
        return joins(forms, envelopes)

    def _chosen(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with the choice that they are read with (``now``)."""
        if self._given:
            return rows.with_columns(now=pl.lit(self._given))
        source, generation = rows["source"][0], rows["generation"][0]
        for (before,), same in rows.group_by("format", maintain_order=True):
            key = (source, generation, str(before))
            if key not in self._known:
                self._known[key] = self._found(str(before), same.head(SAMPLE))
        of = {
            before: now for (own, of_one, before), now in self._known.items() if (own, of_one) == (source, generation)
        }
        return rows.with_columns(now=pl.col("format").replace_strict(of, return_dtype=pl.String))

    def _found(self, before: str, sample: pl.DataFrame) -> str:
        """The choice that takes more of a sample: the one found in it, or the one that it was read with."""
        lines = sample.select(pl.col("text").str.split("\n").explode()).to_series()
        now = str(detect.detect(lines.head(SAMPLE), formats=self._formats).choice)
        if not now or without_headers(now) == without_headers(before):
            return before if self._exists(before) else now
        if not self._exists(before):
            return now
        old, new = self._score(before, sample), self._score(now, sample)
        own = any(name.partition(":")[0] in adhoc.KINDS for name in Choice.parse(before).names)
        return now if new[0] < old[0] or (new[0] == old[0] and not own and new[1] > old[1]) else before

    def _exists(self, choice: str) -> bool:
        try:
            registry.check(Choice.parse(choice), self._formats)
        except FormatError:
            return False  # it was taken away since, or renamed
        return True

    def _score(self, choice: str, sample: pl.DataFrame) -> tuple[int, int]:
        """Lines of a sample that a choice does not take, and the values that it fills."""
        stages = self._stages(cast("tuple[str, str, str, str]", sample.select(ORIGIN).row(0)), choice, sample)
        _, records = self._joined(stages, choice, sample)
        _, parsed, logs = stages.again(records)
        refused = records["line_count"].gather(parsed.filter(pl.col("parse_error").is_not_null())["row"]).sum()
        return int(refused), sum(logs.height - logs[name].null_count() for name in logs.columns)


def _with_origin(logs: pl.DataFrame, own: pl.DataFrame, *, several: bool) -> pl.DataFrame:
    """The rows with what their own line says of its reading; numbered where one line holds several records."""
    unknown = pl.col("timestamp_source") == "observed"
    found = logs.with_columns(own["batch"], own["observed_timestamp"]).with_columns(
        timestamp=pl.when(unknown).then(pl.col("observed_timestamp")).otherwise(pl.col("timestamp"))
    )
    if several:
        found = found.with_columns(item=pl.int_range(pl.len(), dtype=pl.Int32).over("offset"))
    return found


def _lines(rows: pl.DataFrame, records: pl.DataFrame, parsed: pl.DataFrame, choice: str) -> pl.DataFrame:
    """Rows of ``bronze.lines`` as their records are now: rejected where no format takes any part of one."""
    told = pl.DataFrame({PLACE: records[PLACE].gather(parsed["row"]), "parse_error": parsed["parse_error"]})
    error = told.group_by(PLACE).agg(
        pl.when(pl.col("parse_error").is_null().any())
        .then(None)
        .otherwise(pl.col("parse_error").first())
        .alias("error")
    )
    found = rows.with_columns(error.sort(PLACE)["error"].alias("parse_error"), format=pl.lit(choice))
    if records.height == rows.height:
        found = found.with_columns(records["text"], records["redaction_count"])
    else:
        texts = records.group_by(PLACE).agg(pl.col("text").str.join("\n")).sort(PLACE)
        found = found.with_columns(texts["text"])
    return found.select(list(polars_schema(BRONZE)))
