"""``logshed token`` as its users run it."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

from logshed.access import Tokens
from logshed.api import Lake

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run


def test_a_token_is_told_once_listed_and_revoked(logshed: Run, tmp_path: Path) -> None:
    made = logshed(
        "token", "create", "--collection", "shop", "--collection", "b*", "--name", "wall", "--expires", "12h"
    )
    token = made.stdout.strip()
    tokens = Tokens(tmp_path / "logshed-tokens.db")
    grant = tokens.check(token)
    assert (made.returncode, made.stderr) == (0, "")
    assert grant is not None
    assert grant.scopes == ("shop", "b*")
    listed = logshed("token", "list", "--json").stdout
    (told,) = json.loads(listed)
    assert told["collections"] == ["shop", "b*"]
    assert (told["name"], told["verbs"], told["state"]) == ("wall", ["read"], "valid")
    assert token.rpartition("_")[2] not in listed
    gone = logshed("token", "revoke", told["id"])
    assert gone.stdout == f"Token {told['id']} opens nothing from now on.\n"
    assert tokens.check(token) is None
    assert "revoked" in logshed("token", "list").stdout


def test_making_and_revoking_comes_into_the_lakes_trail_redacted(logshed: Run, tmp_path: Path) -> None:
    Lake.open(tmp_path / "logshed-lake", create=True)
    made = json.loads(
        logshed("token", "create", "--collection", "shop", "--name", "of bob@example.com", "--json").stdout
    )
    assert logshed("token", "revoke", made["token"]).returncode == 0
    found = (
        Lake.open(tmp_path / "logshed-lake")
        .query("SELECT verb, target, outcome, details FROM audit ORDER BY sequence")
        .rows()
    )
    assert [row[:3] for row in found] == [("token create", made["id"], "ok"), ("token revoke", made["id"], "ok")]
    assert json.loads(found[0][3])["name"] == "of [EMAIL]"
    assert json.loads(found[0][3])["collections"] == ["shop"]
    assert made["token"].rpartition("_")[2] not in str(found)


def test_where_there_is_a_spool_its_log_has_it(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "logshed-spool").mkdir()
    assert logshed("token", "create", "--collection", "shop", "--expires", "never").returncode == 0
    log = tmp_path / "logshed-spool" / "audit.jsonl"
    assert json.loads(log.read_text().splitlines()[1])["verb"] == "token create"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_file_is_where_the_settings_say(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "logshed.toml").write_text('tokens = "doors/ours.db"\n')
    (tmp_path / "doors").mkdir()
    assert logshed("token", "create", "--collection", "shop").returncode == 0
    assert (tmp_path / "doors" / "ours.db").exists()


def test_what_cannot_be_made_is_told_with_what_to_do(logshed: Run) -> None:
    for words, text in (
        ((), "it names no collection; write --collection NAME, or '*' for all"),
        (("--collection", "a", "--expires", "0d"), "'0d' is no time; write --expires 12h, 90d, 1y or never"),
    ):
        done = logshed("token", "create", *words)
        assert done.returncode == 2
        assert text in done.stderr
