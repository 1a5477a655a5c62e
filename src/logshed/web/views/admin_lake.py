"""The pages of those who look after the lake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from logshed.web.rendering import Page, page
from logshed.web.who import Person, sees

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LEADS = {
    "policies": ("Policies", "What redaction does with what it finds, before anything rests."),
    "redaction": ("Redaction report", "Whether anything rests in the lake that the policy forbids."),
    "retention": ("Retention", "How long rows are kept, and what would go now."),
    "trail": ("Audit trail", "Who did what, when, to what. Each entry is chained to the one before by hashes."),
    "cost": ("Cost", "What the lake costs a month, by list prices with their date and source."),
    "health": ("Lake health", "Tables and files, whether they are what was committed, and what is missing or misset."),
    "queries": ("Running queries", "Who asks what now, and for how long; what nobody needs can be ended."),
    "schedule": ("Runs by the clock", "What logshed schedule runs, and what came of the last time."),
    "compliance": ("Compliance", "How the lake stands to a law or a standard: evidence for a review, no legal advice."),
}
PAGES = tuple(
    Page(f"admin.{name}", title, f"/admin/{name}", "admin", 93 + number, "administer")
    for number, (name, (title, _)) in enumerate(LEADS.items())
)
router = APIRouter(include_in_schema=False)


def _shown(name: str) -> Callable[..., Awaitable[Response]]:
    """What answers for a page."""
    title, lead = LEADS[name]

    async def looked_after(request: Request, person: Annotated[Person, sees("administer")]) -> Response:
        return page(request, person, f"admin_{name}.html", f"admin.{name}", title, lead=lead)

    return looked_after


@router.get("/admin/checks/{check}")
async def check(request: Request, person: Annotated[Person, sees("administer")], check: str) -> Response:
    """How a long check stands, and what came of it."""
    lead = "How it stands, and what came of it."
    return page(request, person, "admin_check.html", "admin.health", "A check", lead=lead, check=check)


for one in LEADS:
    router.add_api_route(f"/admin/{one}", _shown(one), methods=["GET"], response_class=Response)
