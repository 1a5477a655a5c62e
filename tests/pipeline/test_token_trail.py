"""Who makes and revokes tokens is written down where it is found again."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

from logshed.api import Lake
from logshed.pipeline.token_trail import note
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_making_and_revoking_comes_into_the_lakes_trail_redacted(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, environ={})
    lake = Lake.open(settings.lake, create=True, settings=settings)
    note(settings, "token create", "0123456789ab", {"name": "of bob@example.com", "collections": ["shop"]})
    note(settings, "token revoke", "0123456789ab", {})
    found = lake.query("SELECT verb, target, outcome, details FROM audit ORDER BY sequence").rows()
    assert [row[:3] for row in found] == [
        ("token create", "0123456789ab", "ok"),
        ("token revoke", "0123456789ab", "ok"),
    ]
    assert json.loads(found[0][3]) == {"name": "of [EMAIL]", "collections": ["shop"]}
    assert lake.audit().ok


def test_where_there_is_a_spool_its_log_has_it(tmp_path: Path) -> None:
    settings = Settings.load(tmp_path, environ={})
    settings.spool.mkdir()
    note(settings, "token create", "0123456789ab", {})
    log = settings.spool / "audit.jsonl"
    assert json.loads(log.read_text().splitlines()[1])["verb"] == "token create"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_where_there_is_neither_it_lies_beside_the_tokens(tmp_path: Path) -> None:
    (tmp_path / "logshed.toml").write_text('tokens = "doors/ours.db"\n')
    (tmp_path / "doors").mkdir()
    settings = Settings.load(tmp_path, environ={})
    assert settings.tokens == tmp_path / "doors" / "ours.db"
    note(settings, "token revoke", "0123456789ab", {})
    assert "token revoke" in (tmp_path / "doors" / "ours.audit.jsonl").read_text()
