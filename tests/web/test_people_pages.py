"""The pages of signing in, oneself, users and tokens, in a browser: what people do there from first to last."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.web_people import PASSWORD, team
from tests.web_server import web_server

from logshed.api import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

PAGES = ("/sign-in", "/account", "/account/password", "/admin/users", "/admin/users/viewer", "/admin/tokens")
GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pages")
    people, tokens, _ = team(folder)
    tokens.create(["shop"], ["write"], name="<b>shipper</b>", rate=5_000_000)
    with web_server(Lake.open(folder / "lake", create=True), tokens, people) as served:
        yield served


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of somebody who has not signed in."""
    opened = browser.new_context()
    yield opened
    opened.close()


def sign_in(page: Page, url: str, name: str, password: str = PASSWORD) -> None:
    page.goto(f"{url}/admin/users")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_an_administrator_invites_somebody_who_makes_a_token_and_is_disabled(
    url: str, context: BrowserContext, browser: Browser
) -> None:
    page = context.new_page()
    sign_in(page, url, "admin", "it is another one")
    assert "the name or the password is wrong" in page.get_by_role("alert").inner_text()
    sign_in(page, url, "admin")
    page.wait_for_url("**/admin/users")
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Role", exact=True).select_option("owner")
    page.get_by_label("Collections").fill("shop-* blog")
    page.get_by_role("button", name="Add").click()
    link = page.locator("#once").inner_text()
    assert re.fullmatch(rf"{re.escape(url)}/link/[0-9a-f]{{64}}", link)
    theirs = browser.new_context()
    try:
        hers = theirs.new_page()
        hers.goto(link)
        assert hers.get_by_label("Name").input_value() == "anna"
        hers.get_by_label("Password").fill(PASSWORD)
        hers.get_by_label("The same again").fill(PASSWORD)
        hers.get_by_role("button", name="Take it and sign in").click()
        hers.wait_for_url(f"{url}/")
        hers.goto(f"{url}/account")
        assert "Collection owner" in hers.inner_text("main")
        hers.get_by_label("What for").fill("my script")
        hers.get_by_role("button", name="Make a token").click()
        token = hers.locator("#once").inner_text()
        asked = theirs.request.get(f"{url}/api/v1/session", headers={"Authorization": f"Bearer {token}"}).json()
        assert (asked["collections"], asked["abilities"]) == (["shop-*", "blog"], ["read", "sql"])
        page.goto(f"{url}/admin/users/anna")
        page.get_by_role("button", name="Disable").click()
        page.get_by_role("button", name="Enable").wait_for()
        hers.goto(f"{url}/account")
        assert "/sign-in?next=/account" in hers.url
        refused = theirs.request.get(f"{url}/api/v1/session", headers={"Authorization": f"Bearer {token}"})
        assert refused.status == 401
    finally:
        theirs.close()
    page.locator("a[href='/account']").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    page.goto(f"{url}/account")
    assert "/sign-in" in page.url


def test_pages_that_only_users_see_fit_and_are_readable_by_everybody(url: str, context: BrowserContext) -> None:
    page, wrong = context.new_page(), {}
    complaints: list[str] = []
    page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
    for number, path in enumerate(PAGES):
        if path == PAGES[1]:
            sign_in(page, url, "admin")
            page.wait_for_url("**/admin/users")
        page.set_viewport_size({"width": 360 if number % 2 else 1440, "height": 900})
        page.emulate_media(color_scheme="dark" if number % 2 else "light", reduced_motion="reduce")
        page.goto(url + path)
        found = [one for one in Axe().run(page).response["violations"] if one["impact"] in GRAVE]
        told = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found] + complaints
        if told or page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong[path] = told or ["too wide"]
        complaints.clear()
    assert not wrong
