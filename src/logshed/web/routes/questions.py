"""The named questions: which there are, and the answer to one."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from logshed.pipeline.boards import as_text, understood
from logshed.pipeline.narrowing import reaches
from logshed.web.boards import Scope, Scoped, known
from logshed.web.routes.dashboards import JSON, told
from logshed.web.running import waited
from logshed.web.site import Shared, Site
from logshed.web.still import Still
from logshed.web.streaming import Form, streamed
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from logshed.pipeline.boards import Ask
    from logshed.queries import Question
    from logshed.sql.result import Result

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
async def answered(
    request: Request,
    site: Shared,
    person: Reader,
    name: str,
    scope: Scoped,
    form: Annotated[Form | None, Query(alias="format", description="All rows, sent as they are read.")] = None,
) -> Response:
    """The answer to a question. Its own parameters go into the query.

    Without a format it is JSON, column by column, of 5,000 rows at most; with one it is all rows. In CSV a text that a
    spreadsheet would take for a formula begins with an apostrophe.
    """
    own = _own(request, site, name)
    if form is None:
        return await told(request, site, person, name, own, scope)
    return await _sent(request, site, person, scope.ask(person, name, own), form)


@router.get("/{name}/sql")
async def statement(request: Request, site: Shared, person: Reader, name: str, scope: Scoped) -> Response:
    """The statement of a question with its values in it, to go on with in SQL."""
    ask = scope.ask(person, name, _own(request, site, name))
    there = known(site)
    return Response(orjson.dumps({"sql": as_text(understood(ask, there.questions[name], there.gold))}), media_type=JSON)


def _own(request: Request, site: Site, name: str) -> dict[str, object]:
    """A question's own parameters, as they were given.

    Raises:
        HTTPException: There is no such question.
        logshed.errors.UsageError: There is no such parameter, or its value is wrong.
    """
    question = known(site).questions.get(name)
    if question is None:
        raise HTTPException(404, f"there is no question {name!r}; GET /api/v1/questions lists them")
    given = {key: value for key, value in request.query_params.items() if key not in {*Scope.model_fields, "format"}}
    question.bind(given)
    return dict(given)


async def _sent(request: Request, site: Site, person: Person, ask: Ask, form: Form) -> Response:
    there = known(site)
    statement = understood(ask, there.questions[ask.question], there.gold)
    details = {"question": ask.question, "search": ask.matching, "format": form, "since": ask.since, "until": ask.until}
    await site.audit(person, "export", ask.question, details=details, collection=ask.collection or "*")
    with ExitStack() as stack:
        job = stack.enter_context(site.running.begun(site.lake(person), person, f"export of {ask.question}", sent=True))

        def begin() -> Result:
            return job.query(statement.sql, statement.values, ask.timezone)

        result = await waited(request, site, person, job, begin)
        held = stack.pop_all()
    return streamed(result, form, Still(site.who, request, person), ask.question, held)


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
