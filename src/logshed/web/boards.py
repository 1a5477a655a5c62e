"""The dashboards and questions that there are now, and which records a question is asked of."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from logshed.pipeline import boards
from logshed.web.own_files import Own

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.pipeline.boards import Ask
    from logshed.web.own_files import Known
    from logshed.web.site import Site
    from logshed.web.who import Person


def known(site: Site) -> Known:
    """What there is now.

    Raises:
        logshed.errors.DashboardError: A dashboard's file is wrong, and there is no good one from before.
        logshed.errors.QueryError: A question's header is wrong, likewise.
    """
    return there(tuple(site.settings.plugins))


def there(plugins: tuple[Path, ...]) -> Known:
    """What there is now, also in these roots.

    Raises:
        logshed.errors.DashboardError: A dashboard's file is wrong, and there is no good one from before.
        logshed.errors.QueryError: A question's header is wrong, likewise.
    """
    return _own(plugins).known()


@lru_cache(maxsize=8)
def _own(plugins: tuple[Path, ...]) -> Own:
    return Own(plugins)


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
