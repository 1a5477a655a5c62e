"""The pages of collections: all, and one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException

from logshed.web.rendering import Page, page
from logshed.web.who import Person, sees

if TYPE_CHECKING:
    from starlette.responses import Response

PAGES = (Page("collections", "Collections", "/collections", "collections", 60),)
router = APIRouter(include_in_schema=False)


@router.get("/collections")
async def collections(request: Request, person: Annotated[Person, sees("read")]) -> Response:
    """All that one may see."""
    return page(request, person, "collections.html", "collections", "Collections")


@router.get("/collections/{name:path}")
async def collection(request: Request, person: Annotated[Person, sees("read")], name: str) -> Response:
    """One of them.

    Raises:
        HTTPException: They may not see it, whether or not there is such a collection.
    """
    if not person.may("read", name):
        raise HTTPException(403, "not allowed")
    return page(request, person, "collection.html", "collections", name, name=name)
