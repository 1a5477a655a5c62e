"""Records: page by page, one with its raw line, the ones around it, and those of a trace."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
from fastapi import APIRouter, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from logshed.pipeline import explore_pages, explore_records
from logshed.pipeline.explore_raw import with_lines
from logshed.pipeline.explore_traces import trace
from logshed.web.answers import json_of, moment_of, rows_of
from logshed.web.looking import Looked
from logshed.web.running import answered
from logshed.web.site import Shared
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from logshed.web.running import Query as Ask

router = APIRouter(prefix="/api/v1", tags=["records"])
MOST = 1_000
MOST_SKIPPED = 1_000_000
MOST_AROUND = 500
Reader = Annotated[Person, needs("read")]
Time = Annotated[datetime | None, Query(description="The record's time, by which it is found at once.")]


@router.get("/records")
async def records(
    request: Request,
    site: Shared,
    person: Reader,
    look: Looked,
    field: Annotated[list[str] | None, Query(max_length=100, description="Fields; none are all.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    cursor: Annotated[str | None, Query(max_length=4_000, description="`next` of the page before.")] = None,
    skip: Annotated[int, Query(ge=0, le=MOST_SKIPPED, description="Leave out so many first.")] = 0,
    edge: Annotated[datetime | None, Query(description="Up to where they probably lie: only quicker.")] = None,
    oldest_first: Annotated[bool, Query()] = False,
) -> Response:
    """A page of records, newest first, without what is null.

    Of a record that no format took `raw` is the beginning of its line. A cursor keeps the time and what had arrived:
    pages stay the same while others arrive. Everything at once, as a stream: `/api/v1/export`.
    """
    asked = look.window(person)

    def work(query: Ask) -> tuple[pl.DataFrame, str | None]:
        page = explore_pages.page(
            query, asked, field or (), limit=limit, cursor=cursor, skip=skip, edge=edge, oldest_first=oldest_first
        )
        return with_lines(query, page.result.pl()), page.next

    found, following = await answered(request, site, person, f"records of {look.q}", work)
    return rows_of(found, following=following)


@router.get("/records/{record_id}")
async def record(request: Request, site: Shared, person: Reader, record_id: str, time: Time = None) -> Response:
    """A record with all of its fields, and its raw line as long as that is kept."""

    def work(query: Ask) -> dict[str, Any] | None:
        found = explore_records.one(query, record_id, time)
        return found and {"record": _told(found), "raw": explore_records.raw(query, found)}

    found = await answered(request, site, person, "a record", work)
    return json_of(_there(found))


@router.get("/records/{record_id}/around")
async def around(
    request: Request,
    site: Shared,
    person: Reader,
    record_id: str,
    time: Time = None,
    count: Annotated[int, Query(ge=1, le=MOST_AROUND)] = explore_records.AROUND,
) -> Response:
    """The records before a record in its source and those behind it, as the source has them; `match` is the record."""

    def work(query: Ask) -> pl.DataFrame | None:
        found = explore_records.one(query, record_id, time)
        if found is None:
            return None
        before, after = explore_records.around(query, found, count)
        own = query(explore_records.own(found)).pl()
        parts = [before.pl(), own, after.pl()]
        marks = [pl.Series("match", [place == 1] * part.height, pl.Boolean) for place, part in enumerate(parts)]
        return pl.concat([part.with_columns(mark) for part, mark in zip(parts, marks, strict=True)])

    found = await answered(request, site, person, "what is around a record", work)
    return rows_of(_there(found))


@router.get("/traces/{trace_id}")
async def spans(
    request: Request,
    site: Shared,
    person: Reader,
    trace_id: str,
    since: Annotated[datetime | None, Query()] = None,
    until: Annotated[datetime | None, Query()] = None,
) -> Response:
    """The records of a trace, as the lines of a waterfall."""
    found = await answered(
        request, site, person, f"trace {trace_id}", lambda query: trace(query, trace_id, since, until)
    )
    if found.begin is None:
        _there(None)
    lines = [line._asdict() | {"records": list(map(_told, line.records))} for line in found.lines]
    return json_of(found._asdict() | {"begin": moment_of(found.begin), "lines": lines})


def _told(record: dict[str, Any]) -> dict[str, Any]:
    """Without what is null; times as RFC 3339."""
    shown = {name: value for name, value in record.items() if value is not None and value != {}}
    return {name: moment_of(value) if isinstance(value, datetime) else value for name, value in shown.items()}


def _there(found: Any) -> Any:
    if found is None:
        raise HTTPException(404, "there is no such record among those that you may see")
    return found
