"""``logshed token`` as its users run it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from logshed.access import Tokens

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


def test_what_cannot_be_made_is_told_with_what_to_do(logshed: Run) -> None:
    for words, text in (
        ((), "it names no collection; write --collection NAME, or '*' for all"),
        (("--collection", "a", "--verb", "write", "--rate", "fast"), "'fast' is no size; write bytes as 65536"),
        (("--collection", "a", "--rate", "5MB"), "it has a rate and brings nothing in; add --verb write"),
        (("--collection", "a", "--expires", "0d"), "'0d' is no time; write --expires 12h, 90d, 1y or never"),
    ):
        done = logshed("token", "create", *words)
        assert done.returncode == 2
        assert text in done.stderr


def test_a_token_may_have_a_rate_which_is_told_and_written_down(logshed: Run, tmp_path: Path) -> None:
    made = logshed("token", "create", "--collection", "shop", "--verb", "write", "--rate", "5MB/s")
    grant = Tokens(tmp_path / "logshed-tokens.db").check(made.stdout.strip())
    assert grant is not None
    assert grant.rate == 5_000_000
    assert "5.0 MB/s" in logshed("token", "list", env={"COLUMNS": "200"}).stdout
    (told,) = json.loads(logshed("token", "list", "--json").stdout)
    assert told["rate"] == 5_000_000
    noted = [json.loads(line) for line in (tmp_path / "logshed-tokens.audit.jsonl").read_text().splitlines()]
    (details,) = (json.loads(one["details"]) for one in noted if one.get("verb") == "token create")
    assert details["rate"] == 5_000_000
