"""The page of SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request

from logshed.web.rendering import Page, page
from logshed.web.who import Person, sees

if TYPE_CHECKING:
    from starlette.responses import Response

PAGES = (Page("sql", "SQL", "/sql", "sql", 22, "sql"),)
router = APIRouter(include_in_schema=False)


@router.get("/sql")
async def sql(request: Request, person: Annotated[Person, sees("sql")]) -> Response:
    """An editor, the tables, the rows of the result and their chart."""
    return page(request, person, "sql.html", "sql", "SQL")
