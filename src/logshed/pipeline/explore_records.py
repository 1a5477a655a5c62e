"""Gives the records of a window page by page, one record, and the ones around it in its source."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from logshed.errors import UsageError
from logshed.schema import UNMAPPED
from logshed.search import sql, statements
from logshed.search.fields import RECORD_ID
from logshed.search.scope import Scope
from logshed.search.statements import EVERY_FIELD, ORDER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.pipeline.explore import Query, Window
    from logshed.search.fields import Field
    from logshed.sql.result import Result

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
AROUND = 10
"""Records before a record and behind it."""
ORDER_FORWARD = ", ".join(map(sql.quoted, ORDER))
BACKWARD = ", ".join(f"{sql.quoted(name)} DESC" for name in ORDER)
_REST = ", ".join(map(sql.quoted, ORDER[1:]))


class Place(NamedTuple):
    """A record's place in the order of records."""

    timestamp: datetime
    source: str
    generation: str
    offset: int
    item: int

    def beyond(self, sign: str, *, itself: bool = False) -> str:
        """The condition that a record lies on one side of it.

        Args:
            sign: ``<`` for older records, ``>`` for newer ones.
            itself: Whether it counts too.
        """
        time = sql.time(self.timestamp)
        names = f"({sql.literal(self.source)}, {sql.literal(self.generation)}, {self.offset}, {self.item})"
        close = f"({_REST}) {sign}{'=' * itself} {names}"
        return f'"timestamp" {sign}= {time} AND ("timestamp" {sign} {time} OR ({close}))'


class Cursor(NamedTuple):
    """Where a page ended, and of which window: given back, the next page has what follows."""

    place: Place
    since: datetime | None
    until: datetime | None
    newest: str | None

    def text(self) -> str:
        """It as a text that says nothing to people."""
        place = [_micros(self.place.timestamp), *self.place[1:]]
        told = [*place, _micros(self.since), _micros(self.until), self.newest]
        return base64.urlsafe_b64encode(orjson.dumps(told)).rstrip(b"=").decode()

    @classmethod
    def read(cls, text: str) -> Cursor:
        """The cursor of a text.

        Raises:
            UsageError: It is none.
        """
        try:
            time, source, generation, offset, item, since, until, newest = orjson.loads(
                base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            )
            place = Place(_moment(time), str(source), str(generation), int(offset), int(item))
            begin, end = (None if one is None else _moment(one) for one in (since, until))
            return cls(place, begin, end, None if newest is None else str(newest))
        except (ValueError, TypeError, OverflowError):
            raise UsageError("cannot go on from this cursor: it is none; take `next` of the page before") from None


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
    millions of records, however far back a page lies.

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
    chosen = columns(fields)
    sign, order = (">", ORDER_FORWARD) if oldest_first else ("<", BACKWARD)
    scope = window.seen
    if cursor is not None:
        begin = Cursor.read(cursor)
        window = replace(window, scope=window.scope.within(begin.since, begin.until), newest=begin.newest)
        scope = window.seen.and_(begin.place.beyond(sign))
    near = scope if edge is None else scope.and_(f'"timestamp" {"<" if oldest_first else ">="} {sql.time(edge)}')
    places = _places(query, near, order, limit + 1, skip)
    if edge is not None and len(places) <= limit:
        places = _places(query, scope, order, limit + 1, skip)
    shown = places[:limit]
    if shown:
        back = "<" if sign == ">" else ">"
        ends = f"{shown[0].beyond(sign, itself=True)} AND {shown[-1].beyond(back, itself=True)}"
        scope = scope.within(None, None).and_(ends)
    else:
        scope = Scope("false")
    result = query(f"SELECT {chosen} FROM logs WHERE {scope.where} ORDER BY {order} LIMIT {limit}")
    more = len(places) > limit
    ahead = Cursor(shown[-1], window.scope.since, window.scope.until, window.newest).text() if more else None
    return Page(result, ahead)


def _places(query: Query, scope: Scope, order: str, limit: int, skip: int) -> list[Place]:
    keys = f"SELECT {ORDER_FORWARD} FROM logs WHERE {scope.where} ORDER BY {order} LIMIT {limit}"
    return [Place(*row) for row in query(f"{keys} OFFSET {skip}" if skip else keys).rows()]


def one(query: Query, record_id: str, time: datetime | None = None) -> dict[str, Any] | None:
    """A record with all of its columns; None where it is not there.

    Args:
        query: Runs a statement.
        record_id: Its ``record_id``.
        time: Its time, by which it is found at once; None reads the sources of all records.
    """
    scope = Scope(f"{RECORD_ID} = {sql.literal(record_id)}")
    if time is not None:
        scope = scope.within(time, time + timedelta(milliseconds=1))
    found = query(f"SELECT {columns(())} FROM logs WHERE {scope.where} LIMIT 1").arrow()
    return found.to_pylist(maps_as_pydicts="lossy")[0] if found.num_rows else None


def around(query: Query, record: dict[str, Any], count: int = AROUND, fields: Sequence[str] = ()) -> list[Result]:
    """The records before a record in its source, and those behind it, both in the source's order.

    Args:
        query: Runs a statement.
        record: The record, with its source, generation, offset and item.
        count: How many on either side.
        fields: Their fields; none are all columns.
    """
    source = f"source = {sql.literal(record['source'])} AND generation = {sql.literal(record['generation'])}"
    own = f"{source} AND collection = {sql.literal(record['collection'])}"
    place = f"{int(record['offset'])}, {int(record['item'])}"
    found = []
    for sign, order in (("<", " DESC"), (">", "")):
        offset = f'"offset" {sign}= {int(record["offset"])} AND ("offset", item) {sign} ({place})'
        inner = f'SELECT * FROM logs WHERE {own} AND {offset} ORDER BY "offset"{order}, item{order} LIMIT {count}'
        found.append(query(f'SELECT {columns(fields)} FROM ({inner}) ORDER BY "offset", item'))
    return found


def own(record: dict[str, Any]) -> str:
    """The statement that gives a record itself, with the columns that pages have."""
    place = Place(*(record[name] for name in ORDER))
    near = Scope(f"{place.beyond('<', itself=True)} AND {place.beyond('>', itself=True)}")
    return f"SELECT {columns(())} FROM logs WHERE {near.where} LIMIT 1"


def raw(query: Query, record: dict[str, Any]) -> str | None:
    """The line that a record was read from, as it was received after redaction; None where it is no longer kept."""
    read, day = record["observed_timestamp"], timedelta(days=1)  # the table's files are one of a day
    where = (
        f"source = {sql.literal(record['source'])} AND generation = {sql.literal(record['generation'])}"
        f' AND "offset" = {int(record["offset"])} AND observed_timestamp >= {sql.time(read - day)}'
        f" AND observed_timestamp <= {sql.time(read + day)}"
    )
    rows = query(f"SELECT text FROM lines WHERE {where} LIMIT 1").rows()
    return str(rows[0][0]) if rows else None


def columns(fields: Sequence[str]) -> str:
    """What is selected: the fields that are asked for, and always what a record is found by and coloured by."""
    always = ("record_id", *ORDER)
    asked = [field for field in statements.fields(fields) if field.label not in always]
    named = list(map(_shown, dict.fromkeys(asked))) if fields else list(map(sql.quoted, EVERY_FIELD))
    fixed = [RECORD_ID, *map(sql.quoted, ORDER)] if fields else [RECORD_ID]
    level = [] if any(field.kind == "level" for field in asked) else [f"{statements.level_name()} AS level"]
    severity = f"{statements.level_name(statements.severity_number())} AS severity"
    return ", ".join([*fixed, *level, severity, *named])


def _shown(field: Field) -> str:
    """A field under its name; an attribute that is called as a column is under one that tells it from that."""
    if field.kind == "attribute" and field.label in {*EVERY_FIELD, RECORD_ID, "level", "severity"}:
        return f"{field.sql} AS {sql.name(f'{UNMAPPED}.{field.label}')}"
    return statements.shown(field)


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // MICROSECOND


def _moment(micros: int) -> datetime:
    return EPOCH + micros * MICROSECOND
