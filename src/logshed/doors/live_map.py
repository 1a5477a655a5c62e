"""The door of the live map: its pages, the stream of events, and totals as JSON, all by a token's collections."""

from __future__ import annotations

import logging
from functools import lru_cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from logshed.doors.guard import COOKIE, NOBODY, from_here, token_of
from logshed.doors.headers import Headers
from logshed.doors.live_answers import MOST_SHOWN, LiveAnswers
from logshed.doors.stream import Stream
from logshed.doors.ticks import LONGEST_COLLECTION
from logshed.errors import LogshedError
from logshed.pages.live import login_page, map_page, static

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

    from logshed.doors.feed import Feed
    from logshed.doors.guard import Guard
    from logshed.doors.readable import Readable

MOST_STREAMS = 500
MOST_FORM = 4_096
COOKIE_SECONDS = 30 * 86_400
log = logging.getLogger(__name__)


class LiveMap:
    """What the door answers.

    Args:
        feed: Events as they happen.
        store: Where totals and lines are read; None takes what the feed has seen.
        guard: Who may come in.
    """

    def __init__(self, feed: Feed, store: Readable | None, guard: Guard) -> None:
        self._feed, self._guard = feed, guard
        self._answers = LiveAnswers(feed, store)

    def app(self) -> ASGIApp:
        """The application, for a server."""
        routes = [
            Route("/", self._page),
            Route("/login", self._ask, methods=["GET"]),
            Route("/login", self._log_in, methods=["POST"]),
            Route("/logout", self._log_out, methods=["POST"]),
            Route("/static/{name}", self._static),
            Route("/api/collections", self._collections),
            Route("/api/countries", self._countries),
            Route("/api/locations", self._locations),
            Route("/api/lines", self._lines),
            Route("/events", self._events),
        ]
        told: Any = {HTTPException: _refused, LogshedError: _failed, Exception: _failed}
        return Headers(Starlette(routes=routes, exception_handlers=told))

    async def _page(self, request: Request) -> Response:
        if await self._guard.grant(request) is None:
            return RedirectResponse("/login", 303)
        return HTMLResponse(
            map_page(version=version("logshed"), tokens=self._guard.tokens is not None, stored=self._answers.stored)
        )

    async def _ask(self, request: Request) -> Response:
        if await self._guard.grant(request) is not None:
            return RedirectResponse("/", 303)
        return HTMLResponse(login_page(version=version("logshed"), refused=False))

    async def _log_in(self, request: Request) -> Response:
        if not from_here(request):
            raise HTTPException(403, "not allowed")
        form = parse_qs((await _body(request)).decode("ascii", "replace"))
        token = form.get("token", [""])[0].strip()
        if await self._guard.allowed(token) is None:
            return HTMLResponse(login_page(version=version("logshed"), refused=True), 401, NOBODY)
        answer = RedirectResponse("/", 303)
        secure = request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, max_age=COOKIE_SECONDS)
        return answer

    async def _log_out(self, request: Request) -> Response:
        if not from_here(request):
            raise HTTPException(403, "not allowed")
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    async def _static(self, request: Request) -> Response:
        found = static().get(request.path_params["name"])
        if found is None:
            raise HTTPException(404, "there is no such file")
        headers = {"ETag": found.tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == found.tag:
            return Response(status_code=304, headers=headers)
        return Response(found.content, headers=headers, media_type=found.kind)

    async def _collections(self, request: Request) -> Response:
        return _json(await self._answers.collections(await self._guard.reader(request)))

    async def _countries(self, request: Request) -> Response:
        chosen = _chosen(request)
        return _json(await self._answers.countries(await self._guard.reader(request, chosen), chosen))

    async def _locations(self, request: Request) -> Response:
        chosen = _chosen(request)
        grant = await self._guard.reader(request, chosen)
        return _json(await self._answers.locations(grant, chosen, _number(request, "top", 20, 200)))

    async def _lines(self, request: Request) -> Response:
        chosen = _chosen(request)
        await self._guard.reader(request, chosen)
        last = _number(request, "last", 100, MOST_SHOWN)
        if chosen is None:
            raise HTTPException(422, "name a collection")
        return _json(await self._answers.lines(chosen, last))

    async def _events(self, request: Request) -> Response:
        chosen = _chosen(request)
        grant = await self._guard.reader(request, chosen)
        if self._feed.watching >= MOST_STREAMS:
            raise HTTPException(503, "too many are watching", {"Retry-After": "30"})
        token = token_of(request)

        async def allowed() -> bool:
            now = await self._guard.allowed(token)
            return now is not None and now.scopes == grant.scopes and now.verbs == grant.verbs

        sees = chosen.__eq__ if chosen is not None else lru_cache(MOST_SHOWN)(partial(grant.allows, "read"))
        return Stream(self._feed, self._feed.join(sees, request.headers.get("last-event-id", "")), allowed)


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_FORM:
            raise HTTPException(413, "that is too long")
    return body


def _chosen(request: Request) -> str | None:
    """The collection that is asked for; None is all that may be read."""
    name = request.query_params.get("collection") or None
    if name is not None and len(name) > LONGEST_COLLECTION:
        raise HTTPException(422, "the name is too long")
    return name


def _number(request: Request, name: str, usual: int, most: int) -> int:
    text = request.query_params.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 0 < int(text) <= most):
        raise HTTPException(422, f"{name} is a number from 1 to {most}")
    return int(text)


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value), status, headers, "application/json")


async def _refused(_: Request, error: HTTPException) -> Response:
    return _json({"error": error.detail}, error.status_code, dict(error.headers or {}))


async def _failed(request: Request, error: Exception) -> Response:
    """What went wrong is for the log of whoever runs the door; readers learn that something did."""
    log.error("cannot answer %s: %s", request.url.path, error, exc_info=not isinstance(error, LogshedError))
    return _json({"error": "the store does not answer"}, 503, {"Retry-After": "5"})
