"""Decisions over the API: whom to block, decided by people or by incidents, and files for those that can."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse

from logshed.pipeline import deciding
from logshed.pipeline import decisions as book
from logshed.web.security import BLANK, assert_sees_all
from logshed.web.site import Shared
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/decisions", tags=["security"], responses=BLANK)
Reads = Annotated[Person, needs("read")]
Triages = Annotated[Person, needs("triage")]
EXAMPLE: Any = {"address": "192.0.2.7", "until": "12h", "reason": "scans us"}


class Decided(BaseModel):
    """Whom to block."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    address: str = Field(min_length=1, max_length=64, description="An address, or a network as CIDR.")
    until: str = Field("4h", max_length=64, description="For how long: 4h, 7d or a date.")
    reason: str = Field("", max_length=1_000)
    simulated: bool = Field(default=False, description="Only reported, never exported.")


@router.get("")
async def decisions(site: Shared, person: Reads) -> dict[str, Any]:
    """What was decided and holds. Logshed blocks nobody itself."""
    assert_sees_all(person, "decisions are")
    known = await site.pool.run(person, book.read, site.whole.root)
    return {"items": [asdict(one) for one in known], "next": None}


@router.get("/export", response_class=PlainTextResponse)
async def export(
    site: Shared, person: Triages, form: Annotated[Literal["plain", "nginx", "nftables"], Query()] = "plain"
) -> PlainTextResponse:
    """A file that blocks what was decided: lines for nginx, a table for nft -f, or plain addresses."""
    assert_sees_all(person, "decisions are")
    known = await site.pool.run(person, book.read, site.whole.root)
    await site.audit(person, "export", "decisions", details={"form": form, "addresses": len(known)})
    return PlainTextResponse("".join(f"{line}\n" for line in book.export(known, form)))


@router.post("", status_code=201)
async def decide(site: Shared, person: Triages, decided: Decided) -> dict[str, Any]:
    """Decide that an address or a network is to be blocked for some time."""
    assert_sees_all(person, "decisions are")
    until = site.whole.later(decided.until)
    lake, by, how = site.whole, person.name, {"simulated": decided.simulated}

    def work() -> book.Decision:
        return deciding.decide(lake.root, lake.settings, decided.address, until, decided.reason, by=by, **how)

    return asdict(await site.changed(person, work))


@router.delete("", status_code=204)
async def take_back(site: Shared, person: Triages, address: Annotated[str, Query(max_length=64)]) -> None:
    """Take a decision back."""
    assert_sees_all(person, "decisions are")
    lake = site.whole
    await site.changed(person, lambda: deciding.take_back(lake.root, lake.settings, address, by=person.name))
