"""Formats: which there are, and what lines that somebody shows are."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from logshed.web.paging import Paged
from logshed.web.site import Shared, Site
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/formats", tags=["formats"])
Reader = Annotated[Person, needs("read")]
LINE = '198.51.100.7 - - [26/Nov/2026:10:00:00 +0000] "GET /lamps?page=2 HTTP/1.1" 200 5120 "-" "curl/8.5"'


class Lines(BaseModel):
    """Lines that are to be explained."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": LINE, "format": "auto"}})

    text: str = Field(max_length=200_000, description="Lines of a log; nothing of them is kept.")
    format: str = Field("auto", max_length=200, description="`auto`, or a format to try, such as `docker_json/java`.")


@router.get("")
async def list_formats(site: Shared, person: Reader, paging: Paged) -> dict[str, Any]:
    """All formats: ours, installed packages' and your own."""
    rows = await site.pool.run(person, _formats, site)
    return paging.part([{key: one[key] for key in ("name", "title", "kind", "log_type", "aliases")} for one in rows])


@router.post("/explain")
async def explain_lines(site: Shared, person: Reader, lines: Lines) -> dict[str, Any]:
    """Which format lines have and why, what comes out of them, and which other formats take them."""
    return await site.pool.run(person, site.lake(person).explain, lines.text, lines.format)


@router.get("/{name}")
async def show_format(site: Shared, person: Reader, name: str) -> dict[str, Any]:
    """A format with its sample lines and the columns that come out of them."""
    rows = await site.pool.run(person, _formats, site)
    found = next((one for one in rows if name in (one["name"], *one["aliases"])), None)
    if found is None:
        raise HTTPException(404, f"there is no format {name}")
    return found


def _formats(site: Site) -> list[dict[str, Any]]:
    from logshed.formats import registry  # noqa: PLC0415 - heavy

    return [
        {
            "name": one.name,
            "title": one.title,
            "kind": one.kind,
            "log_type": one.log_type,
            "aliases": list(one.aliases),
            "references": list(one.references),
            "samples": [{"line": sample.line, "expect": dict(sample.expect)} for sample in one.samples],
        }
        for one in registry.load(site.settings.plugins, samples=True).values()
    ]
