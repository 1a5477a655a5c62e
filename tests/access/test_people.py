"""Users sign in by their passwords, sessions end, links open once, and the file of it opens nothing."""

from __future__ import annotations

import sqlite3
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from tests.clock import Clock

from logshed.access import People, Tokens, passwords
from logshed.access import sessions as session_module
from logshed.access.links import KINDS
from logshed.errors import AccessError, UsageError
from logshed.pipeline.identities import admit
from logshed.web_settings import Oidc

if TYPE_CHECKING:
    from pathlib import Path

WORDS, OTHERS = "quiet river under stone", "seven lanterns at noon"


@pytest.fixture
def people(tmp_path: Path) -> People:
    return People(tmp_path / "accounts.db")


def test_a_user_signs_in_by_name_and_password_and_by_nothing_else(people: People) -> None:
    anna = people.accounts.add("Anna", "viewer", ["shop", "blog-*"], email="anna@example.org")
    assert (anna.state, people.accounts.verify("Anna", WORDS)) == ("invited", None)
    people.accounts.set_password(anna.id, WORDS)
    found = people.accounts.verify("anna", WORDS)
    assert found is not None
    assert (found.id, found.state, found.scopes) == (anna.id, "active", ("shop", "blog-*"))
    wrong = [("Anna", OTHERS), ("Anna", ""), ("Anna", WORDS.upper()), ("Bert", WORDS), ("", ""), ("Anna", WORDS * 999)]
    assert [people.accounts.verify(*one) for one in wrong] == [None] * len(wrong)


def test_of_several_who_add_a_user_at_once_one_does_and_the_others_are_told(people: People) -> None:
    for number in range(20):  # before it was mended, some were told that the file cannot be used
        start = threading.Barrier(4)

        def made(_: int, name: str = f"anna{number}", start: threading.Barrier = start) -> str:
            start.wait(30)
            try:
                return people.accounts.add(name, "viewer", ["*"]).name
            except UsageError as error:
                return str(error)

        with ThreadPoolExecutor(4) as pool:
            told = sorted(pool.map(made, range(4)))
        taken = f"cannot add the user anna{number}: there is one of that name; take another"
        assert told == [f"anna{number}", *[taken] * 3]


def test_who_signs_in_elsewhere_for_the_first_time_twice_at_once_is_one_user(people: People) -> None:
    oidc = Oidc(issuer="https://id.example.org", client_id="logs", role="viewer", collections={"*": ("shop",)})
    tokens = Tokens(people.path.with_name("tokens.db"))
    for number in range(10):
        start, persons = threading.Barrier(4), [f"a{number}", f"a{number}", f"b{number}", f"c{number}"]

        def admitted(subject: str, name: str = f"anna{number}", start: threading.Barrier = start) -> tuple[str, str]:
            start.wait(30)
            user = admit(people, tokens, oidc, {"sub": subject, "preferred_username": name})
            return str(user.subject), user.id

        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(admitted, persons))
        assert [subject for subject, _ in found] == persons
        assert len({user for _, user in found}) == 3


def test_a_password_is_the_same_however_its_letters_are_composed(people: People) -> None:
    anna = people.accounts.add("anna", "viewer", ["*"])
    people.accounts.set_password(anna.id, "cafe\u0301 au lait, s'il vous plai\u0302t")
    assert people.accounts.verify("anna", "caf\u00e9 au lait, s'il vous pla\u00eet") is not None


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("short", "it has 5 characters; take 12 to 256"),
        ("x" * 257, "it has 257 characters"),
        ("abababababababab", "fewer than 5 different characters"),
        ("me is annalise ok", "it holds a name of its user"),
        ("mail of a.berg 12345", "it holds a name of its user"),
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(people: People, password: str, told: str) -> None:
    anna = people.accounts.add("Annalise", "viewer", ["*"], email="a.berg@example.org")
    with pytest.raises(UsageError, match=told):
        people.accounts.set_password(anna.id, password)
    assert people.accounts.get("annalise").state == "invited"


def test_a_hash_of_older_parameters_is_made_anew_when_its_user_signs_in(people: People) -> None:
    anna = people.accounts.add("anna", "viewer", ["*"])
    old = PasswordHasher(time_cost=1, memory_cost=8192).hash(WORDS)
    with sqlite3.connect(people.path) as file:
        file.execute("UPDATE users SET hash = ?", (old,))
    assert people.accounts.verify("anna", OTHERS) is None
    assert _hash_of(people) == old
    assert people.accounts.verify("anna", WORDS) == people.accounts.by_id(anna.id)
    assert not passwords.outdated(_hash_of(people))
    assert people.accounts.verify("anna", WORDS) is not None


def test_an_unknown_name_takes_as_long_as_a_wrong_password(people: People) -> None:
    anna = people.accounts.add("anna", "viewer", ["*"])
    people.accounts.set_password(anna.id, WORDS)
    people.accounts.add("invited", "viewer", ["*"])
    people.accounts.verify("nobody", "x")

    def seconds(name: str) -> float:
        took = []
        for _ in range(5):
            begun = time.process_time()
            people.accounts.verify(name, OTHERS)
            took.append(time.process_time() - begun)
        return median(took)

    right = seconds("anna")
    assert right > 0.01
    assert seconds("nobody") > right / 2
    assert seconds("invited") > right / 2


def test_neither_file_nor_its_rows_hold_what_opens_anything(people: People) -> None:
    anna = people.accounts.add("anna", "viewer", ["*"])
    people.accounts.set_password(anna.id, WORDS)
    session, _ = people.sessions.begin(anna.id, via="password")
    link, _ = people.links.make("reset", anna.id)
    state, _ = people.flows.begin("https://id.example.org", "/")
    content = people.path.read_bytes()
    assert b"anna" in content
    for secret in (WORDS, session, link, state):
        assert secret.encode() not in content
    assert bytes.fromhex(session) not in content
    assert stat.S_IMODE(people.path.stat().st_mode) == 0o600
    people.path.chmod(0o644)
    with pytest.raises(AccessError, match=r"cannot use the accounts in .* chmod 600 it"):
        people.accounts.list()


def test_before_anybody_was_added_everything_is_empty_and_no_file_is_made(people: People) -> None:
    assert people.accounts.list() == []
    assert not people.accounts.has_admin()
    assert people.accounts.verify("anna", WORDS) is None
    assert people.sessions.check("0" * 64) is None
    assert people.sessions.list() == []
    assert people.sessions.end_all("x") == 0
    assert people.links.look("0" * 64) is None
    assert people.flows.end("0" * 64) is None
    with pytest.raises(UsageError, match="there is none of that name"):
        people.accounts.get("anna")
    assert not people.path.exists()


def test_what_is_off_about_a_user_is_refused(people: People) -> None:
    people.accounts.add("anna", "viewer", ["*"])
    for name, role, scopes, email, told in (
        ("ANNA", "viewer", ["*"], None, "there is one of that name"),
        ("an na", "viewer", ["*"], None, "a name has at most 64"),
        ("<script>", "viewer", ["*"], None, "a name has at most 64"),
        ("Stranger", "viewer", ["*"], None, "is none of local, stranger"),
        ("bert", "king", ["*"], None, "the roles are viewer, owner, analyst, admin"),
        ("bert", "viewer", [], None, "it names no collection"),
        ("bert", "viewer", [""], None, "it names no collection"),
        ("bert", "viewer", ["*"], "bert", "no address of e-mail"),
        ("bert", "viewer", ["*"], "a@b.c\r\nBcc: d@e.f", "no address of e-mail"),
    ):
        with pytest.raises(UsageError, match=told):
            people.accounts.add(name, role, scopes, email=email)
    assert [one.name for one in people.accounts.list()] == ["anna"]


def test_an_administrator_has_all_collections_and_the_last_one_stays(people: People) -> None:
    first = people.accounts.add("first", "admin", ["shop"])
    people.accounts.set_password(first.id, WORDS)
    assert first.scopes == ("*",)
    people.accounts.add("second", "admin")  # who never took a password is none yet
    for change in ({"given": "viewer", "scopes": ["*"]}, {"disabled": True}):
        with pytest.raises(UsageError, match="nobody would be left who may administer"):
            people.accounts.change("first", **change)  # type: ignore[arg-type]
    assert people.accounts.get("first").state == "active"
    people.accounts.set_password(people.accounts.get("second").id, OTHERS)
    assert people.accounts.change("first", disabled=True).state == "disabled"


def test_whoever_is_disabled_neither_signs_in_nor_stays_signed_in(people: People) -> None:
    anna = people.accounts.add("anna", "viewer", ["*"])
    people.accounts.set_password(anna.id, WORDS)
    secret, _ = people.sessions.begin(anna.id, via="password")
    assert people.sessions.check(secret) is not None
    people.accounts.change("anna", disabled=True)
    assert people.sessions.check(secret) is None
    assert people.accounts.verify("anna", WORDS) is None


def test_changes_of_role_and_collections_hold_in_sessions_that_are_open(people: People) -> None:
    anna = people.accounts.add("anna", "viewer", ["shop"])
    secret, _ = people.sessions.begin(anna.id, via="password")
    people.accounts.change("anna", given="owner", scopes=["blog"], email="anna@example.org")
    found = people.sessions.check(secret)
    assert found is not None
    assert (found[1].role, found[1].scopes, found[1].email) == ("owner", ("blog",), "anna@example.org")
    assert found[1].grant.allows("write", "blog")
    assert not found[1].grant.allows("read", "shop")


def test_whom_somebody_else_vouches_for_has_no_password(people: People) -> None:
    anna = people.accounts.add("anna", "viewer", ["*"], identity=("https://id.example.org", "7"))
    assert people.accounts.identified("https://id.example.org", "7") == anna
    assert people.accounts.identified("https://other.example.org", "7") is None
    assert anna.state == "active"
    with pytest.raises(UsageError, match="this user signs in elsewhere"):
        people.accounts.set_password(anna.id, WORDS)
    assert people.accounts.verify("anna", "") is None


def test_a_session_ends_when_nobody_comes_and_after_its_longest_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "time", clock := Clock())
    people = People(tmp_path / "accounts.db", idle=400, longest=1000)
    anna = people.accounts.add("anna", "viewer", ["*"])
    idle, _ = people.sessions.begin(anna.id, via="password")
    busy, known = people.sessions.begin(anna.id, via="link", address="192.0.2.7", agent="a" * 999)
    assert (known.address, known.agent, known.via) == ("192.0.2.7", "a" * 200, "link")
    for _ in range(7):
        clock.go(100)
        assert people.sessions.check(busy) is not None
    assert people.sessions.check(idle) is None
    assert [one.id for one in people.sessions.of(anna.id)] == [known.id]
    clock.go(299)
    assert people.sessions.check(busy) is not None
    clock.go(2)
    assert people.sessions.check(busy) is None
    assert people.sessions.list() == []


def test_sessions_are_ended_one_by_one_and_all_but_ones_own(people: People) -> None:
    anna, bert = (people.accounts.add(name, "viewer", ["*"]) for name in ("anna", "bert"))
    own, one = (people.sessions.begin(anna.id, via="password") for _ in range(2))
    theirs, _ = people.sessions.begin(bert.id, via="password")
    assert not people.sessions.end(bert.id, one[1].id)
    assert people.sessions.end(anna.id, one[1].id)
    assert people.sessions.check(one[0]) is None
    third, _ = people.sessions.begin(anna.id, via="password")
    assert people.sessions.end_all(anna.id, but=own[1].id) == 1
    assert [people.sessions.check(secret) is not None for secret in (own[0], third, theirs)] == [True, False, True]
    assert people.sessions.end_all(bert.id) == 1
    assert people.sessions.check(theirs) is None


def test_a_user_has_so_many_sessions_and_no_more(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "MOST_OF_ONE", 3)
    anna = people.accounts.add("anna", "viewer", ["*"])
    secrets = [people.sessions.begin(anna.id, via="password")[0] for _ in range(5)]
    assert [people.sessions.check(one) is not None for one in secrets] == [False, False, True, True, True]


def test_no_other_text_opens_a_session(people: People) -> None:
    anna = people.accounts.add("anna", "viewer", ["*"])
    secret, known = people.sessions.begin(anna.id, via="password")
    texts = [
        "",
        secret[:-1],
        secret + "0",
        secret.upper() if secret.upper() != secret else "F" * 64,
        known.id,
        "é" * 64,
    ]
    assert [text for text in texts if people.sessions.check(text) is not None] == []
    assert session_module.csrf(secret) != session_module.csrf("0" * 64)
    assert secret not in session_module.csrf(secret)


def test_a_link_opens_once_even_for_two_at_once(people: People) -> None:
    secret, made = people.links.make("first")
    assert people.links.look(secret) == made
    opened: list[str] = []

    def use() -> None:
        try:
            opened.append(people.links.use(secret).kind)
        except UsageError as error:
            opened.append(str(error))

    threads = [threading.Thread(target=use) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert opened.count("first") == 1
    assert {one[:28] for one in opened if one != "first"} == {"cannot open this link: it wa"}
    assert people.links.look(secret) is None


def test_a_link_opens_nothing_after_its_time_nor_when_there_is_a_newer_one(people: People) -> None:
    anna = people.accounts.add("anna", "viewer", ["*"])
    old, _ = people.links.make("invite", anna.id)
    new, known = people.links.make("reset", anna.id)
    first, _ = people.links.make("first")
    assert people.links.look(old) is None
    assert people.links.look(new) == known
    assert known.expires == pytest.approx(time.time() + KINDS["reset"], abs=5)
    people.links.drop(anna.id)
    assert people.links.look(new) is None
    assert people.links.look(first) is not None
    late, _ = people.links.make("invite", anna.id, seconds=-1)
    with pytest.raises(UsageError, match="it was used, or is too old; ask for another"):
        people.links.use(late)


def test_a_state_of_a_sign_in_elsewhere_is_good_for_one_answer(people: People) -> None:
    state, made = people.flows.begin("https://id.example.org", "/explore")
    assert people.flows.end("0" * 64) is None
    assert people.flows.end(state) == made
    assert people.flows.end(state) is None


def _hash_of(people: People) -> str:
    with sqlite3.connect(people.path) as file:
        return str(file.execute("SELECT hash FROM users").fetchone()[0])
