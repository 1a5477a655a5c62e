"""People sign in at an identity provider, a real one of another maker and one that is wrong in one thing at a time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from joserfc.jwk import RSAKey
from limits import RateLimitItemPerMinute
from tests.oidc_provider import CLIENT, SECRET, Provider, provider
from tests.ports import free_port
from tests.web_people import ONCE, PASSWORD, UNUSED, get, post
from tests.web_server import web_server

from logshed.access import People, Tokens
from logshed.api import Lake
from logshed.errors import SettingsError
from logshed.pipeline.trail import FILE
from logshed.web import attempts
from logshed.web.oidc import Provider as Known
from logshed.web_settings import Oidc, Web

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GIVEN: dict[str, Any] = {
    "client_id": CLIENT,
    "client_secret": "env:LOGSHED_TEST_OIDC",
    "roles": {"ops": "analyst", "admins": "admin", "all": "viewer"},
    "collections": {"ops": ["web"], "all": ["app"]},
}


class Place:
    """A server with an identity provider."""

    def __init__(self, url: str, lake: Lake, people: People, their: Provider) -> None:
        self.url, self.lake, self.people, self.their = url, lake, people, their

    def browser(self) -> httpx.Client:
        """What keeps cookies."""
        return httpx.Client(limits=ONCE, timeout=20, verify=UNUSED)

    def come(self, browser: httpx.Client, wanted: str = "/") -> httpx.URL:
        """Go to the provider and sign in there; gives the address that it sends the browser back to."""
        away = browser.get(f"{self.url}/sign-in/oidc", params={"next": wanted})
        assert away.status_code == 303, away.text
        return httpx.URL(browser.get(away.headers["location"]).headers["location"])

    def sign_in(self) -> httpx.Response:
        """All of it."""
        browser = self.browser()
        return browser.get(self.come(browser))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("oidc")
    people, tokens = People(folder / "accounts.db"), Tokens(folder / "tokens.db")
    with pytest.MonkeyPatch.context() as patch, provider() as their:
        patch.setenv("LOGSHED_TEST_OIDC", SECRET)
        web = Web.model_validate({"oidc": {"issuer": their.issuer, **GIVEN}})
        lake = Lake.open(folder / "lake", create=True)
        with web_server(lake, tokens, people, web) as url:
            yield Place(url, lake, people, their)


@pytest.fixture(autouse=True)
def _right(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that does nothing wrong yet, at which one signs in as often as one likes."""
    monkeypatch.setattr(attempts, "AWAY", RateLimitItemPerMinute(1000))
    place.their.wrong = {}
    place.their.person = {
        "sub": "7",
        "preferred_username": "anna",
        "groups": ["ops", "all"],
        "email": "anna@example.org",
    }


@contextmanager
def another(place: Place, folder: Path, issuer: str, **more: Any) -> Iterator[tuple[str, People]]:
    """One more server of the same lake, with other settings and other accounts."""
    people = People(folder / "accounts.db")
    web = Web.model_validate({"oidc": {"issuer": issuer, **GIVEN, **more}})
    with web_server(place.lake, Tokens(folder / "tokens.db"), people, web) as url:
        yield url, people


def test_who_signs_in_there_is_who_they_are_there_with_what_their_groups_give(place: Place) -> None:
    browser = place.browser()
    back = place.come(browser, "/explore?q=1")
    asked = dict(parse_qsl(back.query.decode()))
    answer = browser.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/explore?q=1")
    assert place.their.asked["code_verifier"]
    me = browser.get(f"{place.url}/api/v1/session").json()
    assert (me["name"], me["role"], me["collections"]) == ("anna", "analyst", ["web", "app"])
    user = place.people.accounts.get("anna")
    assert (user.issuer, user.subject, user.email, user.has_password) == (
        place.their.issuer,
        "7",
        "anna@example.org",
        False,
    )
    assert asked["state"] not in place.people.path.read_bytes().decode("latin-1")


def test_groups_count_anew_at_each_sign_in(place: Place) -> None:
    assert place.sign_in().status_code == 303
    for groups, role, scopes in ((["all"], "viewer", ("app",)), (["admins"], "admin", ("*",))):
        place.their.person["groups"] = groups
        assert place.sign_in().status_code == 303
        user = place.people.accounts.get("anna")
        assert (user.role, user.scopes) == (role, scopes)
    place.their.person["groups"] = ["all"]  # even where nobody is left who may administer
    assert place.sign_in().status_code == 303
    assert place.people.accounts.get("anna").role == "viewer"


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": ["logshed", "another"], "azp": "another"},
        {"exp": 1_700_000_000},
        {"iat": 4_000_000_000},
        {"exp": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"at_hash": "another"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"kid": "unknown"},
        {"apart": ["groups"], "userinfo_sub": "8"},
    ],
    ids=str,
)
def test_what_is_not_sound_signs_nobody_in(place: Place, wrong: dict[str, Any]) -> None:
    place.their.wrong = wrong
    before = len(place.people.sessions.list())
    answer = place.sign_in()
    assert answer.status_code == 403
    assert "cannot sign in by the identity provider" in answer.text
    assert "logshed_session" not in answer.headers.get("set-cookie", "")
    assert len(place.people.sessions.list()) == before


def test_an_answer_counts_once_and_for_the_browser_that_asked(place: Place) -> None:
    browser, other = place.browser(), place.browser()
    back = place.come(browser)
    assert other.get(back).status_code == 403  # as one that was sent to somebody to sign them in as oneself
    place.come(other)
    assert other.get(back).status_code == 403
    browser = place.browser()
    back = place.come(browser)
    state = parse_qs(back.query.decode())["state"][0]
    flow = {"Cookie": f"logshed_flow={state}"}
    assert browser.get(back).status_code == 303
    assert get(str(back), headers=flow).status_code == 403
    assert get(f"{place.url}/sign-in/oidc/callback", params={"code": "x", "state": state}).status_code == 403
    assert get(f"{place.url}/sign-in/oidc/callback").status_code == 403


def test_an_answer_of_another_provider_or_of_a_refusal_signs_nobody_in(place: Place) -> None:
    browser = place.browser()
    back = place.come(browser)
    mixed = back.copy_set_param("iss", "https://evil.example")
    assert "comes from another provider" in browser.get(mixed).text
    browser = place.browser()
    back = place.come(browser).copy_remove_param("code").copy_set_param("error", "<access_denied>")
    told = browser.get(back)
    assert told.status_code == 403
    assert "&lt;access_denied&gt;" in told.text


def test_an_address_may_not_begin_without_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "AWAY", RateLimitItemPerMinute(2, 2))
    assert [get(f"{place.url}/sign-in/oidc").status_code for _ in range(4)] == [303, 303, 429, 429]


def test_where_one_goes_on_to_is_a_page_of_this_site(place: Place) -> None:
    browser = place.browser()
    assert browser.get(place.come(browser, "https://evil.example/")).headers["location"] == "/"


def test_nobody_becomes_a_user_of_the_same_name_by_signing_in_elsewhere(place: Place) -> None:
    local = place.people.accounts.add("root", "admin")
    place.people.accounts.set_password(local.id, PASSWORD)
    place.their.person = {"sub": "66", "preferred_username": "Root", "groups": ["all"]}
    assert place.sign_in().status_code == 303
    theirs = place.people.accounts.identified(place.their.issuer, "66")
    assert theirs is not None
    assert theirs.name.startswith("Root-")
    assert theirs.role == "viewer"
    assert place.people.accounts.get("root") == place.people.accounts.by_id(local.id)
    place.their.person = {"sub": "67", "preferred_username": "stranger", "groups": ["all"]}
    assert place.sign_in().status_code == 303
    refused = post(f"{place.url}/sign-in", data={"name": theirs.name, "password": ""})
    assert refused.status_code == 401


def test_whom_no_group_lets_in_or_who_is_disabled_here_stays_outside(place: Place) -> None:
    for groups in ([], ["others"], "others", {"ops": 1}, [7], None):
        place.their.person = {"sub": "9", "preferred_username": "mallory", "groups": groups}
        answer = place.sign_in()
        assert (answer.status_code, "none of your groups lets you in" in answer.text) == (403, True), groups
    place.their.person = {"sub": "9", "preferred_username": "mallory", "_claim_names": {"groups": "src1"}}
    assert "too many groups" in place.sign_in().text
    assert place.people.accounts.identified(place.their.issuer, "9") is None
    place.their.person = {"sub": "10", "preferred_username": "carl", "groups": ["ops"]}
    assert place.sign_in().status_code == 303
    place.people.accounts.change("carl", disabled=True)
    assert "this user is disabled" in place.sign_in().text
    trail = [json.loads(line) for line in (place.lake.root / FILE).read_text().splitlines()[1:]]
    refused = [one for one in trail if one["verb"] == "sign in" and one["outcome"] == "refused"]
    assert any("disabled" in one["details"] for one in refused)


def test_groups_may_come_from_userinfo_and_lie_inside_another_claim(place: Place, tmp_path: Path) -> None:
    place.their.wrong = {"apart": ["groups", "preferred_username"]}
    place.their.person["groups"] = ["ops"]
    assert place.sign_in().status_code == 303
    assert place.people.accounts.get("anna").scopes == ("web",)
    place.their.wrong = {}
    place.their.person = {"sub": "1", "preferred_username": "kim lee", "realm_access": {"roles": ["ops"]}}
    with another(place, tmp_path, place.their.issuer, groups_claim="realm_access.roles") as (url, people):
        nested = Place(url, place.lake, people, place.their)
        assert nested.sign_in().status_code == 303
        assert people.accounts.get("kim-lee").role == "analyst"


def test_without_groups_all_have_one_role_that_administrators_may_change(place: Place, tmp_path: Path) -> None:
    given = {"roles": {}, "role": "viewer", "collections": {"*": ["app"]}}
    with another(place, tmp_path, place.their.issuer, **given) as (url, people):
        here = Place(url, place.lake, people, place.their)
        assert here.sign_in().status_code == 303
        assert (people.accounts.get("anna").role, people.accounts.get("anna").scopes) == ("viewer", ("app",))
        people.accounts.change("anna", given="owner", scopes=["web"])
        assert here.sign_in().status_code == 303
        assert (people.accounts.get("anna").role, people.accounts.get("anna").scopes) == ("owner", ("web",))


def test_who_signs_out_here_is_sent_to_sign_out_there(place: Place) -> None:
    browser = place.browser()
    assert browser.get(place.come(browser)).status_code == 303
    page = browser.get(f"{place.url}/account").text
    csrf = page.partition('name="csrf" content="')[2].partition('"')[0]
    out = browser.post(f"{place.url}/sign-out", data={"csrf": csrf})
    there = out.text.partition("0; url=")[2].partition('"')[0].replace("&amp;", "&")
    parts = urlsplit(there)
    told = parse_qs(parts.query)
    assert there.startswith(f"{place.their.issuer}/leave?realm=logs&")
    assert told["post_logout_redirect_uri"] == [f"{place.url}/sign-in"]
    assert told["id_token_hint"][0].count(".") == 2
    assert browser.get(f"{place.url}/api/v1/session").status_code == 401


def test_a_provider_that_calls_itself_otherwise_or_is_away_is_refused(place: Place, tmp_path: Path) -> None:
    evil = "ftp://evil.example"
    for number, wrong in enumerate(
        ({"issuer": "https://evil.example"}, {"token_endpoint": evil}, {"userinfo_endpoint": evil})
    ):
        place.their.wrong = wrong
        folder = tmp_path / str(number)
        folder.mkdir()
        with another(place, folder, place.their.issuer) as (url, _):
            answer = get(f"{url}/sign-in/oidc")
            assert answer.status_code == 502
            assert next(iter(wrong.values())) in answer.text or f"{next(iter(wrong))} is no address" in answer.text
    with another(place, tmp_path, "http://127.0.0.1:9") as (url, _):
        answer = get(f"{url}/sign-in/oidc")
        assert (answer.status_code, "it cannot be asked" in answer.text) == (502, True)


def test_users_of_a_former_provider_are_not_those_of_the_new_one(place: Place, tmp_path: Path) -> None:
    with provider() as new:
        new.person = {"sub": "7", "preferred_username": "anna", "groups": ["admins"]}
        people = People(tmp_path / "accounts.db")
        old = people.accounts.add("anna", "viewer", ["app"], identity=("https://old.example", "7"))
        with another(place, tmp_path, new.issuer) as (url, same):
            assert Place(url, place.lake, same, new).sign_in().status_code == 303
            assert same.accounts.by_id(old.id) == old
            assert len(same.accounts.list()) == 2


def test_a_new_key_of_the_provider_is_found(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logshed.web.oidc.KEYS_SECONDS", 0.0)
    assert place.sign_in().status_code == 303
    place.their.keys["two"] = RSAKey.generate_key(2048, {"kid": "two"})
    place.their.wrong = {"kid": "two"}
    assert place.sign_in().status_code == 303


def test_a_role_in_the_settings_that_is_none_is_refused_at_the_start(tmp_path: Path) -> None:
    oidc = Oidc.model_validate({"issuer": "https://id.example.org", "client_id": "a", "roles": {"ops": "king"}})
    with pytest.raises(SettingsError, match="cannot give the role 'king'"):
        Known(oidc, People(tmp_path / "a.db"), Tokens(tmp_path / "t.db"))


def test_a_provider_of_another_maker_signs_people_in(place: Place, tmp_path: Path) -> None:
    claims = {"sub": "kim", "preferred_username": "kim", "email": "kim@example.org", "groups": ["ops"]}
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", "0", "--user-claims", json.dumps(claims)]
    port = free_port()
    command[4] = str(port)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            issuer = f"http://127.0.0.1:{port}"
            _wait(f"{issuer}/.well-known/openid-configuration")
            with another(place, tmp_path, issuer) as (url, people):
                browser = httpx.Client(limits=ONCE, timeout=20, verify=UNUSED)
                away = browser.get(f"{url}/sign-in/oidc", params={"next": "/sources"}).headers["location"]
                assert "code_challenge_method=S256" in away
                assert "kim" in browser.get(away).text
                back = browser.post(away, data={"sub": "kim"}).headers["location"]
                answer = browser.get(back)
                assert (answer.status_code, answer.headers["location"]) == (303, "/sources")
                me = browser.get(f"{url}/api/v1/session").json()
                assert (me["name"], me["role"], me["collections"]) == ("kim", "analyst", ["web"])
                assert browser.get(back).status_code == 403
                assert people.accounts.get("kim").subject == "kim"
        finally:
            process.terminate()


def _wait(url: str) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            get(url)
        except httpx.HTTPError:
            assert time.monotonic() < end
            time.sleep(0.1)
        else:
            return
