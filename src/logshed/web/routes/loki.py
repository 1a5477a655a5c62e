"""Loki's API for reading, by which Grafana and LogCLI ask this lake: queries, labels, series, volumes, live tail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import APIRouter, Request, WebSocket
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.websockets import WebSocketDisconnect

from logshed import __version__
from logshed.doors.guard import from_here
from logshed.errors import OverloadedError, QueryError, UsageError
from logshed.pipeline.loki_answers import LokiAnswers, followed
from logshed.web import forms
from logshed.web.loki_tails import LogQL, follow
from logshed.web.problems import problem
from logshed.web.running import answered
from logshed.web.site import Shared
from logshed.web.who import Needs, Person, needs

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.web.running import Query
    from logshed.web.site import Site

router = APIRouter(include_in_schema=False)
BOTH = ["GET", "POST"]
"""Long queries come as forms."""
BEGIN_SECONDS = 30.0
"""So long a tail waits for what is there when it begins."""
_BASE = "/loki/api/v1"
Reader = Annotated[Person, needs("read")]


class Asked:
    """The parameters of a request.

    Attributes:
        first: Each parameter's first value.
        matches: All selectors of ``match[]``.
        apart: Whether metadata is to stand with each line: newer Grafana asks for it so.
    """

    def __init__(self, pairs: list[tuple[str, str]], flags: str) -> None:
        self.first = dict(reversed(pairs))
        self.matches = [value for name, value in pairs if name in {"match[]", "match"}]
        self.apart = "categorize-labels" in flags

    @property
    def what(self) -> str:
        """The query, for whoever looks at what runs."""
        return self.first.get("query", "")


async def _asked(request: Request) -> Asked:
    pairs = [*request.query_params.multi_items(), *(await forms.pairs(request) if request.method == "POST" else [])]
    return Asked(pairs, request.headers.get("x-loki-response-encoding-flags", ""))


async def _told(
    request: Request, site: Site, person: Person, what: str, work: Callable[[LokiAnswers], dict[str, Any]]
) -> Response:
    """An answer as JSON; what is wrong with a query as text, which is what Loki's clients show."""

    def answer(query: Query) -> bytes:
        return orjson.dumps(work(LokiAnswers(query)))

    try:
        return Response(await answered(request, site, person, what, answer), media_type="application/json")
    except (QueryError, UsageError) as error:
        return PlainTextResponse(f"{error}\n", 400)


@router.api_route(f"{_BASE}/query_range", methods=BOTH)
async def query_range(request: Request, person: Reader, site: Shared) -> Response:
    """Lines, or series, between two moments."""
    asked = await _asked(request)
    return await _told(
        request, site, person, asked.what, lambda answers: answers.query_range(asked.first, apart=asked.apart)
    )


@router.api_route(f"{_BASE}/query", methods=BOTH)
async def query(request: Request, person: Reader, site: Shared) -> Response:
    """Series at one moment."""
    asked = await _asked(request)
    return await _told(request, site, person, asked.what, lambda answers: answers.query(asked.first))


@router.api_route(f"{_BASE}/labels", methods=BOTH)
@router.api_route(f"{_BASE}/label", methods=BOTH)
async def labels(request: Request, person: Reader, site: Shared) -> Response:
    """The labels of streams."""
    asked = await _asked(request)
    return await _told(request, site, person, "Loki: labels", lambda answers: answers.labels(asked.first))


@router.api_route(f"{_BASE}/label/{{name}}/values", methods=BOTH)
async def values(name: str, request: Request, person: Reader, site: Shared) -> Response:
    """The values of a label."""
    asked = await _asked(request)
    return await _told(request, site, person, "Loki: values", lambda answers: answers.values(name, asked.first))


@router.api_route(f"{_BASE}/series", methods=BOTH)
async def series(request: Request, person: Reader, site: Shared) -> Response:
    """The streams that selectors match."""
    asked = await _asked(request)
    return await _told(
        request, site, person, "Loki: series", lambda answers: answers.series(asked.first, asked.matches)
    )


@router.api_route(f"{_BASE}/detected_labels", methods=BOTH)
async def detected_labels(request: Request, person: Reader, site: Shared) -> Response:
    """The labels of streams with how many values each has."""
    asked = await _asked(request)
    return await _told(
        request, site, person, "Loki: detected_labels", lambda answers: answers.detected_labels(asked.first)
    )


@router.api_route(f"{_BASE}/detected_fields", methods=BOTH)
async def detected_fields(request: Request, person: Reader, site: Shared) -> Response:
    """The fields of the lines that a query selects."""
    asked = await _asked(request)
    return await _told(request, site, person, asked.what, lambda answers: answers.detected_fields(asked.first))


@router.api_route(f"{_BASE}/detected_field/{{name}}/values", methods=BOTH)
async def detected_values(name: str, request: Request, person: Reader, site: Shared) -> Response:
    """The values of a field in them."""
    asked = await _asked(request)
    return await _told(request, site, person, asked.what, lambda answers: answers.detected_values(name, asked.first))


@router.api_route(f"{_BASE}/index/stats", methods=BOTH)
async def stats(request: Request, person: Reader, site: Shared) -> Response:
    """How much a selector would read."""
    asked = await _asked(request)
    return await _told(request, site, person, "Loki: stats", lambda answers: answers.stats(asked.first))


@router.api_route(f"{_BASE}/index/volume", methods=BOTH)
async def volume(request: Request, person: Reader, site: Shared) -> Response:
    """Bytes of lines by labels."""
    asked = await _asked(request)
    return await _told(request, site, person, "Loki: volume", lambda answers: answers.volume(asked.first))


@router.get(f"{_BASE}/status/buildinfo")
async def buildinfo(person: Reader) -> dict[str, str]:
    """Which program answers."""
    del person
    return dict.fromkeys(("revision", "branch", "buildUser", "buildDate", "goVersion"), "") | {"version": __version__}


@router.get("/ready")
async def ready() -> Response:
    """That it answers; told to anybody, as by Loki."""
    return PlainTextResponse("ready\n")


@router.websocket(f"{_BASE}/tail")
async def tail(socket: WebSocket, site: Shared) -> None:
    """The latest lines, and those that arrive."""
    try:
        person = await Needs("read").person(socket)
    except HTTPException as error:
        await socket.send_denial_response(problem(error.status_code, error.detail, error.headers))
        return
    if not from_here(socket):
        await socket.send_denial_response(problem(403, "not allowed: a page of another place asks"))
        return
    asked = Asked(list(socket.query_params.multi_items()), socket.headers.get("x-loki-response-encoding-flags", ""))
    try:
        followed(asked.what)
        with site.tails.reader(LogQL(person.grant.scopes, asked.what, asked.apart), person.name) as reader:
            await asyncio.wait_for(reader.begun.wait(), BEGIN_SECONDS)
            answers = LokiAnswers(site.lake(person).ask)
            first = await site.pool.run(person, lambda: answers.latest(asked.first, apart=asked.apart))
            await socket.accept()
            await follow(socket, site, person, reader, first)
    except WebSocketDisconnect:
        return
    except (QueryError, UsageError) as error:
        await socket.send_denial_response(PlainTextResponse(f"{error}\n", 400))
    except OverloadedError as error:
        await socket.send_denial_response(problem(429, str(error), {"Retry-After": str(round(error.after))}))
    except TimeoutError:
        await socket.send_denial_response(problem(503, "cannot follow: the lake does not answer; try again later"))
