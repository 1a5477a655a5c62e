"""Searching, without the records themselves: what a search means, its bars, completion, counts, templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from logshed.errors import UsageError
from logshed.pipeline import explore_bars, explore_complete, patterns
from logshed.pipeline.explore import opened
from logshed.pipeline.explore_bars import SEVERITY
from logshed.pipeline.explore_first import Wanted
from logshed.queries.times import EARLIEST, LATEST
from logshed.search import statements
from logshed.web.answers import bars_told, json_of, moment_of, rows_of, window_told
from logshed.web.first import STREAMED, ahead, told
from logshed.web.looking import Looked
from logshed.web.running import answered
from logshed.web.site import Shared
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from logshed.pipeline.explore import Opening
    from logshed.pipeline.patterns import Patterns
    from logshed.web.running import Query as Ask

router = APIRouter(prefix="/api/v1/search", tags=["search"])
MOST_GROUPS = 10_000
MOST_TEMPLATES = 1_000
Reader = Annotated[Person, needs("read")]


@router.get("/window")
async def window(request: Request, site: Shared, person: Reader, look: Looked) -> Response:
    """What a search looks at, in moments that stay.

    Give `since`, `until` and `newest` to the other routes, and all of them tell of the same records while others
    arrive. `first` and `last` say of what time there are records at all.
    """
    asked = look.window(person)

    def work(query: Ask) -> Opening:
        return opened(query, asked, site.extents.of(site.lake(person), person, query, asked.scope.collection))

    found = await answered(request, site, person, f"window of {look.q}", work)
    return json_of(window_told(found))


@router.get("/first", responses=STREAMED)
async def first(
    request: Request,
    site: Shared,
    person: Reader,
    look: Looked,
    field: Annotated[list[str] | None, Query(max_length=100, description="Fields; none are all.")] = None,
    by: Annotated[str, Query(max_length=300, description="What bars are told apart by.")] = SEVERITY,
    oldest_first: Annotated[bool, Query()] = False,
    begun: Annotated[str, Query(max_length=100, description="What a page of ours has begun already.")] = "",
) -> Response:
    """All that a page shows of a search first, in lines of JSON, each as soon as it is there, in any order.

    `window` and `bars` are what the routes of that name answer, `records` the first page of `/api/v1/records`; an
    `error` ends it.
    """
    wanted = Wanted(tuple(field or ()), by, oldest_first)
    parts = site.firsts.taken(begun, person, look, wanted).parts()
    begins = await ahead(request, parts)
    return StreamingResponse(
        told(begins, parts), media_type="application/x-ndjson", headers={"X-Accel-Buffering": "no"}
    )


@router.get("/bars")
async def bars(
    request: Request,
    site: Shared,
    person: Reader,
    look: Looked,
    by: Annotated[
        str, Query(max_length=300, description="A field; `severity` counts requests by status too.")
    ] = "severity",
    top: Annotated[int, Query(ge=1, le=20)] = explore_bars.TOP,
    step: Annotated[int, Query(ge=0, le=160_000_000, description="Seconds of a step; 0 takes about 80 steps.")] = 0,
) -> Response:
    """Records by steps of time and by the values of a field; each series with the search that finds its records."""
    asked = look.window(person)

    def work(query: Ask) -> explore_bars.Bars | None:
        known = site.extents.of(site.lake(person), person, query, asked.scope.collection)
        begun = opened(query, asked, known) if asked.scope.since is None or asked.scope.until is None else None
        since, until = (begun.since, begun.until) if begun else (asked.scope.since, asked.scope.until)
        if since is None or until is None or since >= until:
            return None
        return explore_bars.bars(query, asked, (since, until), by, top=top, step=step)

    found = await answered(request, site, person, f"bars of {look.q}", work)
    return json_of(bars_told(found, step))


@router.get("/complete")
async def complete(
    request: Request,
    site: Shared,
    person: Reader,
    look: Looked,
    at: Annotated[int, Query(ge=0, le=10_000, description="The place of the cursor in `q`.")],
) -> Response:
    """What could stand at the cursor: names of fields, or values that records of the window have."""
    text, asked = look.q, look.model_copy(update={"q": ""}).window(person)

    def work(query: Ask) -> explore_complete.Completion:
        return explore_complete.complete(query, asked, text, at)

    found = await answered(request, site, person, "completion", work)
    return json_of(found._asdict() | {"offers": [offer._asdict() for offer in found.offers]})


@router.get("/counts")
async def counts(
    request: Request,
    site: Shared,
    person: Reader,
    look: Looked,
    by: Annotated[list[str], Query(description="Fields.", max_length=10)],
    limit: Annotated[int, Query(ge=1, le=MOST_GROUPS)] = 100,
) -> Response:
    """How many records each value of some fields has, most first."""
    statement = statements.grouped(look.window(person).seen, by, limit=limit)
    found = await answered(request, site, person, f"counts of {look.q}", lambda query: query(statement).pl())
    return rows_of(found)


@router.get("/patterns")
async def templates(
    request: Request,
    site: Shared,
    person: Reader,
    look: Looked,
    change: Annotated[patterns.Change | None, Query(description="Only those that are new, or have vanished.")] = None,
    baseline: Annotated[str, Query(max_length=64)] = patterns.BASELINE,
    limit: Annotated[int, Query(ge=1, le=MOST_TEMPLATES)] = 200,
) -> Response:
    """The templates of the messages: what programs write, with the values taken out."""
    asked = look.window(person)
    since, until = asked.scope.since or EARLIEST, asked.scope.until or LATEST
    wanted = patterns.Asked(since, until, asked.scope.collection, None, asked.seen.condition)

    def work(query: Ask) -> Patterns:
        if change is None:
            return patterns.patterns(query, wanted)
        if since <= EARLIEST:
            raise UsageError("cannot tell what is new: the window has no beginning; give `since`")
        return patterns.changes(query, wanted, baseline, change)

    found = await answered(request, site, person, f"templates of {look.q}", work)
    more = {
        "total": found.frame.height,
        "messages": found.messages,
        "since": moment_of(since if since > EARLIEST else None),
        "until": moment_of(until if until < LATEST else None),
        "before": found.before,
    }
    return rows_of(found.frame.head(limit), more)
