"""Counts the records of a window by steps of time, apart by severity or by the values of any field."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from logshed.errors import UsageError
from logshed.pipeline.explore import MOMENT, as_text
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
"""From which steps of time are counted: a Monday, as DuckDB has it."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER = f"greatest(0, least({statements.severity_number()}, {max(LEVELS.values())}))"
"""A severity as one of few numbers: texts cost more than all else that is counted."""
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
    axis = _axis(times, step)
    if by == SEVERITY:
        return _severities(_counted(query, window, times, axis), axis, axis)
    (field,) = statements.fields([by])
    leading = _leading(query, window, as_text(field), top)
    listed = ", ".join(map(sql.literal, leading)) or "NULL"
    text = as_text(field)
    kind = f"CASE WHEN {text} IN ({listed}) THEN {text} WHEN {text} IS NULL THEN '{_NONE}' ELSE '{_REST}' END"
    where = window.seen.within(*times).where
    rows = query(f"SELECT {axis.place}, {kind}, count(*) FROM logs WHERE {where} GROUP BY 1, 2").rows()
    counts = _spread(rows, axis)
    return Bars(*axis, list(_by_value(by, leading, counts)), sum(map(sum, counts.values())))


@dataclass(frozen=True, slots=True)
class Counted:
    """Records that were counted by steps of time and by severity, and what the same scan told of where they lie.

    Attributes:
        near: Times of the records that come first on a page: of so many as were asked for, or of all.
        least: The time of the oldest record; None where there is none.
        most: The time of the newest one.
    """

    near: list[datetime]
    least: datetime | None
    most: datetime | None
    _rows: list[_Row]
    _axis: _Axis

    def bars(self, query: Query, window: Window, times: tuple[datetime, datetime]) -> Bars:
        """The bars of the same records, or of those of a part of their time; it takes a scan where steps are others.

        Args:
            query: Runs a statement.
            window: Which records.
            times: The first moment, and the first after.

        Raises:
            logshed.errors.QueryError: It cannot be counted.
        """
        axis = _axis(times)
        if axis.step != self._axis.step:
            return bars(query, window, times)
        return _severities(self._rows, self._axis, axis)


def counted(
    query: Query, window: Window, times: tuple[datetime, datetime], *, near: int = 0, oldest_first: bool = False
) -> Counted:
    """Count records by severity, and see in the same scan where they lie: few are found at once by their times.

    Args:
        query: Runs a statement.
        window: Which records.
        times: The first moment, and the first after.
        near: Of how many records the times are wanted.
        oldest_first: Of the oldest ones instead of the newest.

    Raises:
        logshed.errors.QueryError: It cannot be counted.
    """
    axis = _axis(times)
    which = f', {"min" if oldest_first else "max"}("timestamp", {near})' if near else ""
    found = _counted(query, window, times, axis, which)
    first = sorted((moment for row in found for moment in row.near), reverse=not oldest_first)[:near]
    least, most = (min(row.least for row in found), max(row.most for row in found)) if found else (None, None)
    return Counted(first, least, most, found, axis)


class _Axis(NamedTuple):
    """The steps of bars."""

    begin: datetime
    step: int
    steps: int

    @property
    def place(self) -> str:
        """A record's step as an expression: numbers take half of the time that moments do."""
        return f'(epoch_us("timestamp") - {(self.begin - _EPOCH) // MOMENT}) // {self.step * 1_000_000}'


class _Row(NamedTuple):
    """A step's records of one severity."""

    place: int
    number: int
    records: int
    least: datetime
    most: datetime
    near: Sequence[datetime] = ()


def _axis(times: tuple[datetime, datetime], step: int = 0) -> _Axis:
    since, until = times
    step = step or _step_for(max((until - since).total_seconds(), 1))
    begin = _floor(since, step)
    steps = max(1, -(-int((until - begin) / MOMENT) // (step * 1_000_000)))
    if steps > MOST_BARS:
        raise UsageError(f"cannot count by {step} s: these are {steps:,} steps; take a longer one, or a shorter time")
    return _Axis(begin, step, steps)


def _counted(query: Query, window: Window, times: tuple[datetime, datetime], axis: _Axis, more: str = "") -> list[_Row]:
    """The records of each step and severity."""
    told = f'count(*), min("timestamp"), max("timestamp"){more}'
    where = window.seen.within(*times).where
    rows = query(f"SELECT {axis.place}, {_NUMBER}, {told} FROM logs WHERE {where} GROUP BY 1, 2").rows()
    return [_Row(*row) for row in rows]


def _severities(rows: Sequence[_Row], axis: _Axis, fitting: _Axis) -> Bars:
    """Bars by severity of what was counted along an axis, along another one with the same steps."""
    ahead = (fitting.begin - axis.begin) // timedelta(seconds=axis.step)
    counts = _spread([(row.place - ahead, _level(row.number), row.records) for row in rows], fitting)
    return Bars(*fitting, _by_severity(counts), sum(map(sum, counts.values())))


_NONE, _REST = "\x01none", "\x01rest"
"""Stand for what has no value and for all other values; no value of a log begins with this sign."""


def _level(number: int) -> str:
    """The name of the level that a severity's number lies in; empty for none."""
    return next((name for name, least in reversed(LEVELS.items()) if number >= least), "")


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


def _spread(rows: Sequence[tuple[Any, ...]], axis: _Axis) -> dict[str, list[int]]:
    """For each value the records of each step."""
    found: dict[str, list[int]] = {}
    for place, value, count in rows:
        found.setdefault(value, [0] * axis.steps)[place] += count
    return found


def _floor(moment: datetime, step: int) -> datetime:
    """The beginning of the step that a moment lies in."""
    return _ANCHOR + timedelta(seconds=(moment - _ANCHOR) // timedelta(seconds=step) * step)
