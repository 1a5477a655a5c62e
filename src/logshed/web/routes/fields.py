"""The fields of records: which there are, and their most frequent values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from logshed.pipeline import explore_fields
from logshed.web.answers import json_of
from logshed.web.looking import Looked
from logshed.web.running import answered
from logshed.web.site import Shared
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from logshed.pipeline.explore_fields import Values

router = APIRouter(prefix="/api/v1/fields", tags=["search"])
Reader = Annotated[Person, needs("read")]


@router.get("")
async def known(request: Request, site: Shared, person: Reader, look: Looked) -> Response:
    """The fields that some record of the window has: how many have it, and about how many values there are."""
    asked = look.window(person)
    found = await answered(request, site, person, "fields", lambda query: explore_fields.known(query, asked))
    return json_of({"total": found[0], "items": [one._asdict() for one in found[1]], "next": None})


@router.get("/names")
async def names(person: Reader) -> Response:
    """The names that fields have in a search, short ones where there are; attributes are not among them."""
    del person
    return json_of({"items": explore_fields.names(), "next": None})


@router.get("/facets")
async def facets(
    request: Request,
    site: Shared,
    person: Reader,
    look: Looked,
    name: Annotated[list[str], Query(max_length=explore_fields.MOST_SETS, description="Fields.")],
    top: Annotated[int, Query(ge=1, le=100)] = explore_fields.TOP,
) -> Response:
    """The most frequent values of several fields at once."""
    asked = look.window(person)
    found = await answered(
        request, site, person, "values of fields", lambda query: explore_fields.facets(query, asked, name, top)
    )
    return json_of({"items": list(map(_told, found)), "next": None})


@router.get("/values")
async def values(
    request: Request,
    site: Shared,
    person: Reader,
    look: Looked,
    name: Annotated[str, Query(max_length=300, description="The field.")],
    contains: Annotated[str, Query(max_length=300, description="Only values with this text in them.")] = "",
    top: Annotated[int, Query(ge=1, le=1_000)] = explore_fields.TOP,
) -> Response:
    """The most frequent values of a field; counts are exact, `exact` is false where others may be more frequent."""
    asked = look.window(person)
    found = await answered(
        request,
        site,
        person,
        f"values of {name}",
        lambda query: explore_fields.values(query, asked, name, contains, top),
    )
    return json_of(_told(found))


def _told(found: Values) -> dict[str, object]:
    top = [{"value": value, "count": count} for value, count in found.top]
    return {"name": found.name, "records": found.records, "exact": found.exact, "values": top}
