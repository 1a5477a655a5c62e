"""The dashboards and questions that there are, read once: files that change count when the server is started anew."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from logshed import dashboards, queries
from logshed.pipeline import boards
from logshed.queries import gold

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.dashboards import Dashboard
    from logshed.dashboards.model import Asked
    from logshed.pipeline.boards import Ask
    from logshed.queries import Question
    from logshed.web.site import Site
    from logshed.web.who import Person

HOME = "overview"
"""The dashboard that the web application begins with."""


@dataclass(frozen=True)
class Board:
    """A dashboard.

    Attributes:
        page: Its title and what is on it.
        layout: As the API and the page take it.
        asked: What it asks, by short names.
    """

    page: Dashboard
    layout: dict[str, Any]
    asked: dict[str, Asked]

    @property
    def href(self) -> str:
        """Where its page is."""
        return "/" if self.page.name == HOME else f"/dashboards/{self.page.name}"


@dataclass(frozen=True)
class Known:
    """What there is.

    Attributes:
        boards: The dashboards that the web application shows, in their order.
        questions: The named questions.
        gold: Short names of the gold tables.
    """

    boards: dict[str, Board]
    questions: dict[str, Question]
    gold: tuple[str, ...]

    def board(self, name: str) -> Board:
        """A dashboard.

        Raises:
            HTTPException: There is none of this name.
        """
        if name not in self.boards:
            raise HTTPException(404, f"there is no dashboard {name!r}; there are {', '.join(self.boards)}")
        return self.boards[name]


def known(site: Site) -> Known:
    """What there is.

    Raises:
        logshed.errors.DashboardError: A dashboard's file is wrong.
        logshed.errors.QueryError: A question's header is wrong.
    """
    return there(tuple(site.settings.plugins))


@lru_cache(maxsize=8)
def there(plugins: tuple[Path, ...]) -> Known:
    """What there is, also in these roots, read once.

    Raises:
        logshed.errors.DashboardError: A dashboard's file is wrong.
        logshed.errors.QueryError: A question's header is wrong.
    """
    questions = queries.load(plugins)
    tables = tuple(gold.load(plugins))
    shown = [one for one in dashboards.load(plugins, questions).values() if one.shown != "report"]
    found = {one.name: Board(one, boards.layout(one, questions, tables), boards.asked(one)) for one in shown}
    return Known(found, questions, tables)


class Scope(BaseModel):
    """Which records a question is asked of."""

    since: str = Field(
        "", max_length=64, description="First moment: `24h`, `7d`, a date, `all`; the question's own window by default."
    )
    until: str = Field("", max_length=64, description="First moment after; every record by default.")
    collection: str = Field("", max_length=200, description="The only collection to look at.")
    timezone: str = Field("UTC", max_length=64, description="The zone of days and of times that name none.")
    q: str = Field(
        "", max_length=10_000, description="A search: only records that it finds count.", examples=["service=shop"]
    )
    back: str = Field(
        "",
        max_length=32,
        description="Ask of an earlier window instead: `previous` is the time of the same length right before, `1d` or "
        "`1w` the same time a day or a week earlier.",
    )
    wait: bool = Field(
        True,
        description="Wait for figures as the lake is now. Without it they may be two minutes old: newer ones are then "
        "computed meanwhile, and the header `Logshed-Fresh` is 0.",
    )

    def ask(self, person: Person, question: str, params: dict[str, object]) -> Ask:
        """A question about them.

        Raises:
            HTTPException: The collection is not theirs.
        """
        if self.collection and not person.grant.allows("read", self.collection):
            raise HTTPException(403, f"not allowed: the collection {self.collection!r} is none of yours")
        return boards.Ask(
            question,
            tuple(sorted(params.items())),
            since=self.since.strip(),
            until=self.until.strip(),
            collection=self.collection,
            timezone=self.timezone,
            matching=self.q.strip(),
            back=self.back.strip(),
        )


Scoped = Annotated[Scope, Query()]
"""A route's parameter: ``scope: Scoped``."""
