"""Runs searches over a lake: newest first in slices of time, with what is around, counted, and what arrives."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from logshed.queries.times import EARLIEST, LATEST, moment
from logshed.search import parse, statements
from logshed.search.compiler import condition
from logshed.search.model import Mistake
from logshed.search.scope import Scope
from logshed.search.sql import literal
from logshed.search.sql import time as sql_time
from logshed.sql.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    Query = Callable[[str], Result]

WINDOW = "7d"
"""How far back is looked by default."""
SLICE_ROWS = 200_000
"""Records that are sorted at a time: all columns of so many are about 300 MB on their way."""
FIRST_ROWS = 20_000
"""Records that are looked at first, so that something is there soon; an hour is the least."""
_LATE = timedelta(hours=1)
"""How much older than the newest a batch may be that appears later: ingests run beside each other."""
SECONDS_BETWEEN_POLLS = 2.0


@dataclass(frozen=True, slots=True)
class Search:
    """A search that is understood: its scope, and what of it is shown.

    Attributes:
        scope: Which records.
        fields: Their fields in order; none are all columns.
        limit: At most so many; None shows all.
        oldest_first: Oldest first instead of newest.
    """

    scope: Scope
    fields: tuple[str, ...] = ()
    limit: int | None = None
    oldest_first: bool = False

    @property
    def sql(self) -> str:
        """The statement that gives the same records at once."""
        return statements.records(self.scope, self.fields, limit=self.limit, oldest_first=self.oldest_first)


def understood(
    text: str,
    *,
    since: str | datetime | None = None,
    until: str | datetime | None = None,
    collection: str | None = None,
    now: datetime | None = None,
    timezone: str = "UTC",
) -> Scope:
    """The records that a search means.

    Args:
        text: The search.
        since: First moment, a text as ``times.moment`` reads it; None takes ``WINDOW`` before ``until``.
        until: First moment after; None takes every record that there is.
        collection: The only collection, or None.
        now: The present; None takes the clock.
        timezone: The zone of days and of times that name none.

    Raises:
        logshed.errors.QueryError: The text is wrong; the error points at the place.
        logshed.errors.UsageError: A time is none.
    """
    present = now or datetime.now(UTC)

    def read(value: str | datetime, reference: datetime = present) -> datetime:
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
        return moment(value, now=reference, timezone=timezone)

    tree = parse(text)
    try:
        compiled = condition(tree, read)
    except Mistake as mistake:
        raise mistake.told(text) from None
    end = LATEST if until is None else read(until)
    begin = read(WINDOW, present if until is None else end) if since is None else read(since)
    return Scope(compiled, None if begin <= EARLIEST else begin, None if end >= LATEST else end, collection)


def found(search: Search, query: Query) -> Result:
    """The records of a search, as they come.

    They are sorted in slices of time, from the end that is wanted first: the first rows are there soon, memory is
    bounded, and with a limit the rest of the time is not read at all.
    """
    statements.fields(search.fields)
    slices = _Slices(search, query)
    first_scope = slices.after(None)
    first = query(replace(search, scope=first_scope).sql)

    def batches() -> Iterator[pa.RecordBatch]:
        left, result = search.limit, first
        while True:
            rows = 0
            for batch in result.batches():
                rows += batch.num_rows
                yield batch
            left = None if left is None else left - rows
            if slices.done or (left is not None and left <= 0):
                return
            result = query(replace(search, scope=slices.after(rows), limit=left).sql)

    return Result(first.schema, batches(), close=first.close, files_read=first.files_read)


class _Slices:
    """A search's time in slices of whole hours that give about ``SLICE_ROWS`` records each, wanted ones first.

    How many records of the next slice match is guessed from the one before it.
    """

    def __init__(self, search: Search, query: Query) -> None:
        self._scope = search.scope
        self._oldest_first = search.oldest_first
        counts = query(statements.hours(search.scope)).rows()
        self._hours = [(datetime.fromtimestamp(hour * statements.HOUR, UTC), records) for hour, records in counts]
        if search.oldest_first:
            self._hours.reverse()
        self._place = 0
        self._edge = search.scope.since if search.oldest_first else search.scope.until
        self._looked_at = 0

    @property
    def done(self) -> bool:
        """Whether no slice is left."""
        return self._place >= len(self._hours)

    def after(self, matched: int | None) -> Scope:
        """The next slice, when so many records of the one before it have matched."""
        share = 1.0 if matched is None else max(matched, 1) / max(self._looked_at, 1)
        begin, rows, most = self._place, 0, FIRST_ROWS if matched is None else SLICE_ROWS
        while not self.done and (self._place == begin or (rows + self._hours[self._place][1]) * share <= most):
            rows += self._hours[self._place][1]
            self._place += 1
        self._looked_at = rows
        edge = self._edge
        if self._oldest_first:
            self._edge = self._scope.until if self.done else self._hours[self._place][0]
            return self._scope.within(edge, self._edge)
        self._edge = self._scope.since if self.done else self._hours[self._place - 1][0]
        return self._scope.within(self._edge, edge)


def arriving(
    search: Search, query: Query, *, every: float = SECONDS_BETWEEN_POLLS, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Result]:
    """What matches of batches that are committed from now on, oldest first, for ever.

    Args:
        search: What to look for; its time is not regarded, since what arrives late counts too.
        query: Runs a statement.
        every: Seconds between two looks.
        sleep: Waits so many seconds.
    """
    arrivals = Arrivals(search, query)  # now, not when the first result is asked for

    def results() -> Iterator[Result]:
        while True:
            sleep(every)
            fresh = arrivals.look()
            if fresh is not None:
                yield fresh

    return results()


class Arrivals:
    """What matches of batches that are committed from now on.

    Args:
        search: What to look for; its time is not regarded, since what arrives late counts too.
        query: Runs a statement.
    """

    def __init__(self, search: Search, query: Query) -> None:
        self._search, self._query = search, query
        self._seen = _batches(query, datetime.now(UTC) - _LATE)

    def look(self) -> Result | None:
        """What came since the last look, oldest first; None where nothing was committed."""
        floor = datetime.now(UTC) - _LATE
        fresh = sorted(_batches(self._query, floor) - self._seen)
        if not fresh:
            return None
        self._seen.update(fresh)
        return self._query(_arrived(self._search, floor, fresh))


def of_batches(search: Search, batches: Sequence[str]) -> str:
    """The statement for what matches of some batches that came lately, oldest first.

    Args:
        search: What to look for; its time is not regarded.
        batches: The batches.
    """
    return _arrived(search, datetime.now(UTC) - _LATE, batches)


def _batches(query: Query, since: datetime) -> set[str]:
    """The batches with records that were read since then; only new data files are opened for it."""
    scope = Scope().and_(_observed(since))
    return {row[0] for row in query(f"SELECT DISTINCT batch FROM logs WHERE {scope.where}").rows()}


def _arrived(search: Search, floor: datetime, batches: Sequence[str]) -> str:
    listed = ", ".join(map(literal, batches))
    scope = search.scope.within(None, None).and_(f"{_observed(floor)} AND batch IN ({listed})")
    return replace(search, scope=scope, limit=None, oldest_first=True).sql


def _observed(since: datetime) -> str:
    return f"observed_timestamp >= {sql_time(since)}"
