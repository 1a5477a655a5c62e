"""The first look at a search: its window, its first records and its bars, by as few scans as will do.

Records that lie close together are found in the part of the time that comes first. Where they do not, counting tells
the times of those that come first, so that a rare word is looked for once and not once for each part of the page.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logshed.pipeline.explore import MOMENT, begun, ended, opened
from logshed.pipeline.explore_bars import SEVERITY, bars, counted
from logshed.pipeline.explore_pages import Rows, at_times, first, page
from logshed.pipeline.explore_raw import with_lines
from logshed.search import statements

if TYPE_CHECKING:
    from datetime import datetime

    from logshed.pipeline.explore import Extent, Opening, Query, Window
    from logshed.pipeline.explore_bars import Bars

LIMIT = 100
"""Records of a page."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is shown of a search.

    Attributes:
        fields: The records' fields; none are all.
        by: What bars are told apart by.
        oldest_first: Oldest first instead of newest.
        limit: Records of a page.
    """

    fields: tuple[str, ...] = ()
    by: str = SEVERITY
    oldest_first: bool = False
    limit: int = LIMIT


class FirstLook:
    """A first look; ``near`` and ``count`` may run beside each other, ``rest`` runs when both are done.

    Args:
        query: Runs a statement.
        window: Which records.
        known: What there is.
        wanted: What is shown of them.

    Attributes:
        opening: What the window begins with; None as long as that takes a scan.

    Raises:
        logshed.errors.UsageError: There is no such field.
    """

    def __init__(self, query: Query, window: Window, known: Extent, wanted: Wanted) -> None:
        statements.fields([*wanted.fields, *([] if wanted.by == SEVERITY else [wanted.by])])
        self.opening: Opening | None = begun(window, known)
        self._query, self._asked, self._known, self._wanted = query, window, known, wanted
        self._span = _span(window, known)
        within = window.scope if self._span is None else window.scope.within(*self._span)
        self._window = replace(window, scope=within, newest=window.newest or known.newest)
        self._times: list[datetime] | None = [] if self._span is None else None

    def near(self) -> Rows | None:
        """The first page, where its records lie close together; None where they do not."""
        if self._span is None:
            return self.rest()
        query, window, wanted = self._query, self._window, self._wanted
        found = first(query, window, wanted.fields, limit=wanted.limit, oldest_first=wanted.oldest_first)
        return found and found._replace(frame=with_lines(query, found.frame))

    def count(self) -> tuple[Opening, Bars | None]:
        """The window in moments that stay, and its bars; None where there is nothing to count."""
        if self._wanted.by == SEVERITY and self._span is not None:
            return self._severities(self._span)
        opening = self.opening or opened(self._query, self._asked, self._known)
        times = _between(opening)
        return opening, None if times is None else bars(self._query, opening.window, times, self._wanted.by)

    def _severities(self, span: tuple[datetime, datetime]) -> tuple[Opening, Bars | None]:
        wanted, opening = self._wanted, self.opening
        times = (opening and _between(opening)) or span
        seldom = self._window.scope.condition != "true"
        near = wanted.limit + 1 if seldom else 0
        found = counted(self._query, self._window, times, near=near, oldest_first=wanted.oldest_first)
        if seldom:
            self._times = found.near
        opening = opening or ended(self._asked, self._known, found.least, found.most)
        shown = _between(opening)
        return opening, None if shown is None else found.bars(self._query, opening.window, shown)

    def rest(self) -> Rows:
        """The first page, wherever its records lie."""
        found = self._rest()
        return found._replace(frame=with_lines(self._query, found.frame))

    def _rest(self) -> Rows:
        query, window, wanted = self._query, self._window, self._wanted
        if self._times is not None:
            return at_times(
                query, window, self._times, wanted.fields, limit=wanted.limit, oldest_first=wanted.oldest_first
            )
        found = page(query, window, wanted.fields, limit=wanted.limit, oldest_first=wanted.oldest_first)
        return Rows(found.result.pl(), found.next)


def _span(window: Window, known: Extent) -> tuple[datetime, datetime] | None:
    """The part of a window's time that there are records of at all."""
    if known.first is None or known.last is None:
        return None
    since = max(window.scope.since or known.first, known.first)
    until = min(window.scope.until or known.last + MOMENT, known.last + MOMENT)
    return (since, until) if since < until else None


def _between(opening: Opening) -> tuple[datetime, datetime] | None:
    since, until = opening.since, opening.until
    return None if since is None or until is None or since >= until else (since, until)
