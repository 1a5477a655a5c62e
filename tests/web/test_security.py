"""The pages of Security in a browser: an incident to its end, mutes, switches, what is found while one watches."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.enrichment import databases
from tests.pipeline import security_lake
from tests.pipeline.security_lake import line, write
from tests.web.test_every_page import SCHEMES, SHOTS, WIDTHS, Looks, faults, too_wide
from tests.web_server import web_server

from logshed.access import Tokens
from logshed.pipeline import casebook, suppress
from logshed.queries.times import EARLIEST, LATEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from logshed.api import Lake

HOSTILE = "Scanner <img src=x onerror=document.title='owned'>\\x1b[31m\u202etxt.exe"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("pages")
    places = databases.written(folder / "places.mmdb", databases.CITY)
    found = security_lake.filled(folder, [places])
    write(found, folder / "odd.log", "odd", line(who="192.0.2.66", agent=HOSTILE, path="/<script>alert(1)</script>"))
    found.security.detect(security_lake.RULES)
    return found


@pytest.fixture(scope="module")
def url(lake: Lake) -> Iterator[str]:
    with web_server(lake) as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that must not write errors."""
    context = browser.new_context(reduced_motion="reduce")
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda told: told.type == "error" and complaints.append(told.text))
    yield opened
    context.close()
    assert not complaints


@pytest.fixture
def looks(browser: Browser) -> Iterator[Looks]:
    """A browser that keeps what pages complain of."""
    made = Looks(browser)
    yield made
    made.close()


def incident(lake: Lake, actor: str) -> str:
    (row,) = casebook.incidents(lake.query, casebook.Filter(EARLIEST, LATEST, globs={"actor": actor})).items
    return str(row["incident_id"])


def test_an_incident_is_found_by_keys_read_and_closed_with_a_note(url: str, page: Page, lake: Lake) -> None:
    page.goto(f"{url}/security")
    rows = page.locator("#rows tr[data-id]")
    expect(rows).to_have_count(8)
    page.keyboard.press("/")
    page.keyboard.type("192.0.2.1")
    expect(rows).to_have_count(1)
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#actor")).to_have_text("192.0.2.1")
    expect(page.locator("#why")).to_contain_text("A scanner")
    expect(page.locator("#timeline rect.finding")).to_have_count(1)
    expect(page.locator("#facts")).to_contain_text("Scanner/1")
    expect(page.locator("#evidence-count")).to_have_text("5 of 5 records that its findings name")
    page.locator("#evidence .opener").first.click()
    expect(page.locator("#evidence pre.line").first).to_have_text(line(agent="Scanner/1", path="/p0").strip())
    page.click("#mine")
    expect(page.locator("#badges")).to_contain_text("local works on it")
    page.fill("#note", "asked the provider")
    page.click("#note-form button")
    expect(page.locator("#history")).to_contain_text("asked the provider")
    page.click("#close-button")
    page.fill("#close-note", "our own scanner")
    page.click("#close button.main")
    expect(page.locator("#badges")).to_contain_text("closed")
    expect(page.locator("#history li")).to_have_count(4)
    told = casebook.told(lake.security.incident(incident(lake, "192.0.2.1")))
    assert [(one["author"], one["text"]) for one in told["notes"]] == [
        ("local", "asked the provider"),
        ("local", "our own scanner"),
    ]
    page.goto(f"{url}/security?status=closed")
    expect(rows).to_have_count(1)


def test_several_are_chosen_and_muted_at_once(url: str, page: Page, lake: Lake) -> None:
    page.goto(f"{url}/security?q=198.51.100")
    rows = page.locator("#rows tr[data-id]")
    expect(rows).to_have_count(4)
    for number in (0, 1):
        rows.nth(number).locator("input").check()
    expect(page.locator("#chosen")).to_have_text("2 chosen")
    page.click("#bulk-mute")
    page.fill("#mute-note", "known")
    page.click("#mute button.main")
    expect(rows).to_have_count(2)
    muted = casebook.Filter(EARLIEST, LATEST, one_of={"status": ["muted"]})
    assert len(casebook.incidents(lake.query, muted).items) == 2


def test_a_mute_is_made_of_an_incident_and_ended_on_its_page(url: str, page: Page, lake: Lake) -> None:
    page.goto(f"{url}/security/incidents/{incident(lake, '203.0.113.9')}")
    expect(page.locator("#why")).to_contain_text("A scanner")
    expect(page.locator("#facts")).to_contain_text("Japan")
    expect(page.locator("#map circle.place")).to_have_count(1)
    page.click("#mute-button")
    page.check('input[name="what"][value="both"]')
    page.fill("#mute-note", "a known scanner")
    page.click("#mute button.main")
    expect(page.locator("#mute")).not_to_be_visible()
    (kept,) = suppress.read(lake.root)
    assert (kept.rule, kept.actor, kept.collection, kept.reason) == (
        "t_scanner", "203.0.113.9", "bank", "a known scanner",
    )  # fmt: skip
    page.goto(f"{url}/security/mutes")
    expect(page.locator("#rows")).to_contain_text("a known scanner")
    page.locator("#rows button").click()
    expect(page.locator("#empty")).to_contain_text("Nothing is muted")
    assert suppress.read(lake.root) == ()


def test_a_rule_is_filtered_switched_off_and_on_and_tried(url: str, page: Page, lake: Lake) -> None:
    page.goto(f"{url}/security/rules")
    expect(page.locator("#sum")).to_contain_text("0 are off")
    page.fill('input[name="q"]', "t_scanner")
    rows = page.locator("#rows tr[data-id]")
    expect(rows).to_have_count(1)
    page.get_by_role("switch").click()
    expect(page.get_by_role("switch")).not_to_be_checked()
    assert not lake.security.switches().on("t_scanner")
    rows.locator("a").first.click()
    expect(page.locator("#title")).to_have_text("A scanner")
    expect(page.locator("#switch")).to_contain_text("switched by local")
    page.get_by_role("switch").click()
    expect(page.get_by_role("switch")).to_be_checked()
    page.click("#as-settings")
    expect(page.locator("#switch")).to_contain_text("as the settings have it")
    expect(page.locator("#text")).to_contain_text("cs-user-agent|contains: Scanner")
    page.click("#test")
    expect(page.locator("#verdict")).to_have_text("all 2 came as they should")
    page.select_option('#try select[name="since"]', "all")
    page.click("#try button.main")
    expect(page.locator("#result")).to_contain_text("12 hits in 12 records (100 %), 8 findings")


def test_what_is_found_while_one_watches_comes_by_itself_and_waits_while_one_reads(
    url: str, page: Page, lake: Lake, tmp_path: Path
) -> None:
    page.goto(f"{url}/security/findings?since=all")
    rows = page.locator("#rows tr[data-id]")
    expect(rows).to_have_count(9)
    write(lake, tmp_path / "new.log", "shop", line(who="192.0.2.77", agent="Scanner", minute=40))
    page.click("[data-detect]")
    expect(page.locator("[data-detect-state]")).to_contain_text("new records", timeout=60_000)
    expect(rows.first).to_contain_text("192.0.2.77")
    page.click("#live")
    write(lake, tmp_path / "new2.log", "shop", line(who="192.0.2.78", agent="Scanner", minute=40))
    found = threading.Thread(target=lake.security.detect, args=(security_lake.RULES,))
    found.start()
    found.join()
    expect(page.locator("#live")).to_contain_text("1 wait")
    expect(page.locator("#rows")).not_to_contain_text("192.0.2.78")
    page.click("#live")
    expect(rows.first).to_contain_text("192.0.2.78")


def test_hostile_values_are_text_and_their_marks_are_seen(url: str, page: Page, lake: Lake) -> None:
    page.goto(f"{url}/security/incidents/{incident(lake, '192.0.2.66')}")
    page.locator("#evidence .opener").click()
    shown = page.locator("#evidence pre.line")
    expect(shown).to_contain_text("<script>alert(1)</script>")
    expect(shown).to_contain_text("␣202etxt.exe")
    assert page.locator("main img, main script").count() == 0
    assert "owned" not in page.title()
    assert "\u202e" not in page.locator("main").inner_text()


def test_who_sees_one_collection_is_shown_nothing_of_others(browser: Browser, lake: Lake, tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.db")
    token, _ = tokens.create(["shop"], ["read"])
    with web_server(lake, tokens) as url:
        context = browser.new_context(extra_http_headers={"Authorization": f"Bearer {token}"})
        page = context.new_page()
        page.goto(f"{url}/security?status=any")
        expect(page.locator("#rows tr[data-id]").first).to_be_visible()
        assert set(page.locator("#rows .by > .value").all_inner_texts()) == {"shop"}
        assert page.locator("#rows input, [data-detect], #bulk").count() == 0
        answer = page.goto(f"{url}/security/incidents/{incident(lake, '203.0.113.9')}")
        assert answer is not None
        assert answer.status == 403
        assert "203.0.113.9" not in page.content()
        page.goto(f"{url}/security/rules?q=t_scanner")
        expect(page.get_by_role("switch")).to_be_disabled()
        page.goto(f"{url}/security/decisions")
        expect(page.locator("#empty")).to_contain_text("you may see some alone")
        context.close()


def test_an_incident_and_a_rule_are_readable_on_a_narrow_screen_and_hinder_nobody(
    url: str, looks: Looks, lake: Lake
) -> None:
    wrong = {}
    for path in (f"/security/incidents/{incident(lake, '192.0.2.1')}", "/security/rules/t_scanner"):
        page = looks.at(url + path, 360, "dark")
        expect(page.locator("main .skeleton")).to_have_count(0)
        wrong[path] = [*faults(page), *(["too wide"] if too_wide(page) else []), *looks.complaints]
    assert not any(wrong.values()), wrong


@pytest.mark.soak
def test_an_incident_and_a_rule_at_three_widths_in_the_dark_and_in_the_light(
    url: str, looks: Looks, lake: Lake
) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    known = {"incident": f"/security/incidents/{incident(lake, '203.0.113.9')}", "rule": "/security/rules/t_scanner"}
    for name, path in known.items():
        for width in WIDTHS:
            for scheme in SCHEMES:
                page = looks.at(url + path, width, scheme)
                expect(page.locator("main .skeleton")).to_have_count(0)
                page.screenshot(path=SHOTS / f"security-{name}-{width}-{scheme}.png", full_page=True)
                assert faults(page) == []
    assert not looks.complaints
