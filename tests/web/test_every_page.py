"""Every page of the navigation in a browser: nothing fails, nothing is too wide, and people of all kinds can use it."""

from __future__ import annotations

import gzip
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error

from logshed.web.app import application
from logshed.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from logshed.api import Lake

SHOTS = Path(os.environ.get("LOGSHED_SCREENSHOTS", "build/screenshots"))
WIDTHS, SCHEMES = (360, 800, 1440), ("light", "dark")
GRAVE = {"serious", "critical"}
QUIET_MS = 5_000
HEIGHT = 900


@pytest.fixture(scope="module")
def hrefs(sample_lake: Lake) -> list[str]:
    """Where the pages of the navigation are."""
    return [page.href for page in application(Site(sample_lake, None)).state.pages()]


@pytest.fixture(scope="module")
def looks(browser: Browser) -> Iterator[Looks]:
    """A browser that keeps what pages complain of."""
    looks = Looks(browser)
    yield looks
    looks.close()


class Looks:
    """Opens pages, at a width and in a scheme of colours.

    Args:
        browser: In which.

    Attributes:
        complaints: What the pages wrote as errors or warnings.
    """

    def __init__(self, browser: Browser) -> None:
        self._context = browser.new_context(reduced_motion="reduce")
        self.page: Page = self._context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda told: told.type == "error" and self.complaints.append(told.text))

    def at(self, url: str, width: int, scheme: str) -> Page:
        """A page, once it is quiet."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        self.page.goto(url)
        try:
            self.page.wait_for_load_state("networkidle", timeout=QUIET_MS)
        except Error:
            assert self.page.locator("main").is_visible()  # a page that streams is never quiet
        return self.page

    def close(self) -> None:
        """Close it."""
        self._context.close()


def too_wide(page: Page) -> int:
    """Pixels by which a page is wider than what is seen of it."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def faults(page: Page) -> list[str]:
    """What hinders people: grave faults that axe-core finds, each with the first element that has it."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in GRAVE]


def test_every_page_works_on_a_wide_and_on_a_narrow_screen(served: str, looks: Looks, hrefs: list[str]) -> None:
    wrong = {}
    for number, href in enumerate(hrefs):
        width, scheme = (1440, "light") if number % 2 else (360, "dark")
        page = looks.at(served + href, width, scheme)
        told = [*faults(page), *(["too wide"] if too_wide(page) else []), *looks.complaints]
        if told or page.locator("main h1").count() != 1:
            wrong[f"{href} at {width}, {scheme}"] = told or ["it has not one heading"]
        looks.complaints.clear()
    assert not wrong


@pytest.mark.soak
def test_every_page_works_at_three_widths_in_the_dark_and_in_the_light(
    served: str, looks: Looks, hrefs: list[str]
) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    wrong = {}
    for href in hrefs:
        name = href.strip("/").replace("/", "-") or "overview"
        for width in WIDTHS:
            for scheme in SCHEMES:
                page = looks.at(served + href, width, scheme)
                page.screenshot(path=SHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
                told = [*faults(page), *(["too wide"] if too_wide(page) else []), *looks.complaints]
                looks.complaints.clear()
                if told:
                    wrong[f"{href} at {width}, {scheme}"] = told
    assert not wrong


def test_all_scripts_together_are_small() -> None:
    folder = Path(str(files("logshed") / "web" / "static"))
    packed = sum(len(gzip.compress(one.read_bytes())) for one in folder.rglob("*.js"))
    assert packed <= 300_000
