"""Who is to be blocked, for how long, and how it is told to those that block."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from logshed.detection_settings import DetectSettings
from logshed.errors import UsageError
from logshed.pipeline import decisions
from logshed.schema import INCIDENTS, polars_schema

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 5, tzinfo=UTC)
SETTINGS = DetectSettings(block_level="high", block_hours=4, simulate=False)


def incident(address: str, level: str = "high", status: str = "open") -> pl.DataFrame:
    row = {"incident_id": "i", "source_ip": address, "threat_level": level, "status": status, "rules": "r"}
    return pl.DataFrame([row], schema=polars_schema(INCIDENTS), orient="row")


@pytest.mark.parametrize(
    ("found", "blocked"),
    [
        (incident("9.9.9.9"), ["9.9.9.9"]),
        (incident("9.9.9.9", "critical"), ["9.9.9.9"]),
        (incident("9.9.9.9", "medium"), []),
        (incident("9.9.9.9", status="muted"), []),
        (incident("10.0.0.1"), []),
        (incident("client:k1:9f00"), []),
    ],
)
def test_the_sources_of_bad_incidents_are_to_be_blocked(
    tmp_path: Path, found: pl.DataFrame, blocked: list[str]
) -> None:
    made = decisions.decide(tmp_path, found, SETTINGS, NOW)
    assert [one.address for one in made] == blocked
    assert [one.address for one in decisions.read(tmp_path, NOW)] == blocked
    assert decisions.read(tmp_path, NOW + timedelta(hours=5)) == []


def test_a_source_is_decided_on_once(tmp_path: Path) -> None:
    decisions.decide(tmp_path, incident("9.9.9.9"), SETTINGS, NOW)
    assert decisions.decide(tmp_path, incident("9.9.9.9"), SETTINGS, NOW) == []


def test_nobody_is_blocked_unless_the_settings_say_so(tmp_path: Path) -> None:
    assert decisions.decide(tmp_path, incident("9.9.9.9", "critical"), DetectSettings(), NOW) == []


def test_people_decide_on_addresses_and_networks(tmp_path: Path) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    decisions.add(tmp_path, "192.0.2.77/24", until=until)
    decisions.add(tmp_path, "2001:db8::1", until=until)
    decisions.add(tmp_path, "198.51.100.1", until=until, simulated=True)
    known = decisions.read(tmp_path)
    assert [one.address for one in known] == ["192.0.2.0/24", "198.51.100.1", "2001:db8::1"]
    assert list(decisions.export(known, "nginx")) == ["deny 192.0.2.0/24;", "deny 2001:db8::1;"]
    table = "\n".join(decisions.export(known, "nftables"))
    assert "type ipv4_addr; flags interval; auto-merge; elements = { 192.0.2.0/24 };" in table
    assert "elements = { 2001:db8::1 };" in table
    assert decisions.delete(tmp_path, "192.0.2.0/24")
    assert not decisions.delete(tmp_path, "192.0.2.0/24")


def test_what_is_no_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^cannot decide on 'x; rm': it is neither an address nor a network; "):
        decisions.add(tmp_path, "x; rm", until=NOW)
