"""Gives the records of a window page by page: their places first, by few columns, then all columns of few records."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from logshed.pipeline.explore_places import BACKWARD, MICROSECOND, ORDER_FORWARD, Cursor, Place
from logshed.pipeline.explore_records import columns
from logshed.search import sql
from logshed.search.scope import Scope
from logshed.search.statements import ORDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

    from logshed.pipeline.explore import Query, Window
    from logshed.sql.result import Result

_PARTS = (64, 8)
"""Which parts of a window's time are looked at before all of it."""


class Page(NamedTuple):
    """Some records.

    Attributes:
        result: The records.
        next: Where the next page goes on; None where there is none.
    """

    result: Result
    next: str | None


def page(
    query: Query,
    window: Window,
    fields: Sequence[str] = (),
    *,
    limit: int,
    cursor: str | None = None,
    skip: int = 0,
    edge: datetime | None = None,
    oldest_first: bool = False,
) -> Page:
    """A page of records, newest first.

    Their places are found first, by few columns of many records, and then all columns of few: that is quick over many
    millions of records, however far back a page lies. Of a window with both ends the time that comes first is looked at
    first.

    Args:
        query: Runs a statement.
        window: Which records.
        fields: Their fields; none are all columns.
        limit: Records of a page.
        cursor: Where the page before ended; its times and its newest batch count, not the window's.
        skip: Leave out so many records first.
        edge: Up to where the page's records probably lie: a long way there is found sooner. A wrong one costs time.
        oldest_first: Oldest first instead.

    Raises:
        UsageError: There is no such field, or the cursor is none.
    """
    way = _Way(oldest_first)
    scope = window.seen
    if cursor is not None:
        begin = Cursor.read(cursor)
        window = replace(window, scope=window.scope.within(begin.since, begin.until), newest=begin.newest)
        scope = window.seen.and_(begin.place.beyond(way.sign))
        places = _nearest(query, scope, way, limit + 1, begin.place.timestamp)
    elif skip or edge is not None:
        near = scope if edge is None else scope.and_(f'"timestamp" {"<" if oldest_first else ">="} {sql.time(edge)}')
        places = _places(query, near, way, limit + 1, skip)
        if edge is not None and len(places) <= limit:
            places = _places(query, scope, way, limit + 1, skip)
    else:
        places = _nearest(query, scope, way, limit + 1)
    shown = places[:limit]
    result = query(_chosen(scope, fields, way, shown, limit))
    return Page(result, _ahead(window, shown[-1]) if len(places) > limit else None)


class Rows(NamedTuple):
    """Some records that are there already.

    Attributes:
        frame: The records.
        next: Where the next page goes on; None where there is none.
    """

    frame: pl.DataFrame
    next: str | None


def first(
    query: Query, window: Window, fields: Sequence[str] = (), *, limit: int, oldest_first: bool = False
) -> Rows | None:
    """The first page, where it lies in the part of the window's time that comes first; None where that has too few.

    Args:
        query: Runs a statement.
        window: Which records, between two moments.
        fields: Their fields; none are all columns.
        limit: Records of a page.
        oldest_first: Oldest first instead of newest.
    """
    way = _Way(oldest_first)
    nearest = next(iter(_slices(window.scope, way, None)))
    scope = window.seen.within(*nearest)
    places = _places(query, scope, way, limit + 1)
    if len(places) <= limit and nearest != (window.scope.since, window.scope.until):
        return None
    shown = places[:limit]
    frame = query(_chosen(scope, fields, way, shown, limit)).pl()
    return Rows(frame, _ahead(window, shown[-1]) if len(places) > limit else None)


def at_times(
    query: Query,
    window: Window,
    times: Sequence[datetime],
    fields: Sequence[str] = (),
    *,
    limit: int,
    oldest_first: bool = False,
) -> Rows:
    """The first page, where the times of its records are known: no other rows are looked at.

    Args:
        query: Runs a statement.
        window: Which records.
        times: The times of the first records, of one more than a page has, or of all.
        fields: Their fields; none are all columns.
        limit: Records of a page.
        oldest_first: Oldest first instead of newest.
    """
    way = _Way(oldest_first)
    scope = window.seen.within(None, None).and_(_among(times)) if times else Scope("false")
    found = query(f"SELECT {columns(fields)} FROM logs WHERE {scope.where} ORDER BY {way.order} LIMIT {limit + 1}").pl()
    shown = found.head(limit)
    if found.height <= limit:
        return Rows(shown, None)
    last = shown.select(ORDER).row(-1)
    return Rows(shown, _ahead(window, Place(*last)))


class _Way(NamedTuple):
    """In which order records come."""

    oldest_first: bool

    @property
    def sign(self) -> str:
        return ">" if self.oldest_first else "<"

    @property
    def back(self) -> str:
        return "<" if self.oldest_first else ">"

    @property
    def order(self) -> str:
        return ORDER_FORWARD if self.oldest_first else BACKWARD


def _chosen(scope: Scope, fields: Sequence[str], way: _Way, shown: Sequence[Place], limit: int) -> str:
    """The statement that gives the records of places with all of their columns."""
    if shown:
        ends = f"{shown[0].beyond(way.sign, itself=True)} AND {shown[-1].beyond(way.back, itself=True)}"
        scope = scope.within(None, None).and_(ends).and_(_among([place.timestamp for place in shown]))
    else:
        scope = Scope("false")
    return f"SELECT {columns(fields)} FROM logs WHERE {scope.where} ORDER BY {way.order} LIMIT {limit}"


def _among(times: Sequence[datetime]) -> str:
    """The condition that a record is of one of some moments: what lies between them is passed over unread."""
    listed = ", ".join(map(sql.time, dict.fromkeys(times)))
    return f'"timestamp" IN ({listed}) AND "timestamp" BETWEEN {sql.time(min(times))} AND {sql.time(max(times))}'


def _ahead(window: Window, last: Place) -> str:
    return Cursor(last, window.scope.since, window.scope.until, window.newest).text()


def _nearest(query: Query, scope: Scope, way: _Way, limit: int, begin: datetime | None = None) -> list[Place]:
    """The places that come first, looked for in the time that comes first, then in more of it."""
    found: list[Place] = []
    for since, until in _slices(scope, way, begin):
        found += _places(query, scope.within(since, until), way, limit - len(found))
        if len(found) >= limit:
            break
    return found


def _slices(scope: Scope, way: _Way, begin: datetime | None) -> Iterator[tuple[datetime | None, datetime | None]]:
    """The times of a scope in the order of records, a short one first; of one without ends all at once."""
    since, until = scope.since, scope.until
    if begin is not None:
        since, until = (begin, until) if way.oldest_first else (since, begin + MICROSECOND)
    if since is None or until is None or since >= until:
        yield since, until
        return
    known, span = timedelta(0), until - since
    for part in (*_PARTS, 1):
        far = span // part
        near, known = known, far
        yield (since + near, since + far) if way.oldest_first else (until - far, until - near)


def _places(query: Query, scope: Scope, way: _Way, limit: int, skip: int = 0) -> list[Place]:
    keys = f"SELECT {ORDER_FORWARD} FROM logs WHERE {scope.where} ORDER BY {way.order} LIMIT {limit}"
    return [Place(*row) for row in query(f"{keys} OFFSET {skip}" if skip else keys).rows()]
