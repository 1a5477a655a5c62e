"""Compiles a figure of lines in windows to SQL: lines are folded into fine buckets first, and these into windows.

A window of a step ends with the step and does not contain its own begin, as with Loki. The fine buckets are as long as
the greatest length that divides the step and the window, so that each window is made of whole ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import gcd
from typing import TYPE_CHECKING

from logshed.logql import comparing, functions, rows
from logshed.search import sql
from logshed.search.model import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.logql.model import Grouping, Range, Unwrap
    from logshed.logql.rows import Row

MICROSECONDS = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_PLACED = 50_000_000
"""Fine buckets of one series times the windows that each is in: more would take minutes."""
EARLIEST, LATEST = -62_135_596_800_000_000, 253_402_300_799_000_000
"""Microseconds of the first and the last moment that a literal can name."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The moments at which a metric is told.

    Attributes:
        start: The first, in microseconds since 1970.
        step: Microseconds between two.
        last: The number of the last; the first is 0.
    """

    start: int
    step: int
    last: int

    def at(self, place: int) -> int:
        """Microseconds of one."""
        return self.start + place * self.step


@dataclass(frozen=True, slots=True)
class Series:
    """Series as SQL: the columns ``k`` (the step), one a label, and ``v``.

    Attributes:
        sql: The statement.
        labels: The labels' names.
    """

    sql: str
    labels: tuple[str, ...]


def column(label: str) -> str:
    """The column of a label: no label's name is that of another column."""
    return sql.name(f"l:{label}")


def moment(microseconds: int) -> datetime:
    """A moment, or the nearest that there is."""
    return _EPOCH + timedelta(microseconds=min(max(microseconds, EARLIEST), LATEST))


def series(of: Range, steps: Steps, wanted: Sequence[str], grouping: Grouping | None = None) -> Series:
    """A figure of lines at each step.

    Args:
        of: The figure.
        steps: The steps.
        wanted: Labels that what is around it groups by.
        grouping: How what is around it groups, where it may be computed so at once.

    Raises:
        Mistake: A stage is not supported.
    """
    found = rows.row(of.log)
    value = "1"
    if of.unwrap is not None:
        value, found = _number(found, of.unwrap)
    elif functions.of_range(of.function).of == "bytes":
        value = f"strlen({found.line})"
    names = _labels(found, of, wanted, grouping)
    window = _Window.of(of, steps)
    chosen = "".join(f", {found.label(name).text} AS {column(name)}" for name in names)
    begin = f'"timestamp" > {sql.time(moment(window.begin))} AND "timestamp" <= {sql.time(moment(window.end))}'
    number = "" if of.unwrap is None else f" AND {value} IS NOT NULL"
    bucket = f'(epoch_us("timestamp") - {window.begin} + {window.fine - 1}) // {window.fine}'
    lines = (
        f'SELECT epoch_us("timestamp") AS ts, {bucket} AS bucket{chosen}, {value} AS v\n'
        f"FROM logs WHERE {begin} AND {found.where}{number}"
    )
    return Series(_folded(of, lines, tuple(map(column, names)), window, steps), names)


@dataclass(frozen=True, slots=True)
class _Window:
    """The time that all windows cover, and what they are made of.

    Attributes:
        begin: The moment before its first, in microseconds.
        end: Its last.
        fine: Microseconds of a fine bucket; the first has the number 1.
        a_step: Fine buckets of a step.
        a_window: Fine buckets of a window.
    """

    begin: int
    end: int
    fine: int
    a_step: int
    a_window: int

    @classmethod
    def of(cls, of: Range, steps: Steps) -> _Window:
        first = steps.start - of.offset
        fine = gcd(steps.step, of.window) if steps.last else of.window
        end = first + steps.last * steps.step
        placed = (end - first + of.window) // fine * -(-of.window // steps.step) if steps.last else 1
        if placed > MOST_PLACED:
            advice = "take a longer step, a shorter window, or one that is a multiple of the step"
            raise Mistake("so long a window in so short steps is too much", advice, of.spot.at, of.spot.end)
        return cls(first - of.window, end, fine, steps.step // fine if steps.last else 1, of.window // fine)

    def places(self, last: int) -> str:
        """The steps whose windows contain a fine bucket."""
        first = f"greatest(bucket - {self.a_window} + {self.a_step - 1}, 0) // {self.a_step}"
        return f"unnest(range({first}, least((bucket - 1) // {self.a_step}, {last}) + 1))"


def _folded(of: Range, lines: str, names: tuple[str, ...], window: _Window, steps: Steps) -> str:
    function = functions.of_range(of.function)
    done = function.done.format(seconds=sql.number(of.window / MICROSECONDS), parameter=of.parameter)
    groups = "".join(f", {name}" for name in names)
    inner = lines
    if function.fold:
        inner = f"SELECT bucket{groups}, {function.fold}\nFROM ({lines}) GROUP BY bucket{groups}"
    kept = "a, b" if " AS b" in function.fold else "a" if function.fold else "ts, v"
    placed = f"SELECT {window.places(steps.last)} AS k{groups}, {kept}\nFROM ({inner})"
    return f"SELECT k{groups}, CAST({done} AS DOUBLE) AS v\nFROM ({placed}) GROUP BY k{groups}"


def _number(found: Row, unwrap: Unwrap) -> tuple[str, Row]:
    """What is unwrapped, and the record behind it."""
    unit = unwrap.conversion or "number"
    value = comparing.amount(found.label(unwrap.name), unit)
    return value, rows.after(found, unwrap.stages)


def _labels(found: Row, of: Range, wanted: Sequence[str], around: Grouping | None) -> tuple[str, ...]:
    """The labels of the series: those that are grouped by, else the streams' and what is made and wanted."""
    grouping = of.grouping or around
    if grouping is not None and not grouping.without:
        return grouping.names
    own = [name for name in found.names() if of.unwrap is None or name != of.unwrap.name]
    names = dict.fromkeys((*own, *wanted))
    left = () if grouping is None else grouping.names
    return tuple(name for name in names if name not in left)
