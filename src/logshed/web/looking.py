"""What the routes that explore logs are asked with: a search, its time, its collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from logshed.pipeline.explore import Window, asked

if TYPE_CHECKING:
    from logshed.web.who import Person

LONGEST_TEXT = 10_000


class Look(BaseModel):
    """What is looked at."""

    q: str = Field("", max_length=LONGEST_TEXT, description="The search.", examples=["level>=warn service:pay*"])
    since: str | None = Field(
        None, max_length=64, description="First moment: `24h`, `7d`, a date, `all`; 7 days before `until` by default."
    )
    until: str | None = Field(None, max_length=64, description="First moment after; every record by default.")
    collection: str | None = Field(None, max_length=200, description="The only collection to look at.")
    newest: str | None = Field(
        None, max_length=100, description="Leave out what arrived later; `/api/v1/search/window` says up to what."
    )
    timezone: str = Field("UTC", max_length=64, description="The zone of days and of times that name none.")

    def window(self, person: Person) -> Window:
        """The window that is meant.

        Raises:
            HTTPException: The collection is not theirs.
            logshed.errors.QueryError: The search is wrong.
            logshed.errors.UsageError: A time is none.
        """
        if self.collection and not person.grant.allows("read", self.collection):
            raise HTTPException(403, f"not allowed: the collection {self.collection!r} is none of yours")
        return asked(
            self.q,
            self.since,
            self.until,
            self.collection or None,
            newest=self.newest,
            timezone=self.timezone,
        )


Looked = Annotated[Look, Query()]
"""A route's parameter: ``look: Looked``."""
