"""Cuts the records of a window into slices of time that are sorted one at a time: what years hold fits no memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logshed.errors import UsageError
from logshed.search import sql
from logshed.search.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from logshed.sql.result import Result

    Query = Callable[[str], Result]

SLICE_ROWS = 50_000
"""Records that are sorted at a time, about 20 MB with their lines; more only where one second has more."""
TELLS_TIME = "timestamp_source IS DISTINCT FROM 'observed'"
"""What holds for a record whose line has a time; others have the time when they were read."""
STEPS = (3600, 60, 1)
"""Seconds of the steps in which records are counted; a finer one where a coarser holds more than a slice."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records of a lake are replayed.

    Attributes:
        since: Their first moment; None begins with the first record.
        until: The first moment after; None ends with the last record.
        collections: Only of these; none are all.
        where: A condition in SQL over the columns of ``logs``, or None.
    """

    since: datetime | None = None
    until: datetime | None = None
    collections: tuple[str, ...] = ()
    where: str | None = None

    @property
    def scope(self) -> Scope:
        """The same for a statement.

        Raises:
            UsageError: The condition is none.
        """
        found = Scope(since=self.since, until=self.until)
        if self.collections:
            found = found.and_(f"collection IN ({', '.join(map(sql.literal, self.collections))})")
        return found.and_(condition(self.where)) if self.where else found


@dataclass(frozen=True, slots=True)
class Slice:
    """A time without gaps in which few records lie.

    Attributes:
        first: The time of its first record.
        last: The time of its last.
        rows: How many it has.
        inside: How many of them lie behind the first of an envelope.
        observed: When the first and when the last of them was read.
        told: The first and the last time that a record tells itself; None where none does.
    """

    first: datetime
    last: datetime
    rows: int
    inside: int
    observed: tuple[datetime, datetime]
    told: tuple[datetime | None, datetime | None]

    @property
    def where(self) -> str:
        """The condition on the time of its records."""
        return f'"timestamp" BETWEEN {sql.time(self.first)} AND {sql.time(self.last)}'

    def with_(self, other: Slice) -> Slice:
        """Both as one; the other is the later one."""
        first, last = zip(self.observed, other.observed, strict=True)
        rows, inside = self.rows + other.rows, self.inside + other.inside
        told = (self.told[0] or other.told[0], other.told[1] or self.told[1])
        return replace(self, last=other.last, rows=rows, inside=inside, observed=(min(first), max(last)), told=told)


def condition(text: str) -> str:
    """A user's condition as one term, which cannot reach beyond its brackets.

    Raises:
        UsageError: It is none.
    """
    from sqlglot import ParseError, TokenError, exp, parse  # noqa: PLC0415 - heavy, and only a condition needs it

    try:
        statements = parse(f"SELECT (\n{text}\n)", dialect="duckdb")
    except (ParseError, TokenError):
        statements = []
    selected = statements[0] if len(statements) == 1 else None
    if not isinstance(selected, exp.Select) or [type(one) for one in selected.expressions] != [exp.Paren]:
        raise UsageError(
            f"cannot use the condition {text!r}: it is none; write one over columns, such as "
            "--where 'http_response_status_code >= 500'"
        )
    return f"(\n{text}\n)"


def slices(query: Query, scope: Scope) -> list[Slice]:
    """The slices of what is looked at, in order; times without records are in none.

    Raises:
        logshed.errors.QueryError: The condition does not fit the columns.
    """
    return list(_merged(_counted(query, scope, STEPS)))


def _counted(query: Query, scope: Scope, steps: Sequence[int]) -> Iterator[Slice]:
    own = f'{{}}("timestamp") FILTER (WHERE {TELLS_TIME})'
    statement = f"""SELECT min("timestamp"), max("timestamp"), count(*), count(*) FILTER (WHERE item > 0),
  min(observed_timestamp), max(observed_timestamp), {own.format("min")}, {own.format("max")}
FROM logs WHERE {scope.where}
GROUP BY time_bucket(to_seconds({steps[0]}), "timestamp") ORDER BY 1"""
    for first, last, rows, inside, *times in query(statement).rows():
        found = Slice(first, last, rows, inside, (times[0], times[1]), (times[2], times[3]))
        if found.rows > SLICE_ROWS and steps[1:]:
            yield from _counted(query, scope.and_(found.where), steps[1:])
        else:
            yield found


def _merged(found: Iterator[Slice]) -> Iterator[Slice]:
    held: Slice | None = None
    for one in found:
        if held is not None and held.rows + one.rows <= SLICE_ROWS:
            held = held.with_(one)
        else:
            if held is not None:
                yield held
            held = one
    if held is not None:
        yield held
