"""Completes what FastAPI tells of the API: what each call does in a sentence, its name, how errors are told."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from logshed.web.problems import KIND

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.routing import APIRoute

PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {
            "type": "string",
            "description": "What kind of problem it is; about:blank says no more than `status`.",
        },
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What went wrong, and what to do."},
    },
    "examples": [
        {
            "type": "about:blank",
            "title": "Unprocessable Entity",
            "status": 422,
            "detail": "cannot use query.limit: Input should be less than or equal to 1000",
        }
    ],
}
_TOLD = {KIND: {"schema": {"$ref": "#/components/schemas/Problem"}}}
WRONG: dict[int | str, dict[str, Any]] = {
    401: {"description": "Nobody is known by what was sent.", "content": _TOLD},
    403: {"description": "It is not allowed, or of a collection that may not be seen.", "content": _TOLD},
    "4XX": {"description": "What was asked cannot be answered; the problem says why.", "content": _TOLD},
    "5XX": {"description": "Something that is needed does not answer; the problem says what.", "content": _TOLD},
}
"""Answers that every call may give."""
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events, without an end.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
"""What a call answers that goes on."""
_UNUSED = ("HTTPValidationError", "ValidationError")


def name_of(route: APIRoute) -> str:
    """A name of a call that no other has, fit for a function of a client: ``get_incidents_incident_findings``."""
    words = re.sub(r"\W+", "_", route.path_format.removeprefix("/api/v1")).strip("_")
    return f"{min(route.methods or ['get']).lower()}_{words}"


def complete(app: FastAPI) -> None:
    """Let an application tell all of its API."""
    app.openapi = partial(_described, app)  # type: ignore[method-assign] # as FastAPI says to extend it


def _described(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        for name in _UNUSED:
            schemas.pop(name, None)
        schemas["Problem"] = PROBLEM
        made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        made["security"] = [{"token": []}]
        for calls in made["paths"].values():
            for call in calls.values():
                _complete(call)
        app.openapi_schema = made
    return app.openapi_schema


def _complete(call: dict[str, Any]) -> None:
    call["summary"] = " ".join(call.get("description", call["summary"]).partition("\n\n")[0].split()).rstrip(".")
    for status, answer in call["responses"].items():
        if status[0] in "45":
            answer["content"] = _TOLD
