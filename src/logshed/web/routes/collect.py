"""The collector's verbs: containers of the places that the settings name, as they stand and what they wrote lately."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from logshed.errors import SourceError, UsageError
from logshed.web.site import Shared, Site
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from logshed.pipeline.containers import Containers

router = APIRouter(prefix="/api/v1/collect", tags=["collect"])
Collector = Annotated[Person, needs("collect")]
MOST_HOURS = 168.0
HOUR_S = 3600
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": {"application/json": {"schema": {}}}}
}
Hours = Annotated[float, Query(gt=0, le=MOST_HOURS, description="From so many hours ago on.")]
Container = Annotated[str | None, Query(max_length=128, description="Only this one.")]


class Save(BaseModel):
    """What is to be saved."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"hours": 6, "containers": ["shop"]}})

    hours: float = Field(1, gt=0, le=MOST_HOURS, description="From so many hours ago on.")
    containers: list[str] = Field([], max_length=100, description="Only these; none are all.")


@router.get("/containers")
async def containers(site: Shared, person: Collector) -> dict[str, Any]:
    """The containers of each place with their state; places that do not answer are in `failed`."""
    found, rows = await _asked(site, person, "containers", lambda there: there.listed())
    return {"items": rows, "next": None, "failed": found.failed}


@router.get("/logs")
async def logs(site: Shared, person: Collector, hours: Hours = 1, container: Container = None) -> dict[str, Any]:
    """What containers wrote, by name: each entry with its time, level and message, redacted."""
    found, entries = await _asked(site, person, "logs", _since(hours), _names(container), {"hours": hours})
    return {"containers": entries, "failed": found.failed}


@router.get("/errors")
async def errors(site: Shared, person: Collector, hours: Hours = 1, container: Container = None) -> dict[str, Any]:
    """The errors of each container that has any."""
    found, entries = await _asked(site, person, "errors", _since(hours), _names(container), {"hours": hours})
    from logshed.pipeline.container_sums import errors as of  # noqa: PLC0415 - heavy

    return {"containers": of(entries), "failed": found.failed}


@router.get("/summary")
async def summary(site: Shared, person: Collector, hours: Hours = 1) -> dict[str, Any]:
    """How many errors there are, of which containers, and which are critical."""
    found, entries = await _asked(site, person, "summary", _since(hours), (), {"hours": hours})
    from logshed.pipeline.container_sums import summary as of  # noqa: PLC0415 - heavy

    return {**of(entries, hours), "failed": found.failed}


@router.get("/health")
async def health(site: Shared, person: Collector) -> dict[str, Any]:
    """Whether each place can be read."""
    found, told = await _asked(site, person, "health", lambda there: there.health(), whole=False)
    del found
    return dict(told)


@router.post("/save", response_class=Response, responses=FILE)
async def save(site: Shared, person: Collector, wanted: Save) -> Response:
    """What containers wrote, as the JSON file that `logshed collect save` writes; it is sent, and not kept here."""
    from logshed.pipeline.containers import file_name, written  # noqa: PLC0415 - heavy

    asked = {"hours": wanted.hours}
    _, entries = await _asked(site, person, "save", _since(wanted.hours), tuple(wanted.containers), asked)
    headers = {"Content-Disposition": f'attachment; filename="{file_name()}"'}
    return Response(written(entries), headers=headers, media_type="application/json")


async def _asked(
    site: Site,
    person: Person,
    verb: str,
    ask: Callable[[Containers], Any],
    names: tuple[str, ...] = (),
    details: Mapping[str, Any] | None = None,
    *,
    whole: bool = True,
) -> tuple[Containers, Any]:
    """The containers of the places that somebody may ask, and what asking came to.

    Args:
        site: What routes share.
        person: Who asks.
        verb: What the audit trail calls it.
        ask: Asks.
        names: Only these containers.
        details: More for the audit trail.
        whole: Whether it is an error that no place answers.
    """
    found = _places(site, person, names)
    await site.audit(person, f"collect {verb}", ", ".join(names) or "all containers", details=details)
    answer = await site.pool.run(person, ask, found)
    if whole and found.nothing:
        raise SourceError(next(iter(found.failed.values())))
    return found, answer


def _places(site: Site, person: Person, names: tuple[str, ...]) -> Containers:
    """The places of the settings whose records are of collections that somebody may see."""
    from logshed.pipeline.containers import Containers as Found  # noqa: PLC0415 - heavy
    from logshed.sources.places import places  # noqa: PLC0415 - heavy

    settings = site.settings
    try:
        there = places(settings, (), names)
    except UsageError as error:
        if settings.collect or settings.ssh.host:
            raise
        told = "cannot ask running systems: logshed.toml names none; write [[collect]] with a host, or docker"
        raise UsageError(told) from error
    own = [one for one in there if person.may("collect", one.collection or settings.collection)]
    if not own:
        raise HTTPException(403, "not allowed")
    return Found(settings, own)


def _since(hours: float) -> Callable[[Containers], Any]:
    return lambda there: there.entries(time.time() - HOUR_S * hours)


def _names(container: str | None) -> tuple[str, ...]:
    return () if container is None else (container,)
