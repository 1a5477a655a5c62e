"""Redaction policies: which there are, what each does, how two differ; and whether the lake holds what one forbids."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from logshed.web.site import Shared, Site
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/admin", tags=["admin"])
Admin = Annotated[Person, needs("administer")]
Name = Annotated[str, Query(max_length=100, description="A policy's name.", examples=["default"])]


class Look(BaseModel):
    """How much of the lake is looked through, by whose rules."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"share": 0.05, "policy": None}})

    share: float = Field(0.01, gt=0, le=1, description="Share of the rows; of few rows all are read.")
    policy: str | None = Field(None, max_length=100, description="By whose rules; `strictest` for every rule there is.")


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


@router.post("/redaction")
async def verify_redaction(site: Shared, person: Admin, look: Look) -> dict[str, Any]:
    """Look through what rests in the lake for what the policy forbids; values are told with their letters hidden."""
    if look.policy not in (None, "strictest"):
        _check(site, str(look.policy))
    await site.audit(person, "verify redaction", look.policy or site.settings.policy, details={"share": look.share})
    lake = site.lake(person)
    report = await site.pool.run(person, lambda: lake.verify_redaction(look.share, policy=look.policy))
    return report.as_dict()


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
