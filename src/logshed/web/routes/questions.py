"""The named questions: which there are, and the answer to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from logshed.pipeline.narrowing import reaches
from logshed.web.boards import Scope, Scoped, known
from logshed.web.routes.dashboards import JSON, told
from logshed.web.site import Shared
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from logshed.queries import Question

router = APIRouter(prefix="/api/v1/questions", tags=["dashboards"])
Reader = Annotated[Person, needs("read")]


@router.get("")
async def listed(site: Shared, person: Reader) -> Response:
    """All questions: what they answer, their columns and their parameters."""
    del person
    there = known(site)
    items = [_described(one, there.gold) for one in there.questions.values()]
    return Response(orjson.dumps({"items": items, "next": None}), media_type=JSON)


@router.get("/{name}")
async def answered(request: Request, site: Shared, person: Reader, name: str, scope: Scoped) -> Response:
    """The answer to a question, column by column, 5,000 rows at most. Its own parameters go into the query."""
    question = known(site).questions.get(name)
    if question is None:
        raise HTTPException(404, f"there is no question {name!r}; GET /api/v1/questions lists them")
    given = {key: value for key, value in request.query_params.items() if key not in Scope.model_fields}
    question.bind(given)
    return await told(request, site, person, name, dict(given), scope)


def _described(question: Question, gold: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": question.name,
        "title": question.title,
        "description": question.description,
        "window": question.window,
        "columns": question.columns,
        "parameters": {
            name: {"kind": one.kind, "default": one.default, "meaning": one.meaning}
            for name, one in question.parameters.items()
        },
        "searchable": reaches(question.sql, gold),
    }
