"""Raw SQL over what somebody may see: run, plan, and which tables there are."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from logshed.schema import FINDINGS, SILVER
from logshed.web.answers import json_of
from logshed.web.running import answered, waited
from logshed.web.site import Shared
from logshed.web.still import Still
from logshed.web.streaming import STREAMED, Form, form_of, streamed
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from logshed.web.running import Query as Ask

router = APIRouter(prefix="/api/v1/sql", tags=["sql"])
LONGEST = 100_000
MEANINGS = {("findings", one.name): one.meaning for one in FINDINGS} | {
    ("logs", one.name): one.meaning for one in SILVER
}
Analyst = Annotated[Person, needs("sql")]


class Statement(BaseModel):
    """A statement."""

    sql: str = Field(
        max_length=LONGEST,
        description="One SELECT in DuckDB's dialect; `$name` stands for a value.",
        examples=["SELECT service_name, count(*) FROM logs GROUP BY ALL ORDER BY 2 DESC LIMIT 10"],
    )
    params: dict[str, str | int | float | bool | None] = Field({}, description="The values of its parameters.")
    timezone: str | None = Field(None, max_length=64, description="The zone of days and hours; UTC unless set.")


@router.post("", response_class=Response, responses=STREAMED)
async def run(
    request: Request,
    site: Shared,
    person: Analyst,
    statement: Statement,
    form: Annotated[Form | None, Query(alias="format", description="`Accept` says it otherwise.")] = None,
    accept: Annotated[str, Header()] = "",
) -> Response:
    """Run a statement; its rows come as they are computed, without a cap.

    The header `X-Query-Id` names it for `DELETE /api/v1/queries/{id}`; whoever goes away ends it too.
    """
    with ExitStack() as stack:
        job = stack.enter_context(site.running.begun(site.lake(person), person, statement.sql, sent=True))
        params: dict[str, object] = dict(statement.params)
        result = await waited(request, site, person, job, lambda: job.theirs(statement.sql, params, statement.timezone))
        held = stack.pop_all()
    answer = streamed(result, form or form_of(accept), Still(site.who, request, person, "sql"), held=held)
    answer.headers["X-Query-Id"] = job.id
    return answer


@router.post("/plan")
async def plan(request: Request, site: Shared, person: Analyst, statement: Statement) -> Response:
    """How a statement would be run."""
    with site.running.begun(site.lake(person), person, "a plan") as job:

        def work() -> list[Any]:
            return job.theirs(f"EXPLAIN {statement.sql}", dict(statement.params)).rows()

        found = await waited(request, site, person, job, work)
    return json_of({"plan": "\n".join(str(row[-1]) for row in found)})


@router.get("/tables")
async def tables(request: Request, site: Shared, person: Analyst) -> Response:
    """The tables that somebody may read, with their columns."""

    def work(query: Ask) -> list[Any]:
        return query(
            "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema IN ('main', 'analytics') ORDER BY table_schema DESC, table_name, ordinal_position"
        ).rows()

    found: dict[str, list[dict[str, str]]] = {}
    for schema, table, column, kind in await answered(request, site, person, "tables", work):
        name = table if schema == "main" else f"iceberg.{schema}.{table}"
        meaning = MEANINGS.get((table, column), "")
        found.setdefault(name, []).append({"name": column, "type": kind, "meaning": meaning})
    return json_of({"items": [{"name": name, "columns": columns} for name, columns in found.items()], "next": None})
