"""Points of laws and standards are answered from the settings and from what rests."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from logshed.api import Lake
from logshed.errors import RedactionError
from logshed.pipeline import compliance_checks
from logshed.pipeline.compliance_checks import CHECKS
from logshed.redaction import regime_files
from logshed.redaction.keyring import add_key
from logshed.redaction.registry import load_rules
from logshed.retain_settings import Retain

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.settings import Settings

LINES = [
    {"msg": "hi ada@example.com", "password": "hunter2", "user_id": "u-17", "order_id": "o-1", "ip": "192.0.2.77"},
    {"msg": "bye", "user_id": "u-17", "payment_id": "p-1"},
]


@pytest.fixture
def strict(tmp_path: Path, settings: Settings) -> Settings:
    add_key(tmp_path / "keys")
    return settings.model_copy(update={"policy": "strict", "keys": str(tmp_path / "keys")})


@pytest.fixture
def log(logs: Path) -> Path:
    path = logs / "a.log"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


def _states(lake: Lake, regime: str) -> dict[str, str]:
    return {answer.id: answer.state for answer in lake.compliance(regime, 1.0).answers}


@pytest.mark.parametrize("name", ["gdpr", "hipaa", "ccpa", "pci"])
def test_every_regime_asks_with_a_legal_source_by_rules_that_there_are(name: str) -> None:
    regime = regime_files.load_regime(name)
    rules = load_rules()
    for point in regime.points:
        assert point.source, point.id
        assert set(point.rules) <= set(rules), point.id
        assert point.check in CHECKS
    asked = {point.check for point in regime.points}
    common = {"removed", "pseudonymised", "documented", "approval", "retention", "access", "erasure", "keys_apart"}
    assert common <= asked
    assert name in regime_files.regime_names()


def test_every_check_that_a_regime_may_name_is_there() -> None:
    assert set(regime_files.CHECKS) == set(CHECKS)


def test_a_lake_under_strict_meets_what_redaction_can_do(tmp_path: Path, strict: Settings, log: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True, settings=strict)
    lake.ingest([log])
    report = lake.compliance("gdpr", 1.0)
    found = {answer.id: answer for answer in report.answers}
    for point in ("personal_data", "credentials", "identifiers", "online_identifiers", "stack_traces", "keys_apart"):
        assert found[point].state == "met", found[point]
    assert "of key k1" in found["identifiers"].evidence
    assert found["approval"].state == "for a human"
    assert found["documentation"].state == "met"
    assert found["retention"].state == found["erasure"].state == "met"
    assert "silver 90 days" in found["retention"].evidence
    (tmp_path / "lake" / "erasing" / "x").mkdir(parents=True)
    (tmp_path / "lake" / "erasing" / "x" / "state.json").write_text('{"begun": "2026-11-01T00:00:00+00:00"}')
    endless = strict.model_copy(update={"retain": Retain.model_validate({"gold": "forever"})})
    report = Lake.open(tmp_path / "lake", settings=endless).compliance("gdpr", 1.0)
    found = {answer.id: answer for answer in report.answers}
    assert found["retention"].evidence.startswith("kept for ever: gold; ")
    assert found["erasure"].evidence.startswith("1 erasures were begun and not finished")
    assert found["retention"].state == found["erasure"].state == "not met"
    assert not report.ok


def test_what_is_kept_or_was_stored_raw_is_not_met_with_figures(lake: Lake, log: Path) -> None:
    lake.ingest([log], policy="none")
    found = {answer.id: answer for answer in lake.compliance("gdpr", 1.0).answers}
    assert found["personal_data"].state == found["credentials"].state == "not met"
    assert "by email" in found["personal_data"].evidence
    assert "the policy default makes no pseudonyms of user_id" in found["identifiers"].evidence
    assert "the policy default keeps" in found["online_identifiers"].evidence
    told = json.dumps(lake.compliance("gdpr", 1.0).as_dict())
    assert "hunter2" not in told
    assert "ada@" not in told


def test_pseudonyms_of_a_key_that_is_not_known_are_not_met(tmp_path: Path, strict: Settings, log: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True, settings=strict)
    lake.ingest([log])
    add_key(tmp_path / "others", "other")
    later = strict.model_copy(update={"keys": str(tmp_path / "others")})
    found = {one.id: one for one in Lake.open(lake.root, settings=later).compliance("gdpr", 1.0).answers}
    assert found["identifiers"].state == "not met"
    assert "unknown keys: k1" in found["identifiers"].evidence


def test_access_is_told_by_the_modes_of_the_lakes_folder(lake: Lake, log: Path) -> None:
    lake.ingest([log])
    lake.root.chmod(0o755)
    assert _states(lake, "gdpr")["access"] == "not met"
    lake.root.chmod(0o700)
    assert _states(lake, "gdpr")["access"] == "met"


def test_keys_inside_the_lake_are_not_apart(tmp_path: Path, strict: Settings, log: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True, settings=strict)
    add_key(lake.root / "keys")
    lake = Lake.open(lake.root, settings=strict.model_copy(update={"keys": str(lake.root / "keys")}))
    lake.ingest([log])
    assert _states(lake, "gdpr")["keys_apart"] == "not met"


def test_a_regime_of_ones_own_is_read_and_a_wrong_one_is_named(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "redaction" / "regimes"
    folder.mkdir(parents=True)
    point = '[[point]]\nid = "a"\ntitle = "A"\nsource = "ours"\ncheck = "access"\n'
    (folder / "ours.toml").write_text(f'title = "Ours"\n{point}')
    own = settings.model_copy(update={"plugins": (tmp_path,)})
    lake = Lake.open(tmp_path / "lake", create=True, settings=own)
    assert list(_states(lake, "ours")) == ["a"]
    (folder / "ours.toml").write_text(f'title = "Ours"\n{point.replace("access", "acess")}')
    with pytest.raises(RedactionError, match=r"ours\.toml: point 1\.check: 'acess' is unknown"):
        lake.compliance("ours")
    with pytest.raises(RedactionError, match="use one of ccpa, gdpr"):
        lake.compliance("sox")


def test_a_file_that_goes_while_modes_are_looked_at_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch(0o600)
    gone = [(str(tmp_path), [], ["file", "gone"])]
    monkeypatch.setattr(os, "walk", lambda _: gone)
    assert len(list(compliance_checks._modes(tmp_path))) == 1
