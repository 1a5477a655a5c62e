"""People sign in and out; what other sites send, what is too often wrong and what has ended opens nothing."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.requests import Request
from tests.web_people import PASSWORD, Signed, client, delete, get, post, team
from tests.web_server import web_server

from logshed.access import People, Tokens
from logshed.api import Lake
from logshed.errors import OverloadedError, UsageError
from logshed.pipeline.trail import FILE
from logshed.web.local import local
from logshed.web.signing import Signing
from logshed.web_settings import Web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Place:
    """A server with users."""

    def __init__(self, url: str, lake: Lake, people: People, tokens: Tokens, users: dict[str, Signed]) -> None:
        self.url, self.lake, self.people, self.tokens, self.users = url, lake, people, tokens, users

    def trail(self) -> list[dict[str, object]]:
        """What was written down."""
        lines = (self.lake.root / FILE).read_text().splitlines()[1:]
        return [json.loads(line) for line in lines]

    def add(self, name: str, role: str = "viewer") -> Signed:
        """One more user with a session."""
        user = self.people.accounts.add(name, role, ["web"])
        self.people.accounts.set_password(user.id, PASSWORD)
        return Signed(self.people.accounts.get(name), self.people.sessions.begin(user.id, via="password")[0])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("signing")
    people, tokens, users = team(folder)
    lake = Lake.open(folder / "lake", create=True)
    with web_server(lake, tokens, people) as url:
        yield Place(url, lake, people, tokens, users)


def sign_in(place: Place, name: str, password: str, **more: str) -> httpx.Response:
    return post(f"{place.url}/sign-in", data={"name": name, "password": password, **more})


def test_the_first_link_makes_an_administrator_once(place: Place, tmp_path: Path) -> None:
    people, tokens = People(tmp_path / "accounts.db"), Tokens(tmp_path / "tokens.db")
    secret, _ = people.links.make("first")
    with web_server(place.lake, tokens, people) as url:
        asked = f"{url}/link/{secret}"
        assert "The first administrator" in get(asked).text
        given = {"name": "root", "password": PASSWORD, "again": PASSWORD}
        assert "another the second time" in post(asked, data={**given, "again": "x"}).text
        assert "take 12 to 256" in post(asked, data={**given, "password": "x", "again": "x"}).text
        made = post(asked, data=given)
        assert (made.status_code, made.headers["location"]) == (303, "/")
        assert people.accounts.get("root").role == "admin"
        me = get(f"{url}/api/v1/session", cookies=made.cookies).json()
        assert (me["name"], me["via"], "administer" in me["abilities"]) == ("root", "session", True)
        assert get(asked).status_code == 404
        assert post(asked, data={**given, "name": "mallory"}).status_code == 422
        assert [one.name for one in people.accounts.list()] == ["root"]


def test_a_cookie_is_for_this_host_alone_and_unseen_by_scripts(place: Place) -> None:
    answer = sign_in(place, "viewer", PASSWORD, next="/explore?q=a%20b")
    assert (answer.status_code, answer.headers["location"]) == (303, "/explore?q=a%20b")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "domain" not in cookie.lower()


def test_a_wrong_name_and_a_wrong_password_are_told_in_the_same_words(place: Place) -> None:
    place.people.accounts.add("invited", "viewer", ["web"])
    place.people.accounts.change("invited", disabled=False)
    names = ("viewer", "nobody", "invited")
    answers = [sign_in(place, name, "seven lanterns at noon") for name in names]
    assert {one.status_code for one in answers} == {401}
    texts = {one.text.replace(f'value="{name}"', "") for one, name in zip(answers, names, strict=True)}
    assert len(texts) == 1
    assert "the name or the password is wrong" in texts.pop()
    told = post(f"{place.url}/api/v1/session", json={"name": "nobody", "password": "x"})
    assert (told.status_code, told.headers["content-type"]) == (401, "application/problem+json")


def test_who_is_wrong_too_often_is_not_looked_at_however_right_they_then_are(place: Place) -> None:
    place.add("often")
    for name in ("often", "ghost"):
        assert [sign_in(place, name, "wrong password").status_code for _ in range(6)] == [401] * 5 + [429], name
    late = sign_in(place, "often", PASSWORD)
    assert late.status_code == 429
    assert "there were too many attempts" in late.text
    assert sign_in(place, "analyst", PASSWORD).status_code == 303


def test_strangers_who_guess_links_keep_nobody_from_opening_theirs(place: Place) -> None:
    """Wherever the guesses come from: a link has no name under which they could be counted for all."""
    people, signing = place.people, Signing(place.people, place.tokens, Web(), unheard)
    secret = people.links.make("invite", people.accounts.add("guessed", "viewer", ["web"]).id)[0]

    def opened(address: str, link: str) -> bool:
        request = Request({"type": "http", "headers": [], "client": (address, 1)})
        try:
            return bool(asyncio.run(signing.by_link(request, link, PASSWORD, None)).secret)
        except UsageError:
            return False

    assert not any(opened(f"198.51.100.{one}", "0" * 64) for one in range(60))
    assert opened("203.0.113.7", secret)
    assert not any(opened("198.51.100.70", "0" * 64) for _ in range(100))
    with pytest.raises(OverloadedError):
        opened("198.51.100.70", "0" * 64)


async def unheard(*_: object, **__: object) -> None:
    """A trail that nobody reads."""


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/%0d%0aSet-Cookie:x\r\n",
        "javascript:alert(1)",
        "evil.example",
        "http:evil.example",
        " //evil.example",
        "/sign-in?next=/",
        "",
        "/" + "x" * 3000,
    ],
)
def test_one_goes_on_to_pages_of_this_site_alone(place: Place, address: str) -> None:
    assert local(address) == "/"
    if address.isprintable():
        answer = client(place.url, place.users["viewer"]).get("/sign-in", params={"next": address})
        assert answer.headers["location"] == "/"


def test_who_signs_in_goes_on_to_a_page_of_this_site_alone(place: Place) -> None:
    for address in ("https://evil.example/", "//evil.example", "/\\evil.example"):
        assert sign_in(place, "owner", PASSWORD, next=address).headers["location"] == "/"


def test_changes_by_a_cookie_need_what_only_our_own_pages_know(place: Place) -> None:
    who = place.add("forms")
    cookies = {"logshed_session": who.secret}

    def change(**headers: str) -> int:
        asked = headers and {key.replace("_", "-"): value for key, value in headers.items()}
        return delete(f"{place.url}/api/v1/session/sessions", cookies=cookies, headers=asked or {}).status_code

    assert change() == 403
    assert change(X_CSRF_Token="0" * 64) == 403
    assert change(X_CSRF_Token=place.users["viewer"].csrf) == 403
    assert change(X_CSRF_Token=who.csrf, Origin="https://evil.example") == 403
    assert change(X_CSRF_Token=who.csrf, Origin="null") == 403
    assert change(X_CSRF_Token=who.csrf, Sec_Fetch_Site="cross-site") == 403
    assert change(X_CSRF_Token=who.csrf, Sec_Fetch_Site="same-site") == 403
    assert change(X_CSRF_Token=who.csrf, Origin=place.url) == 200
    form = {"session": "x", "csrf": "0" * 64}
    assert post(f"{place.url}/account/sessions/end", cookies=cookies, data=form).status_code == 403
    form["csrf"] = who.csrf
    assert post(f"{place.url}/account/sessions/end", cookies=cookies, data=form).status_code == 303


def test_another_site_signs_nobody_in(place: Place) -> None:
    """Who is signed in as somebody else without knowing it, leaves their work with them."""
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        given = {"name": "viewer", "password": PASSWORD}
        answer = post(f"{place.url}/sign-in", data=given, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


def test_a_wrong_token_is_not_made_good_by_a_cookie(place: Place) -> None:
    asks = client(place.url, place.users["viewer"])
    assert asks.get("/api/v1/session").status_code == 200
    for shown in ("Bearer logshed_0", "Basic eDp5", "Digest x", ""):
        assert asks.get("/api/v1/session", headers={"Authorization": shown}).status_code == 401, shown


def test_a_token_is_taken_as_the_password_of_basic_as_dashboards_send_it(place: Place) -> None:
    token, known = place.tokens.create(["web"], name="grafana")
    asked = get(f"{place.url}/api/v1/session", auth=("anything", token)).json()
    assert (asked["name"], asked["role"], asked["collections"]) == (f"token {known.id}", "token", ["web"])
    uses = [one for one in place.trail() if one["verb"] == "token use" and known.id in str(one["actor"])]
    get(f"{place.url}/api/v1/session", auth=("anything", token))
    assert len(uses) == 1
    assert len([one for one in place.trail() if one["verb"] == "token use" and known.id in str(one["actor"])]) == 1


def test_who_signs_out_is_out_and_so_is_who_was_disabled_or_whose_session_was_ended(place: Place) -> None:
    who = place.add("leaves")
    asks = client(place.url, who)
    assert asks.delete("/api/v1/session").status_code == 204
    assert client(place.url, who).get("/api/v1/session").status_code == 401
    again = Signed(who.user, place.people.sessions.begin(who.user.id, via="password")[0])
    ended = Signed(who.user, place.people.sessions.begin(who.user.id, via="password")[0])
    ends = client(place.url, again)
    (other,) = [one for one in ends.get("/api/v1/session/sessions").json()["items"] if not one["own"]]
    assert ends.delete(f"/api/v1/session/sessions/{other['id']}").status_code == 204
    assert client(place.url, ended).get("/api/v1/session").status_code == 401
    admin = client(place.url, place.users["admin"])
    assert admin.patch("/api/v1/users/leaves", json={"disabled": True}).json()["state"] == "disabled"
    assert client(place.url, again).get("/api/v1/session").status_code == 401
    assert sign_in(place, "leaves", PASSWORD).status_code == 401


def test_a_stream_ends_soon_after_its_reader_is_known_no_more_or_sees_other_collections(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("logshed.web.routes.tail.SECONDS", "logshed.web.still.SECONDS"):
        monkeypatch.setattr(module, 0.2)
    admin = client(place.url, place.users["admin"])
    changes = {"disabled": {"disabled": True}, "moved": {"collections": ["app"]}, "asked": {"must_change": True}}
    for name, change in changes.items():
        who = place.add(name)
        with client(place.url, who).stream("GET", "/api/v1/tail") as answer:
            lines = answer.iter_lines()
            assert any(line == "event: begun" for line in lines)
            assert admin.patch(f"/api/v1/users/{name}", json=change).status_code == 200
            assert [line for line in lines if line.startswith("event: records")] == []


def test_who_is_known_no_more_gets_no_more_of_what_is_being_sent(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logshed.web.still.SECONDS", 0.1)
    who = place.add("reads-on", "analyst")
    sql = {"sql": "SELECT i, repeat('x', 200) AS x FROM range(20_000_000) t (i)"}
    with client(place.url, who).stream("POST", "/api/v1/sql", json=sql) as answer:
        parts = answer.iter_raw()
        next(parts)
        client(place.url, place.users["admin"]).patch("/api/v1/users/reads-on", json={"role": "viewer"})
        with pytest.raises(httpx.RemoteProtocolError):
            sum(len(part) for part in parts)


def test_what_a_page_asks_by_itself_keeps_no_session_from_being_idle(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = place.add("idles")
    asks = client(place.url, who)

    def counts(ask: Callable[[], object]) -> bool:
        (before,) = place.people.sessions.of(who.user.id)
        ask()
        (after,) = place.people.sessions.of(who.user.id)
        return after.seen > before.seen

    def streamed() -> None:
        with asks.stream("GET", "/api/v1/tail", headers={"Accept": "text/event-stream"}) as answer:
            next(answer.iter_lines())

    monkeypatch.setattr("logshed.access.sessions.SEEN_SECONDS", -1.0)
    assert not counts(lambda: asks.get("/api/v1/session", headers={"X-Logshed-Background": "1"}))
    assert not counts(streamed)
    assert counts(lambda: asks.get("/api/v1/session"))


def test_a_new_password_ends_other_sessions_and_the_old_one_opens_nothing(place: Place) -> None:
    who = place.add("renews")
    other = Signed(who.user, place.people.sessions.begin(who.user.id, via="password")[0])
    asks, new = client(place.url, who), "seven lanterns at noon"
    wrong = asks.post("/api/v1/session/password", json={"old": "not it at all", "new": new})
    assert (wrong.status_code, "the old one is wrong" in wrong.json()["detail"]) == (422, True)
    assert asks.post("/api/v1/session/password", json={"old": PASSWORD, "new": new}).status_code == 204
    assert asks.get("/api/v1/session").status_code == 200
    assert client(place.url, other).get("/api/v1/session").status_code == 401
    assert [sign_in(place, "renews", one).status_code for one in (PASSWORD, new)] == [401, 303]


def test_who_has_to_take_another_password_can_do_nothing_before(place: Place) -> None:
    who = place.add("must")
    client(place.url, place.users["admin"]).patch("/api/v1/users/must", json={"must_change": True})
    asks = client(place.url, who)
    page = asks.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/account/password")
    assert asks.get("/api/v1/openapi.json").status_code == 403
    token = {"name": "x", "collections": ["web"], "verbs": ["read"]}
    assert asks.post("/api/v1/session/tokens", json=token).status_code == 403
    assert asks.get("/account/password").status_code == 200
    given = {"old": PASSWORD, "new": "seven lanterns at noon", "again": "seven lanterns at noon", "csrf": who.csrf}
    assert asks.post("/account/password", data=given).headers["location"] == "/account"
    assert asks.get("/api/v1/openapi.json").status_code == 200


def test_an_invitation_a_reset_and_an_administrators_change_go_by_the_api(place: Place) -> None:
    admin = client(place.url, place.users["admin"])
    new = {"name": "Anna", "role": "analyst", "collections": ["web"], "email": "anna@example.org"}
    made = admin.post("/api/v1/users", json=new)
    assert (made.status_code, made.json()["state"]) == (201, "invited")
    link = made.json()["link"]
    assert link.startswith(f"{place.url}/link/")
    reset = admin.post("/api/v1/users/anna/link").json()["link"]
    assert get(link).status_code == 404
    words = {"password": PASSWORD, "again": PASSWORD}
    taken = post(reset, data=words)
    assert taken.status_code == 303
    assert get(f"{place.url}/api/v1/session", cookies=taken.cookies).json()["name"] == "Anna"
    again = admin.post("/api/v1/users", json={**new, "name": "ANNA"})
    assert (again.status_code, again.headers["content-type"]) == (422, "application/problem+json")
    assert admin.patch("/api/v1/users/nobody", json={"role": "viewer"}).status_code == 404
    assert admin.patch("/api/v1/users/admin", json={"role": "viewer", "collections": ["web"]}).status_code == 422
    assert PASSWORD not in json.dumps(place.trail())


def test_a_token_of_ones_own_allows_no_more_than_one_may_do_and_goes_with_it(place: Place) -> None:
    who = place.add("maker", "owner")
    asks = client(place.url, who)
    for off in (
        {"collections": ["app"]},
        {"collections": ["*"]},
        {"collections": ["w*"]},
        {"for": "400d"},
        {"for": -5},
    ):
        given = {"name": "x", "collections": ["web"], "verbs": ["read"], **off}
        assert asks.post("/api/v1/session/tokens", json=given).status_code == 422, off
    given = {"name": "x", "collections": ["web"], "verbs": ["read", "write", "admin"], "for": "30d"}
    made = asks.post("/api/v1/session/tokens", json=given).json()
    program = client(place.url, token=made["token"])
    me = program.get("/api/v1/session").json()
    assert me["name"] == f"maker (token {made['id']})"
    assert me["abilities"] == ["manage", "read", "sql", "triage", "write"]
    assert program.post("/api/v1/session/tokens", json=given).status_code == 403
    assert [one["id"] for one in asks.get("/api/v1/session/tokens").json()["items"]] == [made["id"]]
    client(place.url, place.users["admin"]).patch("/api/v1/users/maker", json={"role": "viewer"})
    assert program.get("/api/v1/session").status_code == 401
    viewer = asks.post("/api/v1/session/tokens", json={**given, "verbs": ["read"]}).json()
    program = client(place.url, token=viewer["token"])
    assert program.get("/api/v1/session").json()["abilities"] == ["read"]
    assert asks.delete(f"/api/v1/session/tokens/{viewer['id']}").status_code == 204
    assert program.get("/api/v1/session").status_code == 401


def test_all_of_it_is_written_down_and_no_secret_is(place: Place) -> None:
    place.add("noted")
    sign_in(place, "noted", "wrong password it is")
    answer = sign_in(place, "noted", PASSWORD)
    secret = answer.cookies["logshed_session"]
    delete(
        f"{place.url}/api/v1/session",
        cookies=answer.cookies,
        headers={"X-CSRF-Token": Signed(place.users["viewer"].user, secret).csrf},
    )
    own = [one for one in place.trail() if "noted" in (one["target"], one["actor"])]
    assert [(one["actor"], one["verb"], one["outcome"]) for one in own] == [
        ("stranger", "sign in", "refused"),
        ("noted", "sign in", "ok"),
        ("noted", "sign out", "ok"),
    ]
    written = (place.lake.root / FILE).read_text()
    assert secret not in written
    assert "wrong password it is" not in written
    assert place.users["viewer"].secret not in written


def test_behind_a_proxy_that_speaks_tls_cookies_are_sealed_and_only_it_is_believed(
    place: Place, tmp_path: Path
) -> None:
    people, tokens, users = team(tmp_path)
    token, _ = tokens.create(["web"])
    for proxies, address in ((["127.0.0.1"], "203.0.113.7"), (["192.0.2.1"], "127.0.0.1")):
        web = Web.model_validate({"public_url": "https://logs.example.org", "proxies": proxies})
        with web_server(place.lake, tokens, people, web) as url:
            headers = {"X-Forwarded-For": "198.51.100.9, 203.0.113.7", "Host": "logs.example.org"}
            given = {"name": "viewer", "password": PASSWORD}
            own = {**headers, "Origin": "https://logs.example.org"}
            answer = post(f"{url}/sign-in", data=given, headers=own)
            assert "__Host-logshed_session=" in answer.headers["set-cookie"]
            assert "Secure" in answer.headers["set-cookie"]
            assert people.sessions.of(users["viewer"].user.id)[0].address == address
            sealed = {"Cookie": f"__Host-logshed_session={answer.cookies['__Host-logshed_session']}"}
            assert get(f"{url}/api/v1/session", headers={**headers, **sealed}).status_code == 200
            plain = {"Cookie": f"logshed_session={answer.cookies['__Host-logshed_session']}"}
            assert get(f"{url}/api/v1/session", headers={**headers, **plain}).status_code == 401
            elsewhere = {"Host": "evil.example"}
            assert get(f"{url}/sign-in", headers=elsewhere).status_code == 421
            assert get(f"{url}/", headers={**elsewhere, **sealed}).status_code == 421
            program = {**elsewhere, "Authorization": f"Bearer {token}"}  # by a name inside a cluster, say
            assert get(f"{url}/api/v1/session", headers=program).status_code == 200
            assert post(f"{url}/sign-in", data=given, headers={**headers, "Origin": url}).status_code == 403


def test_pages_of_users_and_tokens_do_what_they_say(place: Place) -> None:
    admin, csrf = client(place.url, place.users["admin"]), {"csrf": place.users["admin"].csrf}
    made = admin.post("/admin/users", data={**csrf, "name": "Bert", "role": "viewer", "collections": "web blog-*"})
    assert f"{place.url}/link/" in made.text
    assert place.people.accounts.get("bert").scopes == ("web", "blog-*")
    changed = admin.post("/admin/users/Bert", data={**csrf, "role": "owner", "collections": "web"})
    assert changed.status_code == 303
    assert place.people.accounts.get("bert").role == "owner"
    assert "the roles are viewer" in admin.post("/admin/users/Bert", data={**csrf, "role": "king"}).text
    admin.post("/admin/users/Bert", data={**csrf, "disabled": "yes"})
    assert place.people.accounts.get("bert").state == "disabled"
    assert "they are disabled" in admin.post("/admin/users/Bert/link", data=csrf).text
    given = {**csrf, "name": "<b>x", "collections": "web", "verb": "write", "for": "30d"}
    token = admin.post("/admin/tokens", data=given)
    assert "logshed_" in token.text
    assert "&lt;b&gt;x" in token.text
    (one,) = [one for one in place.tokens.list() if one.name == "<b>x"]
    assert one.verbs == ("write",)
    admin.post("/admin/tokens/revoke", data={**csrf, "token": one.id})
    assert [known.revoked is not None for known in place.tokens.list() if known.id == one.id] == [True]
    for path in ("/admin/users", "/admin/users/Bert", "/admin/tokens", "/account"):
        assert admin.get(path).status_code == 200, path
        refused = client(place.url, place.users["owner"]).get(path, headers={"Accept": "text/html"})
        assert refused.status_code == (200 if path == "/account" else 403), path
