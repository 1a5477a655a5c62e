"""Decisions over the API: whom to block, decided by people or by incidents, and files for those that can."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from logshed.pipeline import decisions as book
from logshed.pipeline import typed
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
    await site.audit(person, "decide", decided.address, details=decided.model_dump(exclude={"address"}))

    def work() -> book.Decision:
        reason = typed.safe(site.settings)(decided.reason)
        return book.add(site.whole.root, decided.address, until=until, reason=reason, simulated=decided.simulated)

    return asdict(await site.pool.run(person, work))


@router.delete("", status_code=204)
async def take_back(site: Shared, person: Triages, address: Annotated[str, Query(max_length=64)]) -> None:
    """Take a decision back."""
    assert_sees_all(person, "decisions are")
    await site.audit(person, "decide", address, details={"taken back": True})
    if not await site.pool.run(person, book.delete, site.whole.root, address):
        raise HTTPException(404, f"cannot take back {address}: nothing was decided on it")
