"""The lake for those who look after it: tables, health, retention, costs, runs by the clock, regimes, trail."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query

from logshed.web.paging import Paged
from logshed.web.site import Shared
from logshed.web.who import Person, needs

router = APIRouter(prefix="/api/v1/admin", tags=["admin"])
Admin = Annotated[Person, needs("administer")]
Words = Annotated[str | None, Query(max_length=200)]
Moment = Annotated[str | None, Query(max_length=64, description="`24h`, `7d`, a date, `all`.")]
Days = Annotated[int, Query(ge=0, le=100_000)]


@router.get("/lake")
async def lake_state(site: Shared, person: Admin) -> dict[str, Any]:
    """Each table with its rows, files, bytes, snapshots, and how many of its files compaction would take."""
    return {"items": await site.pool.run(person, site.lake(person).tables), "next": None}


@router.get("/health")
async def health(site: Shared, person: Admin) -> dict[str, Any]:
    """What is missing or misset, and what to do: as `logshed doctor`."""
    found = await site.pool.run(person, site.lake(person).doctor)
    return {"items": [asdict(one) for one in found], "next": None}


@router.get("/retention")
async def retention(site: Shared, person: Admin) -> dict[str, Any]:
    """How long rows are kept, by layer and collection; what is no setting is for ever."""
    from logshed.pipeline.collections import LAYERS  # noqa: PLC0415 - heavy

    del person
    retain = site.settings.retain
    spans = {layer: retain.days(layer) for layer in (*LAYERS, "audit")}
    rows = [
        {"layer": layer, "days": days, "collections": own, "why": retain.why(layer)}
        for layer, (days, own) in spans.items()
    ]
    return {"enabled": retain.enabled, "items": rows, "next": None}


@router.get("/retention/due")
async def due(site: Shared, person: Admin) -> dict[str, Any]:
    """What `logshed maintain` would take away now because it was kept long enough; nothing is taken away."""
    lake = site.lake(person)
    found = await site.pool.run(person, lambda: lake.maintain(["retain"], dry_run=True))
    keys = ("table", "rows", "files", "bytes", "setting", "first", "error")
    return {"items": [{key: one.as_dict()[key] for key in keys} for one in found], "next": None}


@router.get("/trail")
async def trail(
    site: Shared,
    person: Admin,
    paging: Paged,
    actor: Words = None,
    verb: Words = None,
    outcome: Literal["ok", "refused", "failed"] | None = None,
    since: Moment = "all",
    until: Moment = None,
) -> dict[str, Any]:
    """Who did what, the newest first."""
    lake = site.lake(person)
    wanted = {"actor": actor or None, "verb": verb or None, "outcome": outcome, **paging.wanted}
    return paging.page(await site.pool.run(person, lambda: lake.trail(since or "all", until, **wanted)))


@router.get("/trail/chain")
async def chain(site: Shared, person: Admin) -> dict[str, Any]:
    """Whether the trail is whole: each entry is chained to the one before by hashes."""
    breaks = await site.pool.run(person, site.lake(person).trail_breaks)
    return {"whole": not breaks, "breaks": breaks}


@router.get("/cost")
async def cost(site: Shared, person: Admin, bronze: Days = 7, silver: Days = 90, gold: Days = 360) -> dict[str, Any]:
    """What the lake costs a month in each cloud, by layer and collection, by list prices."""
    lake = site.lake(person)
    days = {"bronze": bronze, "silver": silver, "gold": gold}
    found = await site.pool.run(person, lambda: lake.cost(days=days))
    told: dict[str, Any] = orjson.loads(orjson.dumps(found, default=float))  # money is decimal, and JSON's is not
    return told


@router.get("/schedules")
async def schedules(site: Shared, person: Admin) -> dict[str, Any]:
    """What runs by the clock: each with its next time and what came of the last."""
    return {"items": await site.pool.run(person, site.lake(person).schedules), "next": None}


@router.get("/regimes")
async def regimes(site: Shared, person: Admin) -> dict[str, Any]:
    """Laws and standards that can be asked for."""
    from logshed.redaction.regime_files import load_regime, regime_names  # noqa: PLC0415 - heavy

    plugins = site.settings.plugins

    def told() -> list[dict[str, Any]]:
        found = [load_regime(name, plugins) for name in regime_names(plugins)]
        return [{"name": one.name, "title": one.title, "points": len(one.points)} for one in found]

    return {"items": await site.pool.run(person, told), "next": None}
