"""Rules over the API: what is looked for, whether it is on, its cases, and a try on what the lake holds."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from logshed.errors import LogshedError
from logshed.pipeline import casebook, rule_book
from logshed.web.security import BLANK, assert_sees_all, unseen
from logshed.web.site import Shared, Site
from logshed.web.still import Still
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from logshed.pipeline.switches import Switches

router = APIRouter(prefix="/api/v1/rules", tags=["security"], responses=BLANK)
Reads = Annotated[Person, needs("read")]
Rules = Annotated[Person, needs("rules")]
Level = Literal["informational", "low", "medium", "high", "critical"]
LINES: dict[int | str, dict[str, Any]] = {
    200: {"description": "How far it is, then what it found.", "content": {"application/x-ndjson": {"schema": {}}}}
}
TELL_SECONDS = 0.3
"""How often a try on the lake tells how far it is."""


class Wanted(BaseModel):
    """Which rules."""

    model_config = ConfigDict(extra="forbid")

    level: list[Level] = Field(default_factory=list, description="Any of these; none are all.")
    kind: list[str] = Field(default_factory=list, description="event, event_count, anomaly …: any of these.")
    source: str = Field("", description="A part of the log source.", max_length=256)
    tag: str = Field("", description="A part of a tag or technique, such as t1110.", max_length=256)
    state: Literal["on", "off"] | None = None
    q: str = Field("", description="A part of the name, title or author.", max_length=256)
    since: str = Field("30d", description="From when on findings are counted.", max_length=64)
    limit: int = Field(2_000, ge=1, le=10_000)
    cursor: str = Field("", description="`next` of the page before.", max_length=256)


class Switched(BaseModel):
    """How a rule is switched."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"on": False, "reason": "our crawler"}]})

    on: bool
    reason: str = Field("", max_length=1_000)


class Tried(BaseModel):
    """On what a rule is tried."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"since": "30d"}]})

    since: str = Field("30d", max_length=64)
    until: str = Field("", max_length=64)


@router.get("")
async def rules(site: Shared, person: Reads, wanted: Annotated[Wanted, Query()]) -> dict[str, Any]:
    """All that is looked for, with how often it was found in your collections, and whether it is on."""
    lake, begin = site.lake(person), site.whole.moment(wanted.since)

    def work() -> list[dict[str, Any]]:
        found = casebook.by_rule(lake.ask, begin)
        switches = site.whole.security.switches()
        every = [_about(one, switches, found) for one in rule_book.entries(site.settings)]
        return [one for one in every if _fits(one, wanted) and one["name"] > wanted.cursor]

    items = await site.pool.run(person, work)
    more = len(items) > wanted.limit
    items = items[: wanted.limit]
    return {"items": items, "next": items[-1]["name"] if more else None, "broken": _broken(site, person)}


@router.get("/{rule}")
async def one(site: Shared, person: Reads, rule: str) -> dict[str, Any]:
    """One rule: its text, its cases, whether it is on and who said so."""
    known = entry(site, person, rule)
    lake, begin = site.lake(person), site.whole.moment("30d")
    found = await site.pool.run(person, lambda: casebook.by_rule(lake.ask, begin))
    told = _about(known, site.whole.security.switches(), found)
    source = site.whole.security.rules().rules.get(rule)
    if source is None:
        return told | {"description": "", "text": "", "file": "", "cases": [], "can_try": False}
    return told | {
        "description": source.description,
        "references": source.references,
        "falsepositives": source.falsepositives,
        "license": source.license,
        "text": source.text,
        "file": Path(source.file).name,
        "cases": [_case(case) for case in source.cases],
        "can_try": True,
    }


@router.post("/{rule}/tests")
async def test(site: Shared, person: Rules, rule: str) -> dict[str, Any]:
    """Run the cases inside it: what it must find, and what it must not."""
    entry(site, person, rule)
    outcomes = await site.pool.run(person, lambda: site.whole.security.test([rule]))
    items = [{**_case(one.case), "found": one.found, "ok": one.ok, "parsed": one.parsed} for one in outcomes]
    return {"items": items, "next": None}


@router.post("/{rule}/backtests", response_class=StreamingResponse, responses=LINES)
async def backtest(request: Request, site: Shared, person: Rules, rule: str, tried: Tried) -> StreamingResponse:
    """Try it on what the lake holds of your collections: lines of JSON that tell how far it is, then what it found.

    Whoever closes the connection ends it.
    """
    if rule not in site.whole.security.rules().rules:
        raise unseen(person, "rule", rule)
    for text in (tried.since, tried.until or "now"):
        site.whole.moment(text)
    still = Still(site.who, request, person, "rules")
    return StreamingResponse(_trying(site, person, still, rule, tried), media_type="application/x-ndjson")


@router.put("/{rule}/state")
async def switch(site: Shared, person: Rules, rule: str, switched: Switched) -> dict[str, Any]:
    """Switch it on or off, whatever the settings say."""
    return await _switch(site, person, rule, on=switched.on, reason=switched.reason)


@router.delete("/{rule}/state")
async def leave(site: Shared, person: Rules, rule: str) -> dict[str, Any]:
    """Let the settings say again whether it is on."""
    return await _switch(site, person, rule, on=None, reason="")


async def _switch(site: Site, person: Person, rule: str, *, on: bool | None, reason: str) -> dict[str, Any]:
    assert_sees_all(person, "rules are")
    known = entry(site, person, rule)
    security = site.whole.security
    await site.changed(person, lambda: security.switch(rule, on=on, by=person.name, reason=reason))
    return _about(known, security.switches(), {})


async def _trying(site: Site, person: Person, still: Still, rule: str, tried: Tried) -> AsyncIterator[bytes]:
    stop, state = threading.Event(), {"done": 0, "total": 0}

    def progress(done: int, total: int) -> None:
        if stop.is_set() or site.ending.is_set():
            raise LogshedError("cannot go on: nobody reads the result any more")
        state.update(done=state["done"] + done, total=total)

    security = site.lake(person).security
    task = asyncio.create_task(
        site.pool.run(
            person,
            lambda: security.backtest(rule, since=tried.since, until=tried.until or None, progress=progress),
        )
    )
    try:
        while not task.done() and await still.may():
            yield orjson.dumps({"progress": state}) + b"\n"
            await asyncio.wait({task}, timeout=TELL_SECONDS)
        if not await still.may():
            return
        try:
            line: dict[str, Any] = {"result": task.result().as_dict()}
        except LogshedError as error:
            line = {"error": str(error)}
        yield orjson.dumps(line) + b"\n"
    finally:
        stop.set()
        if not task.done():
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())


def entry(site: Site, person: Person, rule: str) -> rule_book.Entry:
    """What is looked for under a name.

    Raises:
        HTTPException: There is nothing of this name.
    """
    found = next((one for one in rule_book.entries(site.settings) if one.name == rule), None)
    if found is None:
        raise unseen(person, "rule", rule)
    return found


def _about(entry: rule_book.Entry, switches: Switches, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    said = switches.said(entry.name)
    return {
        **asdict(entry),
        "on": switches.on(entry.name),
        "by_settings": switches.by_settings(entry.name),
        "switched": {"by": said.by, "made": said.made, "reason": said.reason} if said else None,
        **found.get(entry.name, {"findings": 0, "last": None}),
    }


def _fits(one: dict[str, Any], wanted: Wanted) -> bool:
    texts = {
        wanted.q: (one["name"], one["title"], one["author"]),
        wanted.source: (one["source"],),
        wanted.tag: (*one["tags"], one["technique"]),
    }
    return (
        (not wanted.level or one["level"] in wanted.level)
        and (not wanted.kind or one["kind"] in wanted.kind)
        and (wanted.state is None or one["on"] == (wanted.state == "on"))
        and all(part.lower() in " ".join(inside).lower() for part, inside in texts.items())
    )


def _case(case: Any) -> dict[str, Any]:
    return {"title": case.title, "finds": case.holds, "lines": case.lines, "events": case.events, "repeat": case.repeat}


def _broken(site: Site, person: Person) -> dict[str, str]:
    """Rule files that cannot be used: for those who can do something about them."""
    return site.whole.security.rules().broken if "rules" in person.abilities else {}
