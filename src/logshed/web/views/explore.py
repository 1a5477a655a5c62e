"""The pages that explore logs: searching, the templates of messages, a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from logshed.pipeline.explore_bars import SEVERITY
from logshed.pipeline.explore_first import Wanted
from logshed.web.looking import Look
from logshed.web.rendering import Page, page
from logshed.web.site import Shared
from logshed.web.who import Person, sees

if TYPE_CHECKING:
    from starlette.responses import Response

    from logshed.web.site import Site

PAGES = (
    Page("explore", "Explore", "/explore", "search", 20),
    Page("patterns", "Patterns", "/patterns", "patterns", 24),
)
FIELDS = (
    *("timestamp", "level", "service", "host", "body", "event", "outcome", "exception", "exception_message", "client"),
    *("user", "method", "path", "query", "status", "size", "duration", "trace", "parse_error", "attributes"),
)
"""What the script asks for where no other columns are shown: ``SUMMARY`` of explore_cells.js."""
ASKED = ("q", "since", "until", "collection", "newest")
DEFAULT = {"since": "24h"}
"""What the script takes where the address does not say it."""
router = APIRouter(include_in_schema=False)
Reader = Annotated[Person, sees("read")]


@router.get("/explore")
async def explore(request: Request, site: Shared, person: Reader) -> Response:
    """Search, bars, fields, records."""
    begun = _begun(request, site, person)
    may_share = person.may("triage")
    return page(request, person, "explore.html", "explore", "Explore", may_share=may_share, begun=begun)


def _begun(request: Request, site: Site, person: Person) -> str:
    """What the page's script is going to ask first, begun already; only for a browser that is to show the page."""
    asked = request.query_params
    if request.headers.get("sec-fetch-dest") != "document" or "sec-purpose" in request.headers:
        return ""
    try:
        told = DEFAULT | {name: asked[name] for name in ASKED if name in asked}
        look = Look(**{name: value for name, value in told.items() if value})
        wanted = Wanted(FIELDS, asked.get("by") or SEVERITY, asked.get("oldest") == "1")
        return site.firsts.begin(person, look, wanted)
    except (ValidationError, HTTPException):
        return ""  # the script asks, and is told what is wrong


@router.get("/patterns")
async def patterns(request: Request, person: Reader) -> Response:
    """What programs write, with the values taken out."""
    return page(request, person, "patterns.html", "patterns", "Patterns")


@router.get("/trace/{trace_id}")
async def trace(request: Request, person: Reader, trace_id: str) -> Response:
    """A trace as a waterfall."""
    return page(request, person, "trace.html", "explore", "Trace", trace_id=trace_id)
