"""Tokens open what they are for, while they are good, and their file opens nothing."""

from __future__ import annotations

import sqlite3
import stat
import threading
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.clock import Clock

from logshed.access import VERBS, Grant, Tokens
from logshed.access import tokens as module
from logshed.errors import AccessError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path / "tokens.db")


def test_a_token_opens_what_it_was_made_for_and_nothing_else(tokens: Tokens) -> None:
    token, known = tokens.create(["shop", "blog-*"], ["read", "write"], name="wall")
    grant = tokens.check(token)
    assert grant is not None
    assert token.split("_")[:2] == ["logshed", known.id]
    assert grant.allows("read", "shop")
    assert grant.allows("write", "blog-1")
    assert not grant.allows("admin", "shop")
    assert not grant.allows("read", "Shop")
    assert not grant.allows("read", "shop2")
    assert not grant.unlimited
    assert grant.collections(["a", "blog-2", "shop", "b"]) == ["blog-2", "shop"]
    assert tokens.list() == [known._replace(used=tokens.list()[0].used)]


def test_no_other_text_is_taken_for_a_token(tokens: Tokens) -> None:
    token, known = tokens.create(["*"])
    other, _ = tokens.create(["*"])
    prefix, secret = f"logshed_{known.id}_", token.rpartition("_")[2]
    wrong = "".join("0" if one != "0" else "1" for one in secret)
    mixed = prefix + other.rpartition("_")[2]
    texts = [
        "",
        token[:-1],
        f"{token}0",
        f" {token}",
        token.upper(),
        prefix + wrong,
        prefix,
        mixed,
        f"{token}\n",
        "é" * 99,
    ]
    assert [text for text in texts if tokens.check(text) is not None] == []
    assert tokens.check(token) is not None


@given(st.text(max_size=200))
def test_any_text_is_refused_without_an_error(text: str) -> None:
    assert module._FORM.fullmatch(text) is None


def test_the_file_holds_no_secret_and_is_the_owners_alone(tokens: Tokens) -> None:
    token, known = tokens.create(["shop"])
    content = tokens.path.read_bytes()
    assert known.id.encode() in content
    assert token.rpartition("_")[2].encode() not in content
    assert bytes.fromhex(token.rpartition("_")[2]) not in content
    assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600


def test_a_file_that_others_may_read_is_refused(tokens: Tokens) -> None:
    token, _ = tokens.create(["shop"])
    tokens.path.chmod(0o640)
    with pytest.raises(AccessError, match="others than its owner may read or write it; chmod 600 it"):
        tokens.check(token)


def test_a_revoked_token_opens_nothing_at_once(tokens: Tokens) -> None:
    token, known = tokens.create(["shop"])
    kept, _ = tokens.create(["shop"])
    first = tokens.revoke(known.id)
    assert tokens.check(token) is None
    assert tokens.check(kept) is not None
    assert tokens.revoke(known.id).revoked == first.revoked
    assert [one.state(time.time()) for one in tokens.list()] == ["revoked", "valid"]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a file waits for as long as a slow disk takes for all who come before."""
    monkeypatch.setattr("logshed.access.private.BUSY_SECONDS", 60.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def test_a_token_opens_nothing_after_its_time(tokens: Tokens, clock: Clock) -> None:
    token, known = tokens.create(["shop"], seconds=0.3)
    clock.go(0.29)
    assert tokens.check(token) is not None
    clock.go(0.02)
    assert tokens.check(token) is None
    assert tokens.list()[0].state(clock.time()) == "expired"
    assert known.expires == pytest.approx(known.created + 0.3)


def test_the_last_use_is_written_once_a_minute_at_most(tokens: Tokens, clock: Clock) -> None:
    token, _ = tokens.create(["shop"])
    assert tokens.list()[0].used is None
    tokens.check(token)
    first = tokens.list()[0].used
    assert first == clock.time()
    clock.go(module.USED_SECONDS - 1)
    tokens.check(token)
    assert tokens.list()[0].used == first
    clock.go(2)
    tokens.check(token)
    assert tokens.list()[0].used == clock.time()


def test_what_would_allow_nothing_is_not_made(tokens: Tokens) -> None:
    for scopes, verbs, text in (
        ([], ["read"], "it names no collection"),
        (["a", ""], ["read"], "it names no collection"),
        (["a"], ["see"], "there is no verb 'see'; the verbs are read, write, admin"),
        (["a"], [], "it allows nothing"),
    ):
        with pytest.raises(UsageError, match=text):
            tokens.create(scopes, verbs)
    assert not tokens.path.exists()
    assert tokens.list() == []
    with pytest.raises(UsageError, match="there is no such token"):
        tokens.revoke("0123456789ab")


def test_a_file_that_is_none_of_ours_is_refused(tokens: Tokens) -> None:
    tokens.path.write_bytes(b"no database at all, just text of some length" * 50)
    tokens.path.chmod(0o600)
    with pytest.raises(AccessError, match="file is not a database"):
        tokens.list()


def test_a_file_of_a_newer_version_is_refused(tokens: Tokens) -> None:
    tokens.create(["shop"])
    with sqlite3.connect(tokens.path) as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    with pytest.raises(AccessError, match="their file is of version 99; use a newer Logshed"):
        tokens.list()


@pytest.mark.usefixtures("patient")
def test_many_make_and_check_tokens_at_once(tokens: Tokens) -> None:
    made: list[str] = []

    def work() -> None:
        for _ in range(10):
            token, _ = tokens.create(["shop"])
            assert tokens.check(token) is not None
            made.append(token)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == len(tokens.list()) == 60


def test_no_verb_holds_another() -> None:
    for verb in VERBS:
        grant = Grant("", ("*",), frozenset({verb}))
        assert [one for one in VERBS if grant.allows(one, "shop")] == [verb]
        assert grant.collections(["shop"]) == (["shop"] if verb == "read" else [])


OLD = """
CREATE TABLE tokens (
    id TEXT PRIMARY KEY, hash BLOB NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, verbs TEXT NOT NULL,
    created REAL NOT NULL, expires REAL, used REAL, revoked REAL
) STRICT;
PRAGMA user_version = 1;
INSERT INTO tokens (id, hash, name, scopes, verbs, created, expires) VALUES (
    '0123456789ab', X'271a413bd339c5709fdceaec41f14f11e9fbfb5042d72d331c65f32b284cd09a',
    'wall', '["shop"]', '["read", "write"]', 1700000000.5, NULL
);
"""
"""A file as version 1 made it, with a token whose secret is ``SECRET``."""
SECRET = "ab" * 32


@pytest.fixture
def old(tokens: Tokens) -> Tokens:
    """Tokens in a file of version 1."""
    tokens.path.touch(mode=0o600)
    with sqlite3.connect(tokens.path) as file:
        file.executescript(OLD)
    file.close()
    return tokens


def test_tokens_of_an_older_file_go_on_to_open_and_new_ones_have_rates(old: Tokens) -> None:
    grant = old.check(f"logshed_0123456789ab_{SECRET}")
    assert grant == Grant("0123456789ab", ("shop",), frozenset({"read", "write"}), first=True)
    made, _ = old.create(["web"], ["write"], rate=5_000_000)
    new = old.check(made)
    assert new is not None
    assert new.rate == 5_000_000
    first = old.list()[0]
    assert (first.id, first.rate, first.created) == ("0123456789ab", None, 1700000000.5)
    with sqlite3.connect(old.path) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (3,)
    file.close()
    assert old.revoke("0123456789ab").revoked is not None


@pytest.mark.usefixtures("patient")
def test_many_who_open_an_older_file_at_once_bring_it_up_to_date_once(old: Tokens) -> None:
    found: list[Grant | None] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        found.append(old.check(f"logshed_0123456789ab_{SECRET}"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert None not in found


def test_a_rate_is_of_what_is_brought_in(tokens: Tokens) -> None:
    for verbs, rate, text in (
        (["read"], 5, "it has a rate and brings nothing in; add --verb write"),
        (["write"], 0, "1 byte a second"),
    ):
        with pytest.raises(UsageError, match=text):
            tokens.create(["a"], verbs, rate=rate)
    made, known = tokens.create(["a"], ["write"])
    grant = tokens.check(made)
    assert grant is not None
    assert (known.rate, grant.rate) == (None, None)


def test_the_tokens_of_a_user_are_revoked_with_them_and_their_first_use_is_told(tokens: Tokens) -> None:
    own, known = tokens.create(["shop"], owner="7")
    kept, _ = tokens.create(["blog"], owner="7")
    others, _ = tokens.create(["shop"], owner="8")
    first, again = tokens.check(own), tokens.check(own)
    assert first is not None
    assert again is not None
    assert (first.owner, first.first, again.first) == ("7", True, False)
    revoked = tokens.revoke_of("7", lambda one: "blog" in one.scopes)
    assert [one.id for one in revoked] == [known.id]
    assert [tokens.check(one) is not None for one in (own, kept, others)] == [False, True, True]
    assert len(tokens.revoke_of("7")) == 1
    assert tokens.revoke_of("7") == []
