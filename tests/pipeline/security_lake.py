"""A lake with two collections, own rules, and what they found: for the tests of those who watch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.api import Lake
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

LINE = '{who} - - [05/Jan/2026:10:{minute:02d}:00 +0000] "GET {path} HTTP/1.1" {status} 5 "-" "{agent}"\n'
SCANNER = """
title: A scanner
id: 11111111-1111-4111-8111-111111111111
author: Ann
tags: [attack.reconnaissance, attack.t1595.002]
logsource: {category: webserver}
detection: {s: {cs-user-agent|contains: Scanner}, condition: s}
level: high
logshed:
  confidence: high
  finds:
    - {title: a scanner, events: [{http_request_method: GET, url_path: /, user_agent_original: Scanner/1}]}
  ignores:
    - {title: a browser, events: [{http_request_method: GET, url_path: /, user_agent_original: Mozilla/5.0}]}
"""
MISSING = """
title: Many missing
name: t_missing
id: 22222222-2222-4222-8222-222222222222
logsource: {category: webserver}
detection: {s: {sc-status: 404}, condition: s}
level: low
"""
RULES = ("t_*",)


def line(**parts: object) -> str:
    """A line of an access log."""
    return LINE.format(**{"who": "192.0.2.1", "minute": 0, "path": "/", "status": 200, "agent": "x", **parts})


def opened(folder: Path, geoip: Sequence[Path] = ()) -> Lake:
    """An empty lake with the rules ``t_scanner`` and ``t_missing`` beside ours."""
    rules = folder / "plugins" / "detections"
    rules.mkdir(parents=True)
    (rules / "t_scanner.yml").write_text(SCANNER)
    (rules / "t_missing.yml").write_text(MISSING)
    taken = Settings.load(folder, environ={}).model_copy(
        update={"plugins": (folder / "plugins",), "policy": "none", "timezone": "UTC"}
    )
    return Lake.open(folder / "lake", create=True, settings=taken.enriched(geoip=geoip))


def filled(folder: Path, geoip: Sequence[Path] = ()) -> Lake:
    """The same with records and what was found: two scanners in ``shop``, one in ``bank``, a few in ``desk``."""
    lake = opened(folder, geoip)
    shop = [line(minute=at, agent="Scanner/1", path=f"/p{at}") for at in range(5)]
    shop += [line(who="192.0.2.2", agent="scanner", status=404, minute=9)]
    write(lake, folder / "shop.log", "shop", *shop)
    write(lake, folder / "bank.log", "bank", line(who="203.0.113.9", agent="Scanner", minute=3, path="/vault"))
    write(lake, folder / "desk.log", "desk", *(line(who=f"198.51.100.{one}", agent="Scanner") for one in range(1, 5)))
    lake.security.detect(RULES)
    return lake


def write(lake: Lake, path: Path, collection: str, *lines: str) -> None:
    """Bring lines into a collection."""
    with path.open("a") as file:
        file.writelines(lines)
    lake.ingest([path], collection=collection)
