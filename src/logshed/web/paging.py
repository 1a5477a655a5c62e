"""Lists in pages: a limit, and a cursor that says where the next page begins and that nobody has to understand."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from fastapi import Depends, Query
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 1_000
USUAL = 100


class Paging(NamedTuple):
    """What page is asked for.

    Attributes:
        limit: Its rows.
        skip: Rows before it.
    """

    limit: int
    skip: int

    @property
    def wanted(self) -> dict[str, int]:
        """For a verb: one row more than is shown tells whether there is a next page."""
        return {"limit": self.limit + 1, "skip": self.skip}

    def page(self, rows: Sequence[Any]) -> dict[str, Any]:
        """The page of the rows that ``wanted`` gave."""
        more = len(rows) > self.limit
        return {"items": rows[: self.limit], "next": _cursor(self.skip + self.limit) if more else None}

    def part(self, rows: Sequence[Any]) -> dict[str, Any]:
        """The page of all rows."""
        return self.page(rows[self.skip : self.skip + self.limit + 1])


def _paging(
    limit: Annotated[int, Query(ge=1, le=MOST, description="Rows of a page.")] = USUAL,
    cursor: Annotated[str | None, Query(max_length=64, description="`next` of the page before.")] = None,
) -> Paging:
    return Paging(limit, 0 if cursor is None else _place(cursor))


def _cursor(skip: int) -> str:
    return urlsafe_b64encode(f"at {skip}".encode()).decode().rstrip("=")


def _place(cursor: str) -> int:
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    number = text.removeprefix("at ")
    if number == text or not number.isdigit() or len(number) > 12:  # noqa: PLR2004 - no list is that long
        raise HTTPException(422, "cannot use the cursor: it is none of this list; leave it out to begin anew")
    return int(number)


Paged = Annotated[Paging, Depends(_paging)]
"""A route's parameter: ``paging: Paged``."""
