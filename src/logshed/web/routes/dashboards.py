"""Dashboards: which there are, what is on one, and the figures of its tiles and panels."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from logshed.web.boards import Scope, Scoped, known
from logshed.web.site import Shared, Site
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/dashboards", tags=["dashboards"])
Reader = Annotated[Person, needs("read")]
JSON = "application/json"


@router.get("")
async def listed(site: Shared, person: Reader) -> Response:
    """All dashboards, in their order: ours, installed packages' and the lake owner's own, as their files are now.

    Whoever administers is told under `broken` which files cannot be used, and why.
    """
    there = known(site)
    items = [
        {
            "name": name,
            "title": board.page.title,
            "description": board.page.description,
            "window": board.page.window,
            "href": board.href,
        }
        for name, board in there.boards.items()
    ]
    broken = {"broken": there.broken} if person.may("administer") else {}
    return Response(orjson.dumps({"items": items, "next": None, **broken}), media_type=JSON)


@router.get("/{name}")
async def one(site: Shared, person: Reader, name: str) -> Response:
    """What is on a dashboard: its tiles and panels, and the names of the answers that they show."""
    del person
    return Response(orjson.dumps(known(site).board(name).layout), media_type=JSON)


@router.get("/{name}/answers/{answer}")
async def answer(request: Request, site: Shared, person: Reader, name: str, answer: str, scope: Scoped) -> Response:
    """The figures of a tile or panel, column by column; 304 where `If-None-Match` names the ones that there are."""
    asked = known(site).board(name).asked.get(answer)
    if asked is None:
        raise HTTPException(404, f"the dashboard {name!r} has no answer {answer!r}")
    own = {"since": asked.window, "until": "", "back": ""} if asked.window else {}
    return await told(request, site, person, asked.question, dict(asked.params), scope.model_copy(update=own))


async def told(
    request: Request, site: Site, person: Person, question: str, params: dict[str, object], scope: Scope
) -> Response:
    """A question's figures, from what is kept where they are still as the lake is.

    Args:
        request: What was asked; it may name figures that the asker has.
        site: Where.
        person: By whom.
        question: The question.
        params: Its own parameters.
        scope: Of which records.

    Raises:
        LogshedError: It cannot be answered.
    """
    ask = scope.ask(person, question, params)
    answer, fresh = await site.answers.of(person, site.lake(person), ask, wait=scope.wait)
    tag = f'W/"{answer.tag}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "Logshed-Made": answer.made.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "Logshed-Fresh": "1" if fresh else "0",
    }
    had = {one.strip() for one in request.headers.get("if-none-match", "").split(",")}
    if tag in had:
        return Response(status_code=304, headers=headers)
    return Response(answer.body, headers=headers, media_type=JSON)
