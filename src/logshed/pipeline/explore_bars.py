"""Counts the records of a window by steps of time, apart by severity or by the values of any field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from logshed.errors import UsageError
from logshed.pipeline.explore import as_text
from logshed.search import sql, statements
from logshed.search.context import written
from logshed.search.values import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from logshed.pipeline.explore import Query, Window

SEVERITY = "severity"
"""What bars are told apart by where no field is named: the level, and the status of requests that have none."""
TOP = 6
MOST_BARS = 1_000
_WEEKS = (1, 4, 13, 52, 260)
_WEEK = 604_800
_ANCHOR = datetime(2000, 1, 3, tzinfo=UTC)
"""From which DuckDB counts steps of time."""
_SEARCHES = {
    "fatal": "level:fatal",
    "error": "(level:error OR (-level:* status>=500))",
    "warn": "(level:warn OR (-level:* status:400..499))",
    "info": "level:info",
    "debug": "level:debug",
    "trace": "level:trace",
    "": "(-level:* -status>=400)",
}
"""How the records of each severity are found."""


@dataclass(frozen=True, slots=True)
class Series:
    """The bars of one value.

    Attributes:
        value: The value; None of all records without the field, and of those with another value where ``rest`` is set.
        search: The search that finds its records, to be added to the window's own.
        counts: Records of each step.
        rest: Whether it is all values that have no series of their own.
    """

    value: str | None
    search: str
    counts: list[int]
    rest: bool = False

    @property
    def total(self) -> int:
        """All of its records."""
        return sum(self.counts)


class Bars(NamedTuple):
    """The bars of a window.

    Attributes:
        begin: The first step's beginning.
        step: Seconds of a step.
        steps: How many there are, empty ones too.
        series: One a value, the most severe or the most frequent first.
        total: All records.
    """

    begin: datetime
    step: int
    steps: int
    series: list[Series]
    total: int


def bars(
    query: Query, window: Window, times: tuple[datetime, datetime], by: str = SEVERITY, *, top: int = TOP, step: int = 0
) -> Bars:
    """Count the records of each step of time, empty ones too.

    Args:
        query: Runs a statement.
        window: Which records.
        times: The first moment, and the first after.
        by: A field, or ``SEVERITY``.
        top: Of so many values records are counted apart, those of all others together.
        step: Seconds of a step; 0 takes one that gives about a screen of bars.

    Raises:
        UsageError: There is no such field, or a step is too short for the time.
    """
    since, until = times
    step = step or _step_for(max((until - since).total_seconds(), 1))
    begin = _floor(since, step)
    steps = max(1, -(-int((until - begin) / timedelta(microseconds=1)) // (step * 1_000_000)))
    if steps > MOST_BARS:
        raise UsageError(f"cannot count by {step} s: these are {steps:,} steps; take a longer one, or a shorter time")
    if by == SEVERITY:
        kind, made = statements.level_name(statements.severity_number()), _by_severity
    else:
        (field,) = statements.fields([by])
        leading = _leading(query, window, as_text(field), top)
        listed = ", ".join(map(sql.literal, leading)) or "NULL"
        text = as_text(field)
        kind = f"CASE WHEN {text} IN ({listed}) THEN {text} WHEN {text} IS NULL THEN '{_NONE}' ELSE '{_REST}' END"

        def made(counts: dict[str, list[int]]) -> list[Series]:
            return list(_by_value(by, leading, counts))

    scope = window.seen.within(since, until)
    bucket = f'time_bucket(to_seconds({step}), "timestamp")'
    rows = query(f"SELECT {bucket}, {kind}, count(*) FROM logs WHERE {scope.where} GROUP BY 1, 2").rows()
    counts = _spread(rows, begin, step, steps)
    return Bars(begin, step, steps, made(counts), sum(map(sum, counts.values())))


_NONE, _REST = "\x01none", "\x01rest"
"""Stand for what has no value and for all other values; no value of a log begins with this sign."""


def _step_for(seconds: float) -> int:
    """A step that gives about a screen of bars; of years it is one of weeks."""
    step = statements.step_for(seconds)
    if seconds / step <= statements.STEPS_AT_MOST:
        return step
    longer = (weeks * _WEEK for weeks in _WEEKS)
    return next((one for one in longer if seconds / one <= statements.STEPS_AT_MOST), _WEEKS[-1] * _WEEK)


def _leading(query: Query, window: Window, text: str, top: int) -> list[str]:
    """The values that most records have."""
    where = window.seen.and_(f"{text} IS NOT NULL").where
    statement = f"SELECT {text}, count(*) FROM logs WHERE {where} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {top}"
    return [str(value) for value, _ in query(statement).rows()]


def _by_severity(counts: dict[str, list[int]]) -> list[Series]:
    names = [*reversed(LEVELS), ""]
    return [Series(name or None, _SEARCHES[name], counts[name]) for name in names if name in counts]


def _by_value(by: str, leading: Sequence[str], counts: dict[str, list[int]]) -> Iterable[Series]:
    for value in leading:
        if value in counts:
            yield Series(value, f"{by}:{written(value)}", counts[value])
    if _REST in counts:
        others = ",".join(map(written, leading))
        yield Series(None, f"{by}:* -{by}:({others})", counts[_REST], rest=True)
    if _NONE in counts:
        yield Series(None, f"-{by}:*", counts[_NONE])


def _spread(rows: Sequence[tuple[Any, ...]], begin: datetime, step: int, steps: int) -> dict[str, list[int]]:
    """For each value the records of each step."""
    found: dict[str, list[int]] = {}
    for time, value, count in rows:
        place = int((time - begin).total_seconds()) // step
        found.setdefault(value or "", [0] * steps)[place] += count
    return found


def _floor(moment: datetime, step: int) -> datetime:
    """The beginning of the step that a moment lies in."""
    return _ANCHOR + timedelta(seconds=(moment - _ANCHOR) // timedelta(seconds=step) * step)
