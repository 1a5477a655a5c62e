"""The pages of sources: what arrives, rejects, a line explained, gaps, the ledger, receivers, running systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request

from logshed.web.rendering import Page, page
from logshed.web.site import Shared
from logshed.web.who import Person, sees

if TYPE_CHECKING:
    from starlette.responses import Response

PAGES = (
    Page("sources", "Sources", "/sources", "sources", 70),
    Page("sources.arriving", "Arriving", "/sources", "sources", 71),
    Page("sources.rejects", "Rejects", "/sources/rejects", "sources", 72),
    Page("sources.explain", "Explain a line", "/sources/explain", "sources", 73),
    Page("sources.gaps", "Gaps", "/sources/gaps", "sources", 74),
    Page("sources.ledger", "Ledger", "/sources/ledger", "sources", 75),
    Page("sources.receivers", "Receivers", "/sources/receivers", "sources", 76),
    Page("sources.running", "Running systems", "/sources/running", "sources", 77, "collect"),
)
EXAMPLE = '198.51.100.7 - - [26/Nov/2026:10:00:00 +0000] "GET /lamps HTTP/1.1" 200 5120 "-" "curl/8.5"'
router = APIRouter(include_in_schema=False)
Reader = Annotated[Person, sees("read")]


@router.get("/sources")
async def arriving(request: Request, person: Reader) -> Response:
    """What arrives."""
    return page(request, person, "sources.html", "sources.arriving", "Sources")


@router.get("/sources/rejects")
async def rejects(request: Request, person: Reader) -> Response:
    """What no format took."""
    return page(request, person, "sources_rejects.html", "sources.rejects", "Rejects")


@router.get("/sources/explain")
async def explain(request: Request, person: Reader) -> Response:
    """What a line is."""
    return page(request, person, "sources_explain.html", "sources.explain", "Explain a line", example=EXAMPLE)


@router.get("/sources/gaps")
async def gaps(request: Request, person: Reader) -> Response:
    """Which sources fell silent."""
    return page(request, person, "sources_gaps.html", "sources.gaps", "Gaps of sources")


@router.get("/sources/ledger")
async def ledger(request: Request, person: Reader) -> Response:
    """What became of every line."""
    return page(request, person, "sources_ledger.html", "sources.ledger", "Ledger")


@router.get("/sources/receivers")
async def receivers(request: Request, person: Reader) -> Response:
    """How what brings logs in stands now."""
    return page(request, person, "sources_receivers.html", "sources.receivers", "Receivers")


@router.get("/sources/running")
async def running(request: Request, site: Shared, person: Annotated[Person, sees("collect")]) -> Response:
    """Containers, and what they wrote lately."""
    named = bool(site.settings.collect or site.settings.ssh.host)
    return page(request, person, "sources_running.html", "sources.running", "Running systems", places=named)
