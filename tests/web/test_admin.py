"""Looking after the lake by pages and API: policies, redaction, retention, trail, cost, health, runs, compliance."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect
from tests.web_server import web_server

from logshed.access import Tokens
from logshed.api import Lake
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

SETTINGS = """
[retain]
silver = "180d"

[retain.collection.shop]
silver = "forever"

[[schedule]]
name = "nightly"
cron = "15 3 * * *"
run = "maintain"
"""


@pytest.fixture(scope="module")
def kept_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake of the collections ``shop`` and ``till``."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "logshed.toml").write_text(SETTINGS)
    lake = Lake.open(folder / "logshed-lake", create=True, settings=Settings.load(folder, environ={}))
    for name in ("shop", "till"):
        (folder / name).write_text(
            '{"ts": "2026-11-26T10:00:00Z", "level": "INFO", "msg": "to anna@example.org"}\n' * 5
        )
        lake.ingest([folder / name], collection=name)
    return lake


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(tmp_path_factory.mktemp("access") / "tokens.db")


@pytest.fixture(scope="module")
def admin(tokens: Tokens) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens.create(['*'], ['read', 'write', 'admin'])[0]}"}


@pytest.fixture(scope="module")
def guarded(kept_lake: Lake, tokens: Tokens) -> Iterator[str]:
    with web_server(kept_lake, tokens) as url:
        yield url


@pytest.fixture(scope="module")
def local(kept_lake: Lake) -> Iterator[str]:
    with web_server(kept_lake) as url:
        yield url


def _asked(url: str, path: str, headers: dict[str, str], **body: Any) -> Any:
    answer = httpx.request(
        "POST" if body else "GET", f"{url}/api/v1/admin{path}", headers=headers, json=body or None, timeout=60
    )
    assert answer.status_code == 200, (path, answer.text)
    return answer.json()


def _checked(url: str, path: str, headers: dict[str, str], body: dict[str, Any] | None = None) -> Any:
    """The result of a long check, which is waited for."""
    begun = httpx.post(f"{url}/api/v1/admin{path}", headers=headers, json=body, timeout=60)
    assert begun.status_code == 202, begun.text
    told = httpx.get(f"{url}{begun.headers['location']}", headers=headers, params={"wait": 60}, timeout=90).json()
    assert (told["state"], told["id"]) == ("done", begun.json()["id"])
    return told["result"]


def test_who_may_not_see_all_looks_after_nothing(guarded: str, tokens: Tokens) -> None:
    for scope, verbs in ((["*"], ["read"]), (["shop"], ["read", "admin"])):
        headers = {"Authorization": f"Bearer {tokens.create(scope, verbs)[0]}"}
        for path in ("policies", "lake", "health", "retention", "trail", "cost", "schedules"):
            assert httpx.get(f"{guarded}/api/v1/admin/{path}", headers=headers, timeout=60).status_code == 403, path


def test_policies_are_told_and_compared_and_no_file_is_opened_for_one(guarded: str, admin: dict[str, str]) -> None:
    listed = {one["name"]: one for one in _asked(guarded, "/policies", admin)["items"]}
    assert [name for name, one in listed.items() if one["set"]] == ["default"]
    rules = {one["rule"]: one for one in _asked(guarded, "/policies/default", admin)["rules"]}
    assert (rules["email"]["action"], rules["email"]["in_place"]) == ("tag", "[EMAIL]")
    differ = _asked(guarded, "/policies/compare?first=default&second=strict", admin)["items"]
    assert "ipv4" in {one["name"] for one in differ}
    assert _asked(guarded, "/policies/compare?first=strict&second=strict", admin)["items"] == []
    for name in ("no_such", "%2Fetc%2Fpasswd", "..%2Fours.toml"):
        assert httpx.get(f"{guarded}/api/v1/admin/policies/{name}", headers=admin, timeout=60).status_code == 404, name
    opened = httpx.post(f"{guarded}/api/v1/admin/redaction", headers=admin, json={"policy": "/etc/passwd"}, timeout=60)
    assert opened.status_code == 404


def test_the_lake_is_verified_and_its_state_told(guarded: str, admin: dict[str, str]) -> None:
    state = {one["table"]: one for one in _asked(guarded, "/lake", admin)["items"]}
    assert state["silver.logs"]["rows"] == 10
    assert state["silver.logs"]["small"] == state["silver.logs"]["files"] > 0
    report = _checked(guarded, "/redaction", admin, {"share": 1.0})
    assert (report["ok"], report["policy"]) == (True, "default")
    assert _checked(guarded, "/integrity", admin)["ok"] is True
    assert {one["state"] for one in _asked(guarded, "/health", admin)["items"]} <= {"ok", "note"}
    assert _asked(guarded, "/cost", admin)["events_per_day"] == 10.0


def test_retention_is_told_as_the_settings_have_it_and_looking_takes_nothing(
    guarded: str, admin: dict[str, str], kept_lake: Lake
) -> None:
    spans = {one["layer"]: one for one in _asked(guarded, "/retention", admin)["items"]}
    assert (spans["silver"]["days"], spans["silver"]["collections"]) == (180, {"shop": None})
    due = _asked(guarded, "/retention/due", admin)["items"]
    assert {one["table"]: one["rows"] for one in due}["logs"] == 0
    assert kept_lake.query("SELECT count(*) FROM logs").rows() == [(10,)]


def test_what_an_administrator_does_stands_in_the_trail_whose_chain_is_whole(
    guarded: str, admin: dict[str, str], kept_lake: Lake
) -> None:
    assert _checked(guarded, "/compliance", admin, {"regime": "gdpr", "share": 1.0})["answers"]
    kept_lake.ship_trail()
    entries = _asked(guarded, "/trail?verb=compliance", admin)["items"]
    assert [(one["target"], one["outcome"]) for one in entries] == [("gdpr", "ok")]
    assert entries[0]["actor"].startswith("token ")
    assert _asked(guarded, "/trail?verb=compliance&actor=nobody", admin)["items"] == []
    assert _asked(guarded, "/trail?outcome=failed", admin)["items"] == []
    assert _asked(guarded, "/trail/chain", admin) == {"whole": True, "breaks": []}


def test_runs_and_regimes_are_told_and_a_regime_that_is_none_is_refused(guarded: str, admin: dict[str, str]) -> None:
    (nightly,) = _asked(guarded, "/schedules", admin)["items"]
    assert (nightly["name"], nightly["last"], nightly["enabled"]) == ("nightly", None, True)
    assert {"gdpr", "pci"} <= {one["name"] for one in _asked(guarded, "/regimes", admin)["items"]}
    wrong = httpx.post(f"{guarded}/api/v1/admin/compliance", headers=admin, json={"regime": "../x"}, timeout=60)
    assert wrong.status_code == 404


SLOW = "SELECT count(*) FROM range(30000000000) WHERE range % 7 = 3"


def test_what_runs_is_seen_by_whoever_administers_and_ended_from_the_page(
    local: str, guarded: str, admin: dict[str, str], tokens: Tokens, browser: Browser
) -> None:
    page = browser.new_page()
    with ThreadPoolExecutor(2) as threads:
        asked = threads.submit(httpx.post, f"{local}/api/v1/sql", json={"sql": SLOW}, timeout=60)
        page.goto(f"{local}/admin/queries")
        row = page.locator("#queries tbody tr", has_text="range % 7")
        expect(row).to_be_visible(timeout=15_000)
        page.wait_for_timeout(1_000)  # what took a second is remembered
        row.get_by_role("button", name="End").click()
        expect(row).to_have_count(0)
        assert "was ended" in asked.result().text or asked.result().status_code >= 400
        over = page.locator("#queries-over tbody tr", has_text="range % 7")
        expect(over.locator(".badge")).to_have_text("ended")
        page.close()
        others = {"Authorization": f"Bearer {tokens.create(['shop'], ['read'])[0]}"}
        foreign = threads.submit(httpx.post, f"{guarded}/api/v1/sql", headers=admin, json={"sql": SLOW}, timeout=60)
        while not (seen := httpx.get(f"{guarded}/api/v1/queries", headers=admin, timeout=60).json()["items"]):
            assert not foreign.done()
        assert httpx.get(f"{guarded}/api/v1/queries", headers=others, timeout=60).json()["items"] == []
        ended = f"{guarded}/api/v1/queries/{seen[0]['id']}"
        assert httpx.delete(ended, headers=others, timeout=60).status_code == 404
        assert httpx.delete(ended, headers=admin, timeout=60).status_code == 204
        foreign.result()
        assert httpx.get(f"{guarded}/api/v1/queries/over", headers=others, timeout=60).json()["items"] == []


def test_the_pages_show_it_and_run_it(local: str, browser: Browser) -> None:
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{local}/admin/policies")
    page.get_by_role("button", name="strict", exact=True).click()
    expect(page.locator("#policy tbody tr").first).to_be_visible()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("#compared tbody")).to_contain_text("ipv4")
    page.goto(f"{local}/admin/redaction")
    page.get_by_role("button", name="Look now").click()
    expect(page.locator("#redaction .badge")).to_have_text("nothing found")
    page.get_by_role("link", name="Link to this result").click()
    expect(page.locator("#check .badge")).to_have_text("nothing found")
    page.go_back()
    expect(page.locator("#redaction-before summary")).to_have_text("Checks of before (1)")
    expect(page.locator("#redacted tbody tr")).to_have_count(2)
    page.goto(f"{local}/admin/retention")
    expect(page.locator("#retention")).to_contain_text("shop: for ever")
    page.get_by_role("button", name="Look", exact=True).click()
    expect(page.locator("#due tbody tr").first).to_be_visible()
    page.goto(f"{local}/admin/health")
    page.get_by_role("button", name="Verify now").click()
    expect(page.locator("#integrity .badge")).to_have_text("everything is as it was committed")
    page.goto(f"{local}/admin/trail")
    expect(page.locator("#chain .badge")).to_have_text("chain is whole")
    page.goto(f"{local}/admin/schedule")
    expect(page.locator("#schedules tbody")).to_contain_text("nightly")
    page.goto(f"{local}/admin/cost")
    expect(page.locator("#cost .tile .figure").first).to_have_text("10")
    page.goto(f"{local}/admin/compliance")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#compliance tbody tr").first).to_be_visible()
    assert wrong == []
    page.close()
