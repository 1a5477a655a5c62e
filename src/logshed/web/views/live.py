"""The live pages: lines as they come, and the map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request

from logshed.web.rendering import Page, page
from logshed.web.who import Person, sees

if TYPE_CHECKING:
    from starlette.responses import Response

PAGES = (
    Page("live", "Live", "/live", "live", 50),
    Page("live.lines", "Lines", "/live", "live", 51),
    Page("live.map", "Map", "/live/map", "live", 52),
)
router = APIRouter(include_in_schema=False)


@router.get("/live")
async def lines(request: Request, person: Annotated[Person, sees("read")]) -> Response:
    """Lines as they come."""
    return page(request, person, "live.html", "live.lines", "Live")


@router.get("/live/map")
async def live_map(request: Request, person: Annotated[Person, sees("read")]) -> Response:
    """The map."""
    return page(request, person, "live_map.html", "live.map", "Live map")
