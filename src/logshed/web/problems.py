"""What went wrong, for programs as problem+json (RFC 9457), for people as a page that says what to do."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

import orjson
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from logshed import errors
from logshed.web.rendering import bare

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from fastapi import FastAPI
    from starlette.requests import Request

KIND = "application/problem+json"
TITLES = {one.value: one.phrase for one in HTTPStatus} | {499: "Client Closed Request"}
"""What a status is called; nginx's 499 stands in no standard, and is what is left to say to who has gone."""
STATUS: dict[type[errors.LogshedError], int] = {
    errors.OverloadedError: 429,
    errors.BusyError: 409,
    errors.CommitConflictError: 409,
    errors.MissingError: 404,
    errors.UsageError: 422,
    errors.FormatError: 422,
    errors.QueryError: 422,
    errors.DetectionError: 422,
    errors.DashboardError: 422,
    errors.ReplayError: 422,
    errors.NotALakeError: 503,
    errors.StorageError: 503,
    errors.SpoolFullError: 503,
    errors.LiveError: 503,
    errors.UnreachableError: 502,
    errors.SourceError: 502,
    errors.DeliveryError: 502,
    errors.AlertError: 502,
    errors.EngineError: 503,
}
"""The status of an error; the nearest of its classes counts, and what is not here is 500."""
AGAIN_SECONDS = 5
_PLACE = ("cause", "advice", "at", "end")
"""What a page that shows a search's text can say of a mistake in it."""
_UNTOLD = {
    404: "there is nothing at {path}; check the address, or look at /api for what there is",
    405: "{path} does not take {method}; /api shows what it takes",
}
log = logging.getLogger(__name__)


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, *, kind: str = "about:blank", **more: Any
) -> Response:
    """A problem for programs.

    Args:
        status: The HTTP status.
        detail: What went wrong, and what to do.
        headers: More headers.
        kind: The problem's type, a URI.
        more: More fields.
    """
    body = {"type": kind, "title": TITLES[status], "status": status, "detail": detail, **more}
    return Response(orjson.dumps(body), status, dict(headers or {}), KIND)


def add(app: FastAPI) -> None:
    """Let an application tell its errors so."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(errors.LogshedError, _known)
    app.add_exception_handler(Exception, _failed)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as it was registered
    if error.status_code == HTTPStatus.SEE_OTHER:
        return RedirectResponse((error.headers or {})["Location"], HTTPStatus.SEE_OTHER)
    detail = str(error.detail)
    if detail == TITLES.get(error.status_code):  # the framework's own word for what has no route
        detail = _UNTOLD.get(error.status_code, detail).format(path=request.url.path, method=request.method)
    return _told(request, error.status_code, detail, error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - as it was registered
    wrong = [{"where": ".".join(map(str, one["loc"])), "what": one["msg"]} for one in error.errors()]
    return _told(request, 422, f"cannot use {wrong[0]['where']}: {wrong[0]['what']}", errors=wrong)


async def _known(request: Request, error: Exception) -> Response:
    status = next((STATUS[one] for one in type(error).__mro__ if one in STATUS), 500)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("cannot answer %s: %s", request.url.path, error)
    again = getattr(error, "after", AGAIN_SECONDS)
    headers = {"Retry-After": str(max(1, round(again)))} if status in (429, 503) else None
    place = {name: getattr(error, name) for name in _PLACE} if isinstance(error, errors.SearchError) else {}
    return _told(request, status, str(error), headers, **place)


async def _failed(request: Request, error: Exception) -> Response:
    """What nobody foresaw is for the log of whoever runs the server; who asked learns that it happened."""
    log.error("cannot answer %s", request.url.path, exc_info=error)
    return _told(request, 500, "cannot answer: something failed here; the server's log says what")


def _told(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    if request.url.path.startswith(("/api/", "/loki/")) or "text/html" not in request.headers.get("accept", ""):
        return problem(status, detail, headers, **more)
    return bare("problem.html", status, headers, title=TITLES[status], detail=detail, code=status)
