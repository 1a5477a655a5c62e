"""Which records a page that explores logs looks at, in moments that stay, so that all of its parts tell of the same."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from logshed.errors import UsageError
from logshed.pipeline.search import understood
from logshed.search import sql, statements
from logshed.search.fields import LEVEL, Field
from logshed.search.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.sql.result import Result

    Query = Callable[[str], Result]

MOMENT = timedelta(microseconds=1)
LONGEST_NEWEST = 100
"""Signs of a batch's name."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is looked at.

    Attributes:
        text: The search.
        scope: Which records match it.
        newest: Records of later batches are left out, so that what is seen stays while others arrive; None takes all.
    """

    text: str
    scope: Scope
    newest: str | None = None

    @property
    def seen(self) -> Scope:
        """The scope without what came later."""
        return self.scope if self.newest is None else self.scope.and_(f"batch <= {sql.literal(self.newest)}")

    @property
    def everything(self) -> Scope:
        """All records of the same time, whether they match or not."""
        return replace(self, scope=replace(self.scope, condition="true")).seen


class Opening(NamedTuple):
    """What a window begins with.

    Attributes:
        window: It, from now on without what arrives.
        since: Its first moment; of one without it the first record's; None where there is nothing.
        until: The first moment after it; of one without it now, or behind the last record where that is later or the
            window has no beginning.
        first: The first moment that the lake has records of, whether they match or not.
        last: The last one.
    """

    window: Window
    since: datetime | None
    until: datetime | None
    first: datetime | None
    last: datetime | None


def asked(
    text: str,
    since: str | datetime | None = None,
    until: str | datetime | None = None,
    collection: str | None = None,
    *,
    newest: str | None = None,
    timezone: str = "UTC",
    now: datetime | None = None,
) -> Window:
    """The window of a search.

    Args:
        text: The search.
        since: First moment, as ``times.moment`` reads it.
        until: First moment after.
        collection: The only collection, or None.
        newest: The last batch that counts.
        timezone: The zone of days and of times that name none.
        now: The present; None takes the clock.

    Raises:
        logshed.errors.QueryError: The text is wrong; the error points at the place.
        logshed.errors.UsageError: A time is none.
    """
    if newest is not None and len(newest) > LONGEST_NEWEST:
        raise UsageError("cannot take `newest`: it is no batch; leave it out, or take what the window said")
    scope = understood(text, since=since, until=until, collection=collection, now=now, timezone=timezone)
    return Window(text, scope, newest)


class Extent(NamedTuple):
    """What there is in all.

    Attributes:
        first: The first moment that there are records of; None where there are none.
        last: The last one.
        newest: The newest batch.
    """

    first: datetime | None
    last: datetime | None
    newest: str | None


def extent(query: Query, collection: str | None = None) -> Extent:
    """What there is in all, or of a collection.

    Args:
        query: Runs a statement.
        collection: The collection, or None.
    """
    own = Scope(collection=collection).where
    return Extent(*query(f'SELECT min("timestamp"), max("timestamp"), max(batch) FROM logs WHERE {own}').rows()[0])


def opened(query: Query, window: Window, known: Extent | None = None) -> Opening:
    """Begin with a window: what has arrived by now is what it shows.

    Args:
        query: Runs a statement.
        window: The window; one that names a batch keeps it.
        known: What there is, where that is known already.
    """
    known = known or extent(query, window.scope.collection)
    found = begun(window, known)
    if found is not None:
        return found
    kept = kept_at(window, known)
    least, most = query(statements.extent(kept.seen)).rows()[0][:2]
    return ended(window, known, least, most)


def begun(window: Window, known: Extent) -> Opening | None:
    """The same where its times need no look at records; None where they do.

    Args:
        window: The window.
        known: What there is.
    """
    since, until = window.scope.since, window.scope.until
    now = datetime.now(UTC)
    if since is not None and until is None and (known.last is None or known.last <= now):
        until = now  # no record can lie behind it
    given = since is not None and until is not None
    everything = window.scope.condition == "true" and window.newest in (None, known.newest)
    if given or known.first is None:
        return Opening(kept_at(window, known), since, until, known.first, known.last)
    if since is None and until is None and everything:
        return ended(window, known, known.first, known.last)
    return None


def kept_at(window: Window, known: Extent) -> Window:
    """A window without what arrives from now on."""
    return replace(window, newest=window.newest or known.newest)


def ended(window: Window, known: Extent, least: datetime | None, most: datetime | None) -> Opening:
    """What a window begins with, whose first and last matching records are known.

    Args:
        window: The window.
        known: What there is.
        least: The time of the oldest record of it.
        most: The time of the newest one.
    """
    since, until = window.scope.since, window.scope.until
    ends = [most + MOMENT] if most else []
    ends += [datetime.now(UTC)] if since is not None else []
    found = (since or least, until or max(ends, default=None))
    return Opening(kept_at(window, known), *found, known.first, known.last)


def as_text(field: Field) -> str:
    """A field as a text in SQL; a level by its name."""
    if field.kind == LEVEL:
        return statements.level_name()
    return field.sql if field.kind in {"text", "address", "attribute"} else f"CAST({field.sql} AS VARCHAR)"
