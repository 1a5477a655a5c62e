"""Long checks: how those stand that administrators began, what came of them, and their end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from logshed.web.site import Shared, Site
from logshed.web.who import Person, needs

if TYPE_CHECKING:
    from logshed.pipeline.resting import Sample
    from logshed.web.checking import Check, Tell

router = APIRouter(prefix="/api/v1/admin", tags=["admin"])
Admin = Annotated[Person, needs("administer")]
Kind = Literal["integrity", "redaction", "compliance"]
WAITS: dict[int | str, dict[str, Any]] = {409: {"description": "Too many checks run or wait."}}
LONGEST_WAIT = 60.0


class Look(BaseModel):
    """How much of the lake is looked through, by whose rules."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"share": 0.05, "policy": None}})

    share: float = Field(0.01, gt=0, le=1, description="Share of the rows; of few rows all are read.")
    policy: str | None = Field(None, max_length=100, description="By whose rules; `strictest` for every rule there is.")


class Asked(BaseModel):
    """A law or a standard, and how much of the lake is looked at for it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"regime": "gdpr", "share": 0.01}})

    regime: str = Field(max_length=60, description="`gdpr`, `hipaa`, `ccpa`, `pci`, or one of your own.")
    share: float = Field(0.01, gt=0, le=1, description="Share of the rows; of few rows all are read.")


@router.post("/integrity", status_code=202, responses=WAITS)
async def verify_integrity(site: Shared, person: Admin, response: Response) -> dict[str, Any]:
    """Begin to prove that the lake's files are what was committed: every file of lines is read."""
    await site.audit(person, "verify", "the lake")
    lake = site.lake(person)
    return _begun(response, site.checks.begin(lake, person, "integrity", {}, lambda tell: lake.verify(tell).as_dict()))


@router.post("/redaction", status_code=202, responses=WAITS)
async def verify_redaction(site: Shared, person: Admin, look: Look, response: Response) -> dict[str, Any]:
    """Begin to look through what rests in the lake for what the policy forbids; values are told with letters hidden."""
    from logshed.redaction.policy_files import policy_names  # noqa: PLC0415 - heavy

    settings = site.settings
    if look.policy not in (None, "strictest", settings.policy, *policy_names(settings.plugins)):
        raise HTTPException(404, f"there is no policy {look.policy}")  # one can be a file, which is not to be opened
    await site.audit(person, "verify redaction", look.policy or settings.policy, details={"share": look.share})
    lake = site.lake(person)

    def work(tell: Tell) -> dict[str, Any]:
        return lake.verify_redaction(look.share, policy=look.policy, progress=_places(tell)).as_dict()

    return _begun(response, site.checks.begin(lake, person, "redaction", look.model_dump(), work))


@router.post("/compliance", status_code=202, responses=WAITS)
async def compliance(site: Shared, person: Admin, asked: Asked, response: Response) -> dict[str, Any]:
    """Begin to tell how the lake stands to a law or a standard, point by point, with evidence; no legal advice."""
    from logshed.redaction.regime_files import regime_names  # noqa: PLC0415 - heavy

    if asked.regime not in regime_names(site.settings.plugins):
        raise HTTPException(404, f"there is no regime {asked.regime}")
    await site.audit(person, "compliance", asked.regime, details={"share": asked.share})
    lake = site.lake(person)

    def work(tell: Tell) -> dict[str, Any]:
        return lake.compliance(asked.regime, asked.share, progress=_places(tell)).as_dict()

    return _begun(response, site.checks.begin(lake, person, "compliance", asked.model_dump(), work))


@router.get("/checks")
async def listed(
    site: Shared,
    person: Admin,
    kind: Annotated[Kind | None, Query(description="Only those of this kind.")] = None,
) -> dict[str, Any]:
    """Checks that run, wait, or are over, the newest first; those of before the server was started are not kept."""
    del person
    items = [one.told(whole=False) for one in site.checks.all() if kind in (None, one.kind)]
    return {"items": items, "next": None}


@router.get("/checks/{check_id}")
async def one(
    site: Shared,
    person: Admin,
    check_id: str,
    wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT, description="Answer once it is over, or after seconds.")] = 0,
) -> dict[str, Any]:
    """How a check stands, and once it is done its result."""
    del person
    check = _of(site, check_id)
    if wait:
        await site.checks.wait(check, wait)
    return check.told()


@router.delete("/checks/{check_id}", status_code=204)
async def end(site: Shared, person: Admin, check_id: str) -> Response:
    """End a check. Of one that is over, the result stays."""
    check = _of(site, check_id)
    if await asyncio.to_thread(site.checks.end, check_id):
        await site.audit(person, "end_check", check_id, details={"of": check.by, "kind": check.kind})
    return Response(status_code=204)


def _of(site: Site, check_id: str) -> Check:
    check = site.checks.of(check_id)
    if check is None:
        raise HTTPException(404, "there is no such check; results are kept until the server is started anew")
    return check


def _begun(response: Response, check: Check) -> dict[str, Any]:
    response.headers["Location"] = f"{router.prefix}/checks/{check.id}"
    return check.told()


def _places(tell: Tell) -> Any:
    """Tells how many of the places where text rests are done, and how far it is in one."""
    from logshed.pipeline.resting import RESTING_PLACES  # noqa: PLC0415 - heavy

    order = {place.name: number for number, place in enumerate(RESTING_PLACES)}

    def told(place: str, sample: Sample) -> None:
        rows = f"{sample.read.get(place, 0):,} of {sample.rows.get(place, 0):,} rows"
        tell(order[place], len(order), f"{place}: {rows}")

    return told
