"""A record's place in the order of records, and the cursor by which a page goes on behind one."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson

from logshed.errors import UsageError
from logshed.search import sql
from logshed.search.statements import ORDER

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
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


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // MICROSECOND


def _moment(micros: int) -> datetime:
    return EPOCH + micros * MICROSECOND
