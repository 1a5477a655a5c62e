"""The first page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request

from logshed.web.rendering import Page, page
from logshed.web.who import Person, sees

if TYPE_CHECKING:
    from starlette.responses import Response

PAGES = (Page("dashboards", "Overview", "/", "dashboard", 10),)
router = APIRouter(include_in_schema=False)


@router.get("/")
async def overview(request: Request, person: Annotated[Person, sees("read")]) -> Response:
    """What there is."""
    return page(request, person, "overview.html", "dashboards", "Overview")
