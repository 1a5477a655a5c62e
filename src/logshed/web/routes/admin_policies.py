"""Redaction policies: which there are, what each does, how two differ."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from logshed.web.site import Shared, Site
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/admin", tags=["admin"])
Admin = Annotated[Person, needs("administer")]
Name = Annotated[str, Query(max_length=100, description="A policy's name.", examples=["default"])]


@router.get("/policies")
async def list_policies(site: Shared, person: Admin) -> dict[str, Any]:
    """All policies; the one that the settings name is marked."""
    return {"items": await site.pool.run(person, _listed, site), "next": None}


@router.get("/policies/compare")
async def compare_policies(site: Shared, person: Admin, first: Name, second: Name) -> dict[str, Any]:
    """What two policies treat differently: rules, columns, values that stay in any case."""
    from logshed.redaction.describing import differences  # noqa: PLC0415 - heavy

    for name in (first, second):
        _check(site, name)
    return {"items": await site.pool.run(person, differences, first, second, site.settings.plugins), "next": None}


@router.get("/policies/{name}")
async def show_policy(site: Shared, person: Admin, name: str) -> dict[str, Any]:
    """What a policy covers, and what it does with what each rule finds."""
    from logshed.redaction.describing import described  # noqa: PLC0415 - heavy

    _check(site, name)
    return await site.pool.run(person, described, name, site.settings.plugins)


def _listed(site: Site) -> list[dict[str, Any]]:
    from logshed.redaction.policy_files import describe_policy, policy_names  # noqa: PLC0415 - heavy

    settings = site.settings
    found = [describe_policy(name, settings.plugins) for name in policy_names(settings.plugins)]
    return [
        {
            "name": one.name,
            "title": one.title,
            "covers": one.covers,
            "rules": len(one.treatments),
            "set": one.name == settings.policy,
        }
        for one in found
    ]


def _check(site: Site, name: str) -> None:
    """Refuse what is no name: a policy can be a file too, and a request must not open one."""
    from logshed.redaction.policy_files import policy_names  # noqa: PLC0415 - heavy

    if name != site.settings.policy and name not in policy_names(site.settings.plugins):
        raise HTTPException(404, f"there is no policy {name}")
