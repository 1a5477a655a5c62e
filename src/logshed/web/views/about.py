"""The page of the API: what can be asked, with examples; and its description for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from logshed.web.who import Person, needs

router = APIRouter(include_in_schema=False)


@router.get("/api/v1/openapi.json")
async def described(request: Request, person: Annotated[Person, needs("read")]) -> Response:
    """The API as OpenAPI 3.1."""
    del person
    return JSONResponse(await run_in_threadpool(request.app.openapi))
