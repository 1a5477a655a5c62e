"""The pages that explore logs: searching, the templates of messages, a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request

from logshed.web.rendering import Page, page
from logshed.web.who import Person, sees

if TYPE_CHECKING:
    from starlette.responses import Response

PAGES = (
    Page("explore", "Explore", "/explore", "search", 20),
    Page("patterns", "Patterns", "/patterns", "patterns", 24),
)
router = APIRouter(include_in_schema=False)
Reader = Annotated[Person, sees("read")]


@router.get("/explore")
async def explore(request: Request, person: Reader) -> Response:
    """Search, bars, fields, records."""
    return page(request, person, "explore.html", "explore", "Explore", may_share=person.may("triage"))


@router.get("/patterns")
async def patterns(request: Request, person: Reader) -> Response:
    """What programs write, with the values taken out."""
    return page(request, person, "patterns.html", "patterns", "Patterns")


@router.get("/trace/{trace_id}")
async def trace(request: Request, person: Reader, trace_id: str) -> Response:
    """A trace as a waterfall."""
    return page(request, person, "trace.html", "explore", "Trace", trace_id=trace_id)
