"""Assistants ask at ``/mcp``, by the Model Context Protocol over HTTP: tools that read what a token lets see."""

from __future__ import annotations

from contextlib import asynccontextmanager
from copy import copy
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response

from logshed.doors.guard import from_here
from logshed.web.problems import problem
from logshed.web.running import waited
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

    from logshed.api import Lake
    from logshed.assistants.tools import Tool
    from logshed.sql.result import Result
    from logshed.web.running import Job
    from logshed.web.site import Site

PERSON = "logshed.person"
"""Where a request's scope keeps who asks."""


@asynccontextmanager
async def _running(app: FastAPI) -> AsyncIterator[None]:
    """Serve the protocol as long as the application runs, where its package is installed."""
    try:
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager  # noqa: PLC0415 - an extra

        from logshed.assistants.server import server  # noqa: PLC0415 - an extra
    except ImportError:
        app.state.assistants = None
        yield
        return
    site: Site = app.state.site

    async def call(request: Any, tool: Tool, given: dict[str, Any]) -> dict[str, Any]:
        person: Person = request.scope[PERSON]
        with site.running.begun(site.lake(person), person, f"an assistant: {tool.name}") as job:
            return await waited(request, site, person, job, lambda: tool.call(_asking(job), given))

    def may(request: Any, tool: Tool) -> bool:
        person: Person = request.scope[PERSON]
        return person.may(tool.ability)

    manager = StreamableHTTPSessionManager(server(call, may), json_response=True, stateless=True)
    app.state.assistants = manager
    async with manager.run():
        yield


def _asking(job: Job) -> Lake:
    """The lake, whose statements are seen and can be ended as parts of a job."""

    def query(
        sql: str,
        *,
        engine: str = "duckdb",
        params: dict[str, object] | None = None,
        timezone: str | None = None,
        sandbox: bool | None = None,
        limits: object = None,
    ) -> Result:
        del engine, limits  # the tools ask DuckDB, within the limits that are set
        return (job.query if sandbox is False else job.theirs)(sql, params, timezone)

    found = copy(job.lake)
    vars(found).update(query=query)
    return found


router = APIRouter(include_in_schema=False, lifespan=_running)


class _Spoken(Response):
    """What the protocol answers to a request."""

    def __init__(self, manager: Any) -> None:
        super().__init__()
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the protocol answer."""
        await self._manager.handle_request(scope, receive, send)


@router.post("/mcp")
async def speak(request: Request, person: Annotated[Person, needs("read")]) -> Response:
    """Answer an assistant; each request stands for itself, and there is no stream to listen to."""
    if not from_here(request):
        return problem(403, "not allowed: a page of another place asks")
    manager = request.app.state.assistants
    if manager is None:
        return problem(501, "cannot answer assistants: the package mcp is not installed; pip install 'logshed[mcp]'")
    request.scope[PERSON] = person
    return _Spoken(manager)
