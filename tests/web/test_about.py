"""The page of the API: every call of its description is there, with an example that the server takes."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from logshed.web.describing import Operation, areas

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def calls(served: str) -> list[Operation]:
    described = httpx.get(f"{served}/api/v1/openapi.json", timeout=30).json()
    return [call for area in areas(described, served).values() for call in area]


def test_every_call_is_told_once_with_what_it_does(calls: list[Operation], served: str) -> None:
    described = httpx.get(f"{served}/api/v1/openapi.json", timeout=30).json()
    assert sorted((one.method.lower(), one.path) for one in calls) == sorted(
        (method, path) for path, methods in described["paths"].items() for method in methods
    )
    assert len({one.name for one in calls}) == len(calls)
    assert [one.path for one in calls if not one.title] == []


def test_commands_of_calls_that_read_and_name_nothing_are_answered(calls: list[Operation], served: str) -> None:
    asked = [one for one in calls if one.method == "GET" and one.path.startswith("/api/v1/collections")]
    assert len(asked) == 2
    words = shlex.split(next(one.command for one in asked if "{" not in one.path).replace("$LOGSHED_TOKEN", "x"))
    assert words[:3] == ["curl", "-H", "Authorization: Bearer x"]
    assert httpx.get(words[-1], timeout=30).status_code == 200
    assert words[-1].startswith(served)


def test_the_example_of_a_body_is_one_that_the_call_takes(calls: list[Operation], served: str) -> None:
    explained = next(one for one in calls if one.path == "/api/v1/formats/explain")
    answer = httpx.post(f"{served}{explained.path}", json=json.loads(explained.body), timeout=30)
    assert answer.json()["winner"] == "apache_combined"
    assert "-X POST" in explained.command


def test_calls_are_found_by_words_and_opened(served: str, browser: Browser) -> None:
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{served}/api")
    page.keyboard.press("/")
    page.keyboard.type("explain post")
    expect(page.locator(".call:visible")).to_have_count(1)
    page.locator(".call:visible summary").click()
    expect(page.locator(".call:visible .command")).to_have_text(re.compile("curl .*formats/explain"))
    page.fill("#api-words", "no such call")
    expect(page.locator("#api-none")).to_be_visible()
    assert wrong == []
    page.close()


def test_what_a_page_asks_while_nobody_touches_it_says_so(served: str, browser: Browser) -> None:
    """By that header a session stays idle whatever a page that is left open asks."""
    page = browser.new_page()
    page.clock.install()
    page.goto(f"{served}/api")
    script = page.locator('script[src*="/base.js"]').get_attribute("src")

    def asked() -> bool:
        with page.expect_request("**/api/v1/session") as found:
            page.evaluate("async (script) => { await (await import(script)).api('/api/v1/session'); }", script)
        return "x-logshed-background" in found.value.headers

    fresh = asked()
    page.clock.fast_forward(61_000)
    left = asked()
    page.mouse.move(40, 40)
    assert (fresh, left, asked()) == (False, True, False)
    page.close()
