"""What comes now: the hot store's collections, places, newest lines, and streams of them; and replays of the lake."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from logshed.doors.live_answers import MOST_SHOWN
from logshed.doors.stream import Stream
from logshed.doors.ticks import LONGEST_COLLECTION
from logshed.errors import LiveError
from logshed.web.site import Shared, Site
from logshed.web.specifying import EVENTS
from logshed.web.still import Still
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from logshed.web.watching import Running

MOST_STREAMS = 1_000
"""Who watch one feed at a time."""
router = APIRouter(prefix="/api/v1/live", tags=["live"])
Collection = Annotated[
    str | None, Query(max_length=LONGEST_COLLECTION, description="Only of this one; else of all that may be seen.")
]
Replay = Annotated[str | None, Query(max_length=64, description="Of this replay in place of the hot store.")]
Reader = Annotated[Person, needs("read")]


class Play(BaseModel):
    """A replay that is to begin."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"since": "24h", "duration": "2m", "collections": ["web"], "loop": True}},
    )

    since: str | None = Field(None, max_length=64, description="First moment: `24h`, a date, `all`.")
    until: str | None = Field(None, max_length=64, description="First moment after.")
    duration: str | None = Field(None, max_length=16, description="How long it takes, such as `2m`; or `speed`.")
    speed: float | None = Field(None, gt=0, description="How many times as quick as it was.")
    start: str | None = Field(
        None, max_length=64, description="Where to begin: a share such as `40%`, or a time in it."
    )
    collections: list[str] = Field([], max_length=200, description="Only of these; none are all that may be seen.")
    loop: bool = Field(False, description="Begin anew at the end.")


class Played(BaseModel):
    """What is to become of a replay."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"paused": True}})

    paused: bool


@router.get("")
async def hot_store(site: Shared, person: Reader) -> dict[str, Any]:
    """How the hot store is: whether it answers, what it takes, how much it keeps."""
    settings = site.settings.live
    told: dict[str, Any] = {"enabled": settings.enabled, "hours": settings.hours, "lines": settings.lines}
    try:
        figures = await site.watching.figures()
    except LiveError as error:
        return {**told, "answers": False, "problem": str(error)}
    own = {name: lines for name, lines in figures.kept.items() if person.may("read", name)}
    return {**told, "answers": True, **figures._asdict(), "kept": own}


@router.get("/collections")
async def live_collections(site: Shared, person: Reader, replay: Replay = None) -> dict[str, Any]:
    """Collections and their hits, those with most first."""
    return await (await _running(site, person, replay)).answers.collections(person.grant)


@router.get("/countries")
async def live_countries(
    site: Shared, person: Reader, collection: Collection = None, replay: Replay = None
) -> dict[str, Any]:
    """Countries that records came from, with their hits."""
    _check(person, collection)
    return await (await _running(site, person, replay)).answers.countries(person.grant, collection)


@router.get("/locations")
async def live_locations(
    site: Shared,
    person: Reader,
    collection: Collection = None,
    replay: Replay = None,
    top: Annotated[int, Query(ge=1, le=200)] = 20,
) -> dict[str, Any]:
    """Places that most records came from, with their hits."""
    _check(person, collection)
    return await (await _running(site, person, replay)).answers.locations(person.grant, collection, top)


@router.get("/lines")
async def live_lines(
    site: Shared,
    person: Reader,
    collection: Annotated[str, Query(max_length=LONGEST_COLLECTION)],
    replay: Replay = None,
    last: Annotated[int, Query(ge=1, le=MOST_SHOWN)] = 100,
) -> dict[str, Any]:
    """The newest lines of a collection with their times (seconds since 1970), the oldest first."""
    _check(person, collection)
    return await (await _running(site, person, replay)).answers.lines(collection, last)


@router.get("/events", response_class=Response, responses=EVENTS)
async def live_events(
    request: Request, site: Shared, person: Reader, collection: Collection = None, replay: Replay = None
) -> Response:
    """Records as they happen, where from, ten times a second: server-sent events, as the live map has them."""
    _check(person, collection)
    return _stream(request, site, person, await _running(site, person, replay), collection)


@router.get("/tail", response_class=Response, responses=EVENTS)
async def live_tail(request: Request, site: Shared, person: Reader, collection: Collection = None) -> Response:
    """Lines as they come: server-sent events `tick`, `{"by": {collection: {"n": records, "l": [[time, line], …]}}}`.

    Of more than 600 lines a second of one collection the newest come; `n` counts all. A program that was cut off sends
    `Last-Event-ID` and gets what it missed, or `gap`.
    """
    _check(person, collection)
    return _stream(request, site, person, await site.watching.hot("tail"), collection)


@router.post("/replays", status_code=201)
async def begin_replay(site: Shared, person: Reader, play: Play) -> dict[str, Any]:
    """Show records of the lake again; it begins when somebody watches, and ends a minute after the last has."""
    from logshed.pipeline.replay_words import Words  # noqa: PLC0415 - heavy

    for name in play.collections:
        _check(person, name)
    words = Words(
        since=play.since,
        until=play.until,
        duration=play.duration,
        speed=play.speed,
        collections=tuple(play.collections),
        timezone=site.settings.timezone or "UTC",
    )
    return _told(await site.watching.begin(site, person, words, play.start, loop=play.loop))


@router.get("/replays/{name}")
async def replay_place(site: Shared, person: Reader, name: str) -> dict[str, Any]:
    """Where a replay is."""
    return _told(site.watching.replay(name, person))


@router.patch("/replays/{name}")
async def change_replay(site: Shared, person: Reader, name: str, played: Played) -> dict[str, Any]:
    """Let a replay stand, or go on."""
    running = site.watching.replay(name, person)
    assert running.events is not None  # noqa: S101 - it is a replay
    if played.paused:
        running.events.clock.pause()
    else:
        running.events.clock.start()
    return _told(running)


@router.delete("/replays/{name}", status_code=204)
async def end_replay(site: Shared, person: Reader, name: str) -> None:
    """End a replay."""
    site.watching.end(site.watching.replay(name, person))


async def _running(site: Site, person: Person, replay: str | None) -> Running:
    return await site.watching.hot("map") if replay is None else site.watching.replay(replay, person)


def _check(person: Person, collection: str | None) -> None:
    if collection is not None and not person.may("read", collection):
        raise HTTPException(403, "not allowed")


def _stream(request: Request, site: Site, person: Person, running: Running, collection: str | None) -> Response:
    if running.feed.watching >= MOST_STREAMS:
        raise HTTPException(503, "too many are watching", {"Retry-After": "30"})

    sees = collection.__eq__ if collection is not None else lru_cache(MOST_SHOWN)(partial(person.may, "read"))
    still = Still(site.who, request, person, seconds=0)
    return Stream(running.feed, running.feed.join(sees, request.headers.get("last-event-id", "")), still.may)


def _told(running: Running) -> dict[str, Any]:
    """A replay as programs see it; times are seconds since 1970."""
    from logshed.pipeline.replay_clock import MICROSECONDS  # noqa: PLC0415 - heavy

    events = running.events
    assert events is not None  # noqa: S101 - it is a replay
    window, clock = events.window, events.clock
    lap = min(1.0, clock.place / window.length) if not events.loops else clock.place / window.length % 1
    return {
        "id": running.name,
        "since": window.since / MICROSECONDS,
        "until": window.until / MICROSECONDS,
        "seconds": window.length,
        "speed": window.speed,
        "share": lap,
        "at": window.moment(lap) / MICROSECONDS,
        "paused": clock.paused,
        "loop": events.loops,
        "state": running.feed.state,
    }
