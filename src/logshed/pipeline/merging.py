"""Merges the records of several files by time, in a stream: for reading logs without a lake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from logshed.errors import UsageError
from logshed.pipeline.fields import attributes_in, with_fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logshed.pipeline.passing import Pass
    from logshed.pipeline.planning import Plan
    from logshed.pipeline.stages import Refined

SERVER_ERROR, CLIENT_ERROR = 500, 400
ERROR, WARNING = 17, 13
"""OpenTelemetry's first severity numbers of the ranges ERROR and WARN."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records to show.

    Attributes:
        severity: Least severity number; 0 takes all, also those without one.
        pattern: Regular expression (Rust's) searched in the redacted text, or None.
        where: SQL condition over the columns of ``logs``, or None.
    """

    severity: int = 0
    pattern: str | None = None
    where: str | None = None


def merged(passing: Pass, paths: Sequence[str], wanted: Wanted) -> Iterator[pl.DataFrame]:
    """The records of all files in the order of their times.

    A record without a time stands where it stood, behind the one before it. Of each file one frame is in hand: what a
    file has out of order is put in order within a frame.

    Args:
        passing: Reads the files, redaction first.
        paths: Files, folders, globs, or ``-``.
        wanted: Which records to give out.

    Yields:
        Frames of ``time`` (µs since the epoch, never falling), ``severity``, ``file`` and ``text``.

    Raises:
        SourceError: Nothing can be read.
        UsageError: The pattern or the condition is wrong.
    """
    _check(wanted.pattern)
    plans = passing.plans(paths)
    if not plans:
        passing.check()
    waiting = [_file(passing, plan, wanted) for plan in plans]
    heads: list[pl.DataFrame | None] = [next(one, None) for one in waiting]
    while any(head is not None for head in heads):
        bound = min(head["time"][-1] for head in heads if head is not None)
        ready = []
        for place, head in enumerate(heads):
            if head is None:
                continue
            taken = int(head["time"].search_sorted(bound, side="right"))
            ready.append(head.head(taken))
            rest = head.slice(taken)
            heads[place] = rest if rest.height else next(waiting[place], None)
        frame = pl.concat(ready).sort("time", maintain_order=True)
        chosen = frame.filter("shown").drop("shown")
        if chosen.height:
            yield chosen


def _check(pattern: str | None) -> None:
    try:
        pl.Series([""]).str.contains(pattern or "")
    except pl.exceptions.ComputeError as error:
        cause = str(error).splitlines()[-1]
        raise UsageError(f"cannot search for {pattern!r}: {cause}; correct the regular expression") from None


def _file(passing: Pass, plan: Plan, wanted: Wanted) -> Iterator[pl.DataFrame]:
    """A file's frames; the time never falls from one record to the next."""
    last = 0
    for split in plan.splits:
        for refined in passing.frames(split):
            frame = _rows(refined, wanted, plan.target.path, last)
            if frame.height:
                last = frame["time"][-1]
                yield frame


def _rows(refined: Refined, wanted: Wanted, file: str, last: int) -> pl.DataFrame:
    try:
        facts = _facts(refined.logs, wanted)
    except pl.exceptions.PolarsError as error:
        cause = str(error).splitlines()[0]
        raise UsageError(f"cannot filter by {wanted.where}: {cause}; see docs/reference/columns.md") from None
    rows = refined.lines.join(facts, on="offset", how="left", maintain_order="left")
    shown = pl.col("hit").fill_null(value=False)
    if wanted.pattern is not None:
        shown &= pl.col("text").str.contains(wanted.pattern)
    found = rows.select(
        pl.col("time").forward_fill().fill_null(last),
        pl.col("severity").fill_null(0),
        pl.lit(file).alias("file"),
        pl.col("text"),
        shown.alias("shown"),
    )
    return found.sort("time", maintain_order=True).with_columns(pl.col("time").clip(last))


def _facts(logs: pl.DataFrame, wanted: Wanted) -> pl.DataFrame:
    """Of each record its time, the severity by which it is coloured, and whether it is wanted."""
    own = pl.when(pl.col("timestamp_source") != "observed").then(pl.col("timestamp").dt.epoch("us"))
    status = pl.col("http_response_status_code")
    severity = pl.coalesce(
        "severity_number",
        pl.when(status >= SERVER_ERROR).then(ERROR).when(status >= CLIENT_ERROR).then(WARNING),
    )
    rows = with_fields(logs, attributes_in([wanted.where]))
    hit = pl.sql_expr(wanted.where).cast(pl.Boolean) if wanted.where else pl.lit(value=True)
    if wanted.severity:
        hit &= severity >= wanted.severity
    facts = rows.select(
        "offset", own.alias("time"), severity.alias("severity"), hit.fill_null(value=False).alias("hit")
    )
    return facts.group_by("offset", maintain_order=True).agg(
        pl.col("time").first(), pl.col("severity").max(), pl.col("hit").any()
    )
