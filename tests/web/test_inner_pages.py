"""Pages of one thing (a collection, a trace, a user, an account) for all people; and Explore by the keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.web.test_every_page import Looks, faults, too_wide
from tests.web_people import team
from tests.web_server import web_server

from logshed.api import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
WAIT_MS = 30_000
INNER = [
    "/collections/shop",
    f"/trace/{TRACE}",
    "/admin/users/analyst",
    "/account",
    "/dashboards/error_breakdown?since=all",
    "/api",
    "/security/rules/no-such-rule",
    "/collections/nowhere",
    "/no-such-page",
]


@pytest.fixture(scope="module")
def inner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server with users, and an administrator's session."""
    folder = tmp_path_factory.mktemp("inner")
    lake = Lake.open(folder / "lake", create=True)
    (folder / "shop.jsonl").write_text(
        "".join(
            f'{{"timestamp":"2026-11-20T10:00:{number:02}Z","level":"{("info", "error")[number % 2]}",'
            f'"message":"step {number}","service":"shop-{number % 3}","trace_id":"{TRACE}",'
            f'"span_id":"{number:016x}","duration_ms":{number}}}\n'
            for number in range(1, 40)
        )
    )
    lake.ingest([folder / "shop.jsonl"], collection="shop")
    people, tokens, users = team(folder)
    with web_server(lake, tokens, people) as url:
        yield url, users["admin"].secret


@pytest.fixture(scope="module")
def looks(browser: Browser, inner: tuple[str, str]) -> Iterator[Looks]:
    """A browser with that session."""
    url, secret = inner
    made = Looks(browser)
    made.page.context.add_cookies([{"name": "logshed_session", "value": secret, "url": url}])
    yield made
    made.close()


def test_pages_of_one_thing_work_on_a_wide_and_on_a_narrow_screen(inner: tuple[str, str], looks: Looks) -> None:
    wrong = {}
    for number, path in enumerate(INNER):
        width, scheme = (360, "dark") if number % 2 else (1440, "light")
        page = looks.at(inner[0] + path, width, scheme)
        spoken = [one for one in looks.complaints if "status of 40" not in one]  # the browser tells of a page's 404
        looks.complaints.clear()
        told = [*faults(page), *(["too wide"] if too_wide(page) else []), *spoken]
        if told or page.locator("h1").count() != 1:
            wrong[f"{path} at {width}, {scheme}"] = told or ["it has not one heading"]
    assert not wrong


def focused(page: Page) -> str:
    """What has the keyboard: its id, or its text."""
    told = "(one => one.id || one.getAttribute('aria-label') || one.textContent.trim().slice(0, 40))"
    return str(page.evaluate(f"{told}(document.activeElement)"))


def test_explore_is_used_by_the_keyboard_alone(inner: tuple[str, str], looks: Looks) -> None:
    page = looks.at(f"{inner[0]}/explore?since=all", 1440, "light")
    rows = page.locator("#rows [role=row][aria-selected=true]")
    expect(page.locator("#total")).to_contain_text("39", timeout=WAIT_MS)
    page.keyboard.press("/")
    page.keyboard.type("level:error")
    page.keyboard.press("Enter")
    expect(page.locator("#total")).to_contain_text("20", timeout=WAIT_MS)
    expect(page.locator(".layer .row:not(.waiting)")).to_have_count(20, timeout=WAIT_MS)
    page.keyboard.press("Escape")
    while focused(page) != "rows":
        page.keyboard.press("Tab")
    for key in "jjk":
        page.keyboard.press(key)
    expect(rows).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#detail h2 time")).to_be_visible(timeout=WAIT_MS)
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_contain_text("The record below")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_every_control_of_explore_is_reached_by_tab_and_the_keyboard_is_never_caught(
    inner: tuple[str, str], looks: Looks
) -> None:
    page = looks.at(f"{inner[0]}/explore?since=all", 1440, "light")
    expect(page.locator("#total")).to_contain_text("39", timeout=WAIT_MS)
    page.locator("body").focus()
    seen: list[str] = []
    for _ in range(150):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        if seen.count(seen[0]) > 1:
            break
    assert {"by", "link", "rows", "fields-list", "live"} <= set(seen), seen
    assert seen[0] in seen[1:], f"the keyboard does not come round: {seen[-5:]}"
    assert seen[0] == "To the content"
