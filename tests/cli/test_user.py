"""``logshed user`` as its users run it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from logshed.access import People, Tokens
from logshed.pipeline.people import open_link

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

WORDS = "quiet river under stone"


def test_a_user_is_added_takes_a_password_by_the_link_and_is_changed(logshed: Run, tmp_path: Path) -> None:
    added = logshed("user", "add", "anna", "--role", "owner", "--collection", "shop", "--collection", "b*")
    assert (added.returncode, added.stderr) == (0, "")
    start, _, secret = added.stdout.strip().rpartition("/")
    assert start == "http://127.0.0.1:8600/link"
    people, tokens = People(tmp_path / "logshed-accounts.db"), Tokens(tmp_path / "logshed-tokens.db")
    assert open_link(people, secret, WORDS).state == "active"
    own, _ = tokens.create(["b*"], ["write"], owner=people.accounts.get("anna").id)
    (told,) = json.loads(logshed("user", "list", "--json").stdout)
    assert (told["name"], told["role"], told["collections"], told["state"]) == (
        "anna",
        "owner",
        ["shop", "b*"],
        "active",
    )
    less = logshed("user", "change", "anna", "--collection", "shop")
    assert less.stdout == "anna is active, owner of shop; 0 sessions and 1 tokens of theirs ended.\n"
    assert tokens.check(own) is None
    secret, _ = people.sessions.begin(people.accounts.get("anna").id, via="password", address="192.0.2.7")
    (session,) = json.loads(logshed("user", "sessions", "anna", "--json").stdout)
    assert (session["address"], session["via"]) == ("192.0.2.7", "password")
    assert secret not in logshed("user", "sessions", "anna").stdout
    assert "1 sessions and 0 tokens" in logshed("user", "disable", "anna").stdout
    assert people.sessions.check(secret) is None
    assert "anna is active" in logshed("user", "enable", "anna").stdout
    assert logshed("user", "sessions", "anna", "--end").stdout == "0 sessions of anna have ended.\n"
    trail = (tmp_path / "logshed-tokens.audit.jsonl").read_text()
    assert [json.loads(line)["verb"] for line in trail.splitlines()[1:]] == [
        "user add",
        "user change",
        "user change",
        "user change",
        "session end",
    ]
    assert secret not in trail


def test_what_cannot_be_done_is_told_with_what_to_do(logshed: Run, tmp_path: Path) -> None:
    people = People(tmp_path / "logshed-accounts.db")
    people.accounts.add("kim", "viewer", ["*"], identity=("https://id.example.org", "7"))
    root = people.accounts.add("root", "admin")
    people.accounts.set_password(root.id, WORDS)
    for words, text in (
        (("add", "anna"), "it names no collection; name one, or '*' for all"),
        (("add", "anna", "--role", "king", "--collection", "a"), "the roles are viewer, owner, analyst, admin"),
        (("add", "Root", "--role", "admin"), "there is one of that name; take another"),
        (("link", "kim"), "they sign in at https://id.example.org; a password is lost there"),
        (("link", "nobody"), "there is none of that name; `logshed user list` names them"),
        (("link", "--first"), "there is one; `logshed user list` names them"),
        (("disable", "root"), "nobody would be left who may administer; make another administrator first"),
    ):
        done = logshed("user", *words)
        assert (done.returncode, text in done.stderr) == (2, True), (words, done.stderr)


def test_the_first_administrator_can_be_made_by_a_link_of_the_command(logshed: Run, tmp_path: Path) -> None:
    link = json.loads(logshed("user", "link", "--first", "--json").stdout)["link"]
    people = People(tmp_path / "logshed-accounts.db")
    assert open_link(people, link.rpartition("/")[2], WORDS, "root").role == "admin"
    assert logshed("user", "link", "root").stdout.startswith("http://127.0.0.1:8600/link/")
