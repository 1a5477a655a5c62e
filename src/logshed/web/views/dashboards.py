"""The pages of the dashboards; the first of them is the first page of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request

from logshed.web.boards import known
from logshed.web.own_files import HOME
from logshed.web.rendering import Page, page
from logshed.web.site import Shared, Site
from logshed.web.who import Person, sees

if TYPE_CHECKING:
    from starlette.responses import Response

    from logshed.web.own_files import Known

AREA = "dashboards"
router = APIRouter(include_in_schema=False)
Viewer = Annotated[Person, sees("read")]


def pages(site: Site) -> list[Page]:
    """The first page, and below it the dashboards that there are."""
    parts = [
        Page(f"{AREA}.{name}", board.page.title, board.href, "dashboard", board.page.order)
        for name, board in known(site).boards.items()
        if name != HOME
    ]
    return [Page(AREA, "Overview", "/", "dashboard", 10), *parts]


@router.get("/")
async def overview(request: Request, site: Shared, person: Viewer) -> Response:
    """What there is."""
    return _shown(request, person, known(site), HOME)


@router.get("/dashboards/{name}")
async def dashboard(request: Request, site: Shared, person: Viewer, name: str) -> Response:
    """One dashboard."""
    return _shown(request, person, known(site), name)


def _shown(request: Request, person: Person, there: Known, name: str) -> Response:
    board = there.board(name)
    broken = there.broken if person.may("administer") else {}
    layout = {**board.layout, "sql": person.may("sql")}
    here = AREA if board.page.name == HOME else f"{AREA}.{board.page.name}"
    return page(request, person, "dashboard.html", here, board.page.title, board=layout, broken=broken)
