"""The pages of Security: incidents, findings, rules, mutes, whom to block."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from logshed.pipeline import decisions as book
from logshed.web.rendering import Page, page, static
from logshed.web.routes.rules import entry
from logshed.web.security import asked
from logshed.web.site import Shared
from logshed.web.who import Person, sees

PAGES = (
    Page("security", "Security", "/security", "shield", 40),
    Page("security.incidents", "Incidents", "/security", "shield", 41),
    Page("security.findings", "Findings", "/security/findings", "shield", 42),
    Page("security.rules", "Rules", "/security/rules", "shield", 43),
    Page("security.mutes", "Mutes", "/security/mutes", "shield", 44),
    Page("security.decisions", "To block", "/security/decisions", "shield", 45),
)
MAP, WORLD = "map/map_world.js", "map/world.json"
router = APIRouter(include_in_schema=False)
Reads = Annotated[Person, sees("read")]


@router.get("/security")
async def incidents(request: Request, person: Reads) -> Response:
    """The list of incidents."""
    return _page(request, person, "security.html", "incidents", "Incidents")


@router.get("/security/incidents/{incident}")
async def incident(request: Request, site: Shared, person: Reads, incident: str) -> Response:
    """One incident."""
    security = site.lake(person).security
    row = await asked(site, person, "incident", incident, lambda: security.incident(incident))
    shown = {"map": MAP, "world": WORLD} if static(MAP) else {"map": "", "world": ""}
    return _page(request, person, "security_incident.html", "incidents", "Incident", name=row["incident_id"], **shown)


@router.get("/security/findings")
async def findings(request: Request, person: Reads) -> Response:
    """What is found, as it is found."""
    return _page(request, person, "security_findings.html", "findings", "Findings")


@router.get("/security/rules")
async def rules(request: Request, person: Reads) -> Response:
    """What is looked for."""
    return _page(request, person, "security_rules.html", "rules", "Rules")


@router.get("/security/rules/{rule}")
async def rule(request: Request, site: Shared, person: Reads, rule: str) -> Response:
    """One rule."""
    found = entry(site, person, rule)
    return _page(request, person, "security_rule.html", "rules", found.title or found.name, name=found.name)


@router.get("/security/mutes")
async def mutes(request: Request, person: Reads) -> Response:
    """What nobody wants to be told of."""
    return _page(request, person, "security_mutes.html", "mutes", "Mutes")


@router.get("/security/decisions")
async def decisions(request: Request, person: Reads) -> Response:
    """Whom to block."""
    shown = {"forms": list(book.FORMS), "all": person.grant.unlimited}
    return _page(request, person, "security_decisions.html", "decisions", "To block", **shown)


def _page(request: Request, person: Person, template: str, part: str, title: str, **context: Any) -> Response:
    may: list[str] = [name for name in ("triage", "rules") if name in person.abilities]
    if "rules" in may and person.grant.unlimited:
        may += ["switch", "detect"]
    return page(request, person, template, f"security.{part}", title, may=may, **context)
