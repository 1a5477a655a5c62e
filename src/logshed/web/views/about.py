"""The page of the API: what can be asked, with examples; and its description for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from logshed.web.describing import areas
from logshed.web.rendering import Page, page
from logshed.web.site import Shared
from logshed.web.who import Person, needs, sees

PAGES = (Page("api", "API", "/api", "link", 99),)
router = APIRouter(include_in_schema=False)


@router.get("/api/v1/openapi.json")
async def described(request: Request, person: Annotated[Person, needs("read")]) -> Response:
    """The API as OpenAPI 3.1."""
    del person
    return JSONResponse(await run_in_threadpool(request.app.openapi))


@router.get("/api")
async def about(request: Request, site: Shared, person: Annotated[Person, sees("read")]) -> Response:
    """The API for people."""
    told = await run_in_threadpool(request.app.openapi)
    base = site.base(request)
    return page(request, person, "about.html", "api", "API", areas=areas(told, base), base=base)
