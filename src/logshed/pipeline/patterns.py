"""Finds the templates of a lake's messages, reading them as a stream."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from logshed.patterns import Tally, fresh, templates_of
from logshed.patterns.summary import summary
from logshed.queries.times import EARLIEST, LATEST, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.sql.result import Result

    Query = Callable[[str, dict[str, object]], Result]

Change = Literal["new", "vanished"]

WINDOW, WINDOW_OF_CHANGES, BASELINE = "7d", "24h", "7d"
"""How far back is looked by default: for all templates, for changes, and how far before the window for these."""
ROWS_AT_ONCE = 262_144
"""Messages that are counted together: enough that most of them are the same once digits are left out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which messages are looked at.

    Attributes:
        since: First moment.
        until: First moment after.
        collection: The only collection, or None.
        service: The only service, or None.
        where: A condition in SQL over the columns of ``logs``, or None.
    """

    since: datetime
    until: datetime
    collection: str | None = None
    service: str | None = None
    where: str | None = None

    @property
    def condition(self) -> str:
        """The condition; a comment at the end of the user's own ends with its line."""
        own = f" AND (\n{self.where}\n)" if self.where else ""
        return (
            "timestamp >= $since AND timestamp < $until AND ($collection IS NULL OR collection = $collection)"
            f" AND ($service IS NULL OR service_name = $service){own}"
        )

    @property
    def values(self) -> dict[str, object]:
        """The values of its parameters."""
        return {
            "since": self.since,
            "until": self.until,
            "collection": self.collection,
            "service": self.service,
        }


@dataclass(frozen=True, slots=True)
class Patterns:
    """The templates of a time.

    Attributes:
        frame: One row a template with the columns of ``logshed.patterns.summary.SUMMARY``, most frequent first; where
            changes were asked for, only what changed.
        since: First moment of the window.
        until: First moment after it.
        baseline: First moment of the time before it that it was compared with, or None.
        messages: Messages in the window.
        before: Messages in the baseline.
        tokens: By how many of their first tokens messages were compared; less than 128 only where too many differ.
    """

    frame: pl.DataFrame
    since: datetime
    until: datetime
    baseline: datetime | None
    messages: int
    before: int
    tokens: int


def window(
    since: str | datetime | None,
    until: str | datetime | None,
    default: str,
    *,
    now: datetime | None = None,
    timezone: str = "UTC",
) -> tuple[datetime, datetime]:
    """The moments that a window's texts name.

    Args:
        since: First moment, a text as ``times.moment`` reads it; None takes ``default`` before ``until``.
        until: First moment after; None takes every record that there is.
        default: How long the window is where nothing says when it begins.
        now: The present; None takes the clock.
        timezone: The zone of days and of times that name none.

    Raises:
        logshed.errors.UsageError: A text is no time.
    """
    present = now or datetime.now(UTC)

    def read(text: str | datetime, reference: datetime) -> datetime:
        return text if isinstance(text, datetime) else moment(text, now=reference, timezone=timezone)

    end = LATEST if until is None else read(until, present)
    begin = read(default, present if until is None else end) if since is None else read(since, present)
    return begin, end


def patterns(query: Query, asked: Asked) -> Patterns:
    """The templates of the messages.

    Args:
        query: Runs a statement with parameters.
        asked: Which messages.

    Raises:
        logshed.errors.QueryError: The condition is wrong.
    """
    tally = read(query, asked)
    counts = tally.frame
    found = summary(counts, templates_of(counts["masked"]))
    return Patterns(found, asked.since, asked.until, None, tally.messages, 0, tally.tokens)


def changes(query: Query, asked: Asked, baseline: str | datetime, change: Change) -> Patterns:
    """The templates that are new in the window, or have vanished from it.

    Args:
        query: Runs a statement with parameters.
        asked: Which messages; its times are the window.
        baseline: How long the time before is, such as ``7d``, or when it begins.
        change: Which of both.

    Raises:
        logshed.errors.QueryError: The condition is wrong.
        logshed.errors.UsageError: The baseline is no time.
    """
    begin = moment(baseline, now=asked.since) if isinstance(baseline, str) else baseline
    earlier = Asked(max(begin, EARLIEST), asked.since, asked.collection, asked.service, asked.where)
    before, now = read(query, earlier), read(query, asked)
    found = fresh(before, now).filter(pl.col("change") == change).drop("change")
    tokens = min(before.tokens, now.tokens)
    return Patterns(found, asked.since, asked.until, begin, now.messages, before.messages, tokens)


def read(query: Query, asked: Asked) -> Tally:
    """Count the messages, in memory that does not grow with their number.

    Raises:
        logshed.errors.QueryError: The condition is wrong.
    """
    where = f"body IS NOT NULL AND {asked.condition}"
    ((first, last),) = query(f"SELECT min(timestamp), max(timestamp) FROM logs WHERE {where}", asked.values).rows()
    tally = Tally(first, last)
    if first is None:
        return tally
    columns = "body, timestamp, severity_number, severity_text, service_name"
    with query(f"SELECT {columns} FROM logs WHERE {where}", asked.values) as result:
        for rows in _frames(result):
            tally.add(rows)
    return tally


def _frames(result: Result) -> Iterator[pl.DataFrame]:
    """The rows in frames of a good size: a batch of the engine's is a quarter of it."""
    held: list[Any] = []
    rows = 0
    for batch in result.batches():
        held.append(pl.from_arrow(batch))
        rows += batch.num_rows
        if rows >= ROWS_AT_ONCE:
            yield pl.concat(held)
            held, rows = [], 0
    if held:
        yield pl.concat(held)
