"""Who may call what: every route there is, by each role, each kind of token and each who is none any more.

Whoever is let in to what changes something is shown so by the refusal of a form without its mark, which comes last.
"""

from __future__ import annotations

import re
import time
import tomllib
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import Mount, Route
from tests.web_people import Signed, team
from tests.web_server import web_server
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from logshed.access import People, Tokens
from logshed.access.roles import roles
from logshed.api import Lake
from logshed.web.app import application
from logshed.web.site import Site
from logshed.web.who import Needs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.dependencies.models import Dependant
    from starlette.routing import BaseRoute

TABLE = tomllib.loads(Path(__file__).with_name("matrix.toml").read_text("utf-8"))
ROUTES: dict[str, str] = TABLE["routes"]
MAY: dict[str, list[str]] = TABLE["may"]
OWN, FOREIGN, NOWHERE = "own-one", "foreign-one", "nowhere-one"
CANARY = "canary7f3a"
CHANGING = {"POST", "PUT", "PATCH", "DELETE", "MOUNT"}
UNLIKE = {"WS", "MOUNT"}
"""Kinds of routes that are called in other ways."""
OUTSIDE = ("it needs the ability", "it is for users who have signed in", "sign in, or send a token")
"""Why somebody is not let in by a route, whatever they ask it for."""
DENIED = {401, 403}
LONGEST, SECONDS = 2_000_000, 3.0
"""Of an answer that is read."""


class Caller(NamedTuple):
    """One who calls, with what they show."""

    name: str
    headers: dict[str, str]
    session: bool


class Matrix(NamedTuple):
    """A server with all who call it."""

    url: str
    callers: dict[str, Caller]
    gone: dict[str, Caller]


def cookie(name: str, secret: str) -> Caller:
    return Caller(name, {"Cookie": f"logshed_session={secret}"}, session=True)


def bearer(name: str, token: str) -> Caller:
    return Caller(name, {"Authorization": f"Bearer {token}"}, session=False)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """One record of one's own, and one of others that tells itself in every column that it may."""
    folder = tmp_path_factory.mktemp("matrix")
    made = Lake.open(folder / "lake", create=True)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for name, word in ((OWN, "plain"), (FOREIGN, CANARY)):
        file = folder / f"{word}.jsonl"
        file.write_text(
            f'{{"time":"{stamp}","level":"error","message":"{word} went wrong","service":"{word}-service",'
            f'"host":"{word}-host","trace_id":"{"ab" * 16}","url_path":"/{word}"}}\n' * 3
        )
        made.ingest([file], collection=name)
    return made


@pytest.fixture(scope="module")
def matrix(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    people, tokens, users = team(tmp_path_factory.mktemp("people"), scopes=(OWN,))
    callers = {name: cookie(name, one.secret) for name, one in users.items()}
    callers |= {name: bearer(name, token) for name, token in made_tokens(tokens, users).items()}
    with web_server(lake, tokens, people) as url:
        yield Matrix(url, callers, those_who_are_gone(people, tokens))


def made_tokens(tokens: Tokens, users: dict[str, Signed]) -> dict[str, str]:
    """One of each kind."""
    every = ["read", "write", "admin"]
    kinds = {"token to read": "read", "token to write": "write", "token to administer": "admin"}
    made = {name: tokens.create([OWN], [verb])[0] for name, verb in kinds.items()}
    made["token to do all everywhere"] = tokens.create(["*"], every)[0]
    made["token of a viewer"] = tokens.create(["*"], every, owner=users["viewer"].user.id)[0]
    return made


def those_who_are_gone(people: People, tokens: Tokens) -> dict[str, Caller]:
    """Strangers, and who were known once, all of whom could do everything then."""
    every = ["read", "write", "admin"]
    revoked, kept = tokens.create(["*"], every)
    tokens.revoke(kept.id)
    left = people.accounts.add("left", "admin")
    of_left = tokens.create(["*"], every, owner=left.id)[0]
    was, ended, old = (people.sessions.begin(left.id, via="password") for _ in range(3))
    people.sessions.end(left.id, ended[1].id)
    other = people.accounts.add("other", "admin")
    late = People(people.path, longest=-1).sessions.begin(other.id, via="password")[0]
    people.sessions.end(left.id, old[1].id)
    people.accounts.change("left", disabled=True)
    return {
        "stranger": Caller("stranger", {}, session=False),
        "with a token of another form": bearer("odd", "logshed_x"),
        "with an expired token": bearer("expired", tokens.create(["*"], every, seconds=-1)[0]),
        "with a revoked token": bearer("revoked", revoked),
        "with a token whose user is disabled": bearer("of left", of_left),
        "with a session that was ended": cookie("ended", ended[0]),
        "with a session that is too old": cookie("late", late),
        "with a session of a disabled user": cookie("left", was[0]),
        "with a session that never was": cookie("never", "0" * 64),
    }


class Found(NamedTuple):
    """A route as the application has it."""

    method: str
    path: str
    needs: list[Needs]
    parameters: set[str]

    @property
    def name(self) -> str:
        """As the table names it."""
        return f"{self.method} {self.path}"


def found(lake: Lake, folder: Path) -> list[Found]:
    """Every route of the application."""
    app = application(Site(lake, Tokens(folder / "t.db"), people=People(folder / "a.db")))
    return [one for route in walked(app.router.routes) for one in told(route)]


def walked(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    """Routes, and those inside routers that were included."""
    for route in routes:
        if isinstance(route, Route | APIRoute | APIWebSocketRoute | Mount):
            yield route
        else:
            inner: Any = route  # FastAPI's own class of an included router has no public name
            yield from walked(inner.original_router.routes)


def told(route: Any) -> Iterator[Found]:
    dependant: Dependant | None = getattr(route, "dependant", None)
    needs = [one.call for one in all_of(dependant) if isinstance(one.call, Needs)] if dependant else []
    every = [dependant, *all_of(dependant)] if dependant else []
    names = {field.alias for one in every for field in (*one.query_params, *one.path_params)}
    kinds = {APIWebSocketRoute: {"WS"}, Mount: {"MOUNT"}}
    methods = kinds.get(type(route)) or route.methods - {"HEAD"}
    for method in sorted(methods):
        yield Found(method, route.path, needs, names)


def all_of(dependant: Dependant) -> Iterator[Dependant]:
    for one in dependant.dependencies:
        yield one
        yield from all_of(one)


@pytest.fixture(scope="module")
def known(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    return found(lake, tmp_path_factory.mktemp("walk"))


def stated(one: Found) -> str:
    """What a route itself says of who may call it; of those of other kinds the table says it."""
    if one.method in UNLIKE and not one.needs:
        return ROUTES.get(one.name, "known")
    if not one.needs:
        return "public"
    (need,) = one.needs
    if need.myself:
        return "anyhow" if need.anyhow else "myself"
    return need.ability or "known"


def may(name: str, what: str) -> bool:
    """Whether one of the table may call what needs this."""
    if what in ("myself", "anyhow"):
        return name in roles()
    return what in ("public", "known") or what in MAY[name]


def test_every_route_stands_in_the_table_and_asks_for_what_the_table_says(known: list[Found]) -> None:
    assert len(known) > 20
    missing = sorted(f'"{one.name}" = "{stated(one)}"' for one in known if one.name not in ROUTES)
    assert not missing, "add to tests/web/matrix.toml, if that is who may: " + "; ".join(missing)
    assert {one.name: stated(one) for one in known} == ROUTES


def test_a_route_asks_once_who_calls(known: list[Found]) -> None:
    assert [one.name for one in known if len(one.needs) > 1] == []


def test_what_is_for_everybody_is_what_one_needs_to_sign_in() -> None:
    public = {name.split()[1] for name, what in ROUTES.items() if what == "public"}
    assert public == {
        "/api/v1/session",
        "/link/{secret}",
        "/ready",
        "/sign-in",
        "/sign-in/oidc",
        "/sign-in/oidc/callback",
        "/static/{tag}/{name:path}",
    }


def test_who_is_none_any_more_is_refused_by_every_route(matrix: Matrix, known: list[Found]) -> None:
    """A stranger by each, the others by turns: one dependency asks for all routes."""
    let_in, stranger, others = [], matrix.gone["stranger"], cycle([*matrix.gone.values()][1:])
    assert len(known) > 10 * len(matrix.gone)
    with httpx.Client(base_url=matrix.url, timeout=20) as client:
        for one in known:
            if one.method == "WS" or stated(one) == "public":
                continue
            callers = (stranger, next(others))
            let_in += [f"{one.name} by {by.name}" for by in callers if not refused(called(client, one, by))]
    assert let_in == []


def test_each_is_let_in_to_what_they_may_and_refused_by_all_else(matrix: Matrix, known: list[Found]) -> None:
    wrong = []
    assert matrix.callers.keys() == MAY.keys()
    with httpx.Client(base_url=matrix.url, timeout=20) as client:
        for one in known:
            what = stated(one)
            readers = [name for name in matrix.callers if may(name, what)] if one.method == "GET" else []
            for name, caller in matrix.callers.items():
                allowed = may(name, what)
                changes = one.method in CHANGING
                done = allowed and changes and not caller.session  # by a token that may
                answered = allowed and (name in readers[1:] or "owner" in readers)  # the first is; the owner is below
                if done or answered or one.method in UNLIKE or what == "public":
                    continue
                status, text = called(client, one, caller)
                let_in = "the form is too old" in text if changes else not outside(text)
                if let_in != allowed or (not allowed and status not in DENIED):
                    wrong.append(f"{one.name} by {name}: {status} {text[:200]}")
    assert wrong == []


def test_no_route_tells_anything_of_a_foreign_collection_nor_whether_it_is_there(
    matrix: Matrix, known: list[Found]
) -> None:
    told, owner = [], matrix.callers["owner"]
    with httpx.Client(base_url=matrix.url, timeout=20) as client:
        for one in known:
            if one.method != "GET" or not may("owner", stated(one)):
                continue
            own = called(client, one, owner)
            if words(own[1]):
                told.append(f"{one.name}: tells of it")
            if outside(own[1]) and stated(one) != "public":
                told.append(f"{one.name}: does not let the owner in")
            if "collection" not in one.parameters:
                continue
            there, not_there = (called(client, one, owner, name) for name in (FOREIGN, NOWHERE))
            if CANARY in there[1]:
                told.append(f"{one.name}: tells of it when it is asked")
            if (there[0], plain(there[1], FOREIGN)) != (not_there[0], plain(not_there[1], NOWHERE)):
                told.append(f"{one.name}: {there[0]} where it is there, {not_there[0]} where it is not")
    assert told == []


def test_what_was_planted_is_seen_by_who_may(matrix: Matrix) -> None:
    """Else nothing would be proven by not finding it."""
    admin = matrix.callers["admin"]
    answer = httpx.get(f"{matrix.url}/api/v1/records", headers=admin.headers, params={"since": "all"})
    assert CANARY in answer.text
    assert FOREIGN in answer.text


def test_a_web_socket_is_opened_for_those_alone_who_may(matrix: Matrix, known: list[Found]) -> None:
    strangers = [("", {"Origin": "https://evil.example", **matrix.callers["admin"].headers}), ("", {})]
    let_in = []
    for one in (one for one in known if one.method == "WS"):
        outside = [(name, caller.headers) for name, caller in matrix.callers.items() if not may(name, stated(one))]
        outside += [(name, caller.headers) for name, caller in matrix.gone.items()]
        for name, headers in (*outside, *strangers):
            try:
                with connect(f"ws{matrix.url.removeprefix('http')}{one.path}", additional_headers=headers):
                    let_in.append(f"{one.name} by {name or 'a page of another site'}")
            except InvalidStatus as error:
                if error.response.status_code not in DENIED:
                    let_in.append(f"{one.name}: {error}")
    assert let_in == []


def outside(text: str) -> bool:
    """Whether somebody was not let in by a route, whatever they asked it for."""
    return any(word in text for word in OUTSIDE)


def refused(answer: tuple[int, str]) -> bool:
    """Whether somebody was not let in, rather than told that something is not there or off."""
    status, _ = answer
    return status in (401, 403) or (status == 303 and "sign-in" in answer[1])


def called(client: httpx.Client, one: Found, caller: Caller, collection: str | None = None) -> tuple[int, str]:
    """The status and what is read of an answer, or where it leads."""
    path = re.sub(r"\{collection[^}]*\}", collection or OWN, one.path)
    path = re.sub(r"\{[^}]*\}", "x", path)
    asked = {"collection": collection} if collection and "collection" in one.parameters else {}
    body = {"json": {}} if one.method in CHANGING else {}
    end, text = time.monotonic() + SECONDS, b""
    method = "POST" if one.method == "MOUNT" else one.method
    with client.stream(method, path, params=asked, headers=caller.headers, **body) as answer:
        kind = answer.headers.get("content-type", "")
        try:
            for part in answer.iter_bytes() if "event-stream" not in kind else ():
                text += part
                if len(text) > LONGEST or time.monotonic() > end:
                    break
        except httpx.ReadTimeout:
            pass  # a stream on which nothing comes
        return answer.status_code, answer.headers.get("location", "") + text.decode("utf-8", "replace")


def words(text: str) -> set[str]:
    """Of the two that give a foreign collection away, those in an answer."""
    return {word for word in (CANARY, FOREIGN) if word in text}


def plain(text: str, name: str) -> str:
    """An answer without the name that was asked for, and without what is other each time."""
    return re.sub(r'"(took|id|created|now)":\s*[^,}]+', "", text.replace(name, "NAME"))
