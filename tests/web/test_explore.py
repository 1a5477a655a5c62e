"""The pages that explore logs, as a reader uses them: in a browser, over records of which some want to do harm."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect
from tests.browser import WAIT_MS
from tests.web.test_every_page import faults
from tests.web_server import web_server

from logshed.api import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Dialog, Page

COUNT = 20_000
BEGIN = datetime(2025, 3, 1, tzinfo=UTC)
LEVELS = ("INFO", "INFO", "INFO", "WARN", "ERROR")
SERVICES = ("shop", "pay", "cart")
NEAR = """([place, far]) => {
  const rows = [...document.querySelectorAll(".layer .row")];
  const near = (one) => !one.classList.contains("waiting") && Math.abs(one.ariaRowIndex - place) < far;
  return rows.length > 8 && rows.every(near);
}"""
"""Whether all rows that there are have been read and lie near a place."""
HOSTILE = [
    '<script>window.harmed = 1</script><img src=x onerror="window.harmed = 2">',
    "\x1b[31mred\x1b[0m and \x07 a bell",
    "user \u202etxt.exe\u202c was loaded",
    '{{7*7}} ${7*7} "><svg onload=window.harmed=3>',
]


def line(number: int, **more: Any) -> str:
    told = {
        "timestamp": (BEGIN + timedelta(seconds=10 * number)).isoformat(),
        "level": LEVELS[number % len(LEVELS)],
        "service": SERVICES[number % len(SERVICES)],
        "message": f"order {number} was taken in {number % 90} ms",
        "shop": f"s{number % 4}",
    }
    return json.dumps(told | more) + "\n"


def filled(folder: Path, count: int) -> Lake:
    """A lake of so many records, and the hostile ones behind them."""
    lake = Lake.open(folder / "lake", create=True)
    odd = [line(count + place, message=text, service="odd", trace_id="t1") for place, text in enumerate(HOSTILE)]
    (folder / "app.jsonl").write_text("".join(map(line, range(count))) + "".join(odd))
    lake.ingest([folder / "app.jsonl"], collection="app")
    return lake


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("explore")


@pytest.fixture(scope="module")
def lake(folder: Path) -> Lake:
    return filled(folder, COUNT)


@pytest.fixture(scope="module")
def site(lake: Lake) -> Iterator[str]:
    with web_server(lake) as url:
        yield url


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """A page, in a zone of its own and without motion; what it complains of fails the test that looks at it."""
    context = browser.new_context(
        timezone_id="UTC", viewport={"width": 1440, "height": 900}, reduced_motion="reduce", color_scheme="light"
    )
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.set_default_timeout(WAIT_MS)
    yield opened
    context.close()
    assert wrong == []


def explored(page: Page, site: str, q: str = "", **more: str) -> Page:
    """The page once it has counted."""
    asked = "&".join(f"{name}={value}" for name, value in {"since": "all", "q": q, **more}.items())
    page.goto(f"{site}/explore?{asked}")
    expect(page.locator("#total strong, #mistake p").first).to_be_visible()
    expect(page.locator(".layer .row:not(.waiting), #nothing h2").first).to_be_visible()
    return page


def total(page: Page, expected: int) -> None:
    expect(page.locator("#total strong")).to_have_text(f"{expected:,}")


def asked(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def test_a_search_is_completed_with_the_keyboard_and_the_back_button_goes_back(page: Page, site: str) -> None:
    explored(page, site)
    total(page, COUNT + len(HOSTILE))
    page.keyboard.press("/")
    page.keyboard.type("serv")
    expect(page.locator("#offers li").first).to_contain_text("service")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.locator("#q")).to_have_value("service:")
    offers = page.locator("#offers li .offer-text")
    expect(offers).to_have_text(["pay", "shop", "cart", "odd"])
    page.keyboard.press("ArrowDown")
    expect(page.locator("#q")).to_have_attribute("aria-activedescendant", "offer-0")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.locator("#q").press("Enter")
    total(page, len(range(1, COUNT, 3)))
    assert asked(page)["q"] == "service:pay"
    page.go_back()
    total(page, COUNT + len(HOSTILE))
    expect(page.locator("#q")).to_have_value("")


def test_a_mistake_is_marked_where_it_is(page: Page, site: str) -> None:
    explored(page, site, "level:error nope:1")
    expect(page.locator("#mistake")).to_contain_text("there is no field nope")
    expect(page.locator("#mistake pre")).to_have_text(re.compile(r"level:error nope:1\s+\^\^\^\^"))
    assert page.evaluate("document.getElementById('q').selectionStart") == len("level:error ")


def test_bars_are_dragged_over_to_zoom_and_zoomed_out_again(page: Page, site: str) -> None:
    explored(page, site)
    box = page.locator("#bars .u-over").bounding_box()
    assert box is not None
    middle, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(middle, y)
    page.mouse.down()
    page.mouse.move(middle + box["width"] / 10, y, steps=5)
    page.mouse.up()
    expect(page.locator("#back-out")).to_be_visible()
    expect(page.locator("#total strong")).not_to_have_text(f"{COUNT + len(HOSTILE):,}")
    zoomed = asked(page)
    assert BEGIN < datetime.fromisoformat(zoomed["since"]) < datetime.fromisoformat(zoomed["until"])
    found = int(page.locator("#total strong").inner_text().replace(",", ""))
    assert COUNT / 20 < found < COUNT / 5
    page.locator("#back-out").click()
    total(page, COUNT + len(HOSTILE))


def test_legend_and_fields_filter_in_and_out_and_bars_are_stacked_by_any_field(page: Page, site: str) -> None:
    explored(page, site)
    page.locator("#by").select_option("service")
    expect(page.locator("#legend li")).to_have_count(4)
    assert asked(page)["by"] == "service"
    page.locator("#by").select_option("severity")
    page.locator("#collection").select_option("app")
    total(page, COUNT + len(HOSTILE))
    assert asked(page)["collection"] == "app"
    page.locator("#legend button", has_text="error").first.click()
    total(page, COUNT // 5)
    expect(page.locator("#q")).to_have_value(re.compile("level:error"))
    service = page.locator('.facet[data-name="service"]')
    service.get_by_role("button", name="Leave out pay").click()
    total(page, sum(1 for number in range(COUNT) if number % 5 == 4 and number % 3 != 1))
    service.get_by_role("button", name="cart", exact=False).first.click()
    total(page, sum(1 for number in range(COUNT) if number % 5 == 4 and number % 3 == 2))
    expect(page.locator("#q")).to_have_value(re.compile(r"^\(level:error OR \(.*\)\) -service:pay service:cart$"))


def test_a_record_shows_all_of_its_fields_its_line_and_what_is_around_it(page: Page, site: str) -> None:
    explored(page, site, "service:cart")
    page.locator(".layer .row").nth(3).click()
    detail = page.locator("#detail")
    expect(detail.locator("th", has_text="attributes.shop")).to_be_visible()
    first = detail.locator("h2 time").get_attribute("datetime")
    assert not faults(page)
    page.keyboard.press("j")
    expect(detail.locator("h2 time")).not_to_have_attribute("datetime", str(first))
    detail.get_by_role("tab", name="Raw line").click()
    expect(detail.locator("pre.raw")).to_contain_text('"service": "cart"')
    detail.get_by_role("tab", name="Around").click()
    expect(detail.locator(".around li")).to_have_count(31)
    expect(detail.locator(".around .match")).to_have_count(1)
    detail.get_by_role("tab", name="Fields").click()
    detail.get_by_role("button", name="Only records with this value: attributes.shop").click()
    expect(page.locator("#q")).to_have_value(re.compile(r"service:cart attributes\.shop:s\d"))
    expect(page.locator("#detail")).to_be_hidden()


def test_a_link_opens_the_same_record_with_the_same_columns(page: Page, site: str) -> None:
    explored(page, site, "service:pay", columns="message,attributes.shop")
    expect(page.locator(".header .field-cell").nth(1)).to_contain_text("attributes.shop")
    page.locator(".layer .row").nth(2).click()
    expect(page.locator("#detail h2 time")).to_be_visible()
    chosen, address = page.locator("#detail h2 time").inner_text(), page.url
    page.goto(address)
    expect(page.locator("#detail h2 time")).to_have_text(chosen)
    explored(page, site)
    expect(page.locator(".header .field-cell").nth(1)).to_contain_text("attributes.shop")  # they are remembered
    page.locator(".header .field-cell button").first.click()
    page.locator(".header .field-cell button").first.click()
    expect(page.locator(".header .line")).to_be_visible()


def at_the_end(page: Page, count: int) -> None:
    """The last row is the oldest record, and there are only as many elements as the screen shows."""
    page.locator("#rows").press("End")
    expect(page.locator(f'.layer .row[aria-rowindex="{count + 1}"]')).to_contain_text("order 0 was taken in 0 ms")
    assert page.locator(".layer .row").count() < 100
    page.evaluate("const rows = document.getElementById('rows'); rows.scrollTop = rows.scrollHeight / 2; 0")
    page.wait_for_function(NEAR, arg=[count / 2, count / 20])
    middle = page.locator(".layer .row").nth(8)
    row, text = int(middle.get_attribute("aria-rowindex") or 0), middle.inner_text()
    assert f"order {count - 1 - (row - 2)} was" in text  # the newest record is in row 2
    page.locator("#rows").press("Home")
    expect(page.locator('.layer .row[aria-rowindex="2"]')).to_contain_text(f"order {count - 1} was taken")


def test_many_rows_are_scrolled_to_the_last_by_few_elements(page: Page, site: str) -> None:
    explored(page, site, "-service:odd")
    total(page, COUNT)
    at_the_end(page, COUNT)


@pytest.mark.soak
def test_one_goes_to_a_moment_in_the_middle(page: Page, site: str) -> None:
    explored(page, site, "-service:odd")
    page.locator("#view > summary").click()
    page.locator("#go-time").fill("2025-03-02T00:00:05")
    page.locator("#go button").click()
    expect(page.locator(".layer .row", has_text="order 8640 was")).to_be_visible()


@pytest.mark.soak
def test_a_million_rows_are_scrolled_to_the_last(browser: Browser, tmp_path: Path) -> None:
    with web_server(filled(tmp_path, 1_000_000)) as url:
        page = browser.new_page(timezone_id="UTC")
        page.set_default_timeout(60_000)
        explored(page, url, "-service:odd")
        total(page, 1_000_000)
        at_the_end(page, 1_000_000)
        page.close()


def test_hostile_lines_are_text_with_their_signs_shown(page: Page, site: str) -> None:
    told: list[str] = []

    def spoke(dialog: Dialog) -> None:
        told.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", spoke)
    explored(page, site, "service:odd")
    rows = page.locator(".layer .row")
    expect(rows).to_have_count(len(HOSTILE))
    expect(rows.nth(3)).to_contain_text("<script>window.harmed = 1</script>")
    expect(rows.nth(2)).to_contain_text("␛[31mred␛[0m")
    expect(rows.nth(1)).to_contain_text("␣202etxt.exe")
    expect(rows.nth(0)).to_contain_text("{{7*7}} ${7*7}")
    for place in range(len(HOSTILE)):
        rows.nth(place).click()
        expect(page.locator("#detail pre.raw, #detail table").first).to_be_visible()
    page.goto(f"{site}/patterns?since=all&q=service:odd")
    expect(page.locator("#patterns tbody tr").first).to_be_visible()
    page.goto(f"{site}/trace/t1")
    expect(page.locator(".span-line").first).to_be_visible()
    assert page.evaluate("window.harmed") is None
    assert page.locator("main img, main script").count() == 0
    assert told == []


def test_what_arrives_is_shown_and_waits_while_it_is_paused(page: Page, site: str, lake: Lake, folder: Path) -> None:
    def arrives(number: int) -> None:
        file = folder / f"new-{number}.jsonl"
        file.write_text(line(COUNT * 2 + number, message=f"fresh news {number}", service="news"))
        lake.ingest([file], collection="app")

    explored(page, site, "service:news")
    expect(page.locator("#nothing h2")).to_have_text("Nothing found")
    page.keyboard.press("l")
    expect(page.locator('#live-bar[data-state="open"]')).to_be_visible()
    arrives(1)
    expect(page.locator(".layer .row")).to_contain_text(["fresh news 1"])
    page.locator("#pause").click()
    arrives(2)
    expect(page.locator("#live-bar")).to_contain_text("Paused: 1 wait")
    expect(page.locator(".layer .row")).to_have_count(1)
    page.locator("#pause").click()
    expect(page.locator(".layer .row")).to_contain_text(["fresh news 2", "fresh news 1"])
    page.locator("#live").click()
    total(page, 2)


def test_where_nothing_is_found_the_page_says_what_to_do_next(page: Page, site: str) -> None:
    explored(page, site, "", since="1h")
    expect(page.locator("#nothing")).to_contain_text("There are records from 2025-03-01 00:00:00")
    page.get_by_role("button", name="Look at the newest day that has records").click()
    expect(page.locator(".layer .row").first).to_be_visible()


@pytest.mark.soak
def test_a_search_is_saved_and_opened_again(page: Page, site: str) -> None:
    explored(page, site, "service:cart level:error")
    page.locator("#saved > summary").click()
    page.get_by_label("Name of the search").fill("Carts <b>that</b> fail")
    page.get_by_role("button", name="Save").click()
    saved = page.locator(".saved-list button", has_text="Carts <b>that</b> fail")
    expect(saved).to_be_visible()
    explored(page, site)
    page.locator("#saved > summary").click()
    saved.click()
    expect(page.locator("#q")).to_have_value("service:cart level:error")
    page.locator("#saved > summary").click()
    page.get_by_role("button", name="Delete Carts").click()
    expect(saved).to_have_count(0)


def test_a_pattern_leads_to_its_records(page: Page, site: str) -> None:
    page.goto(f"{site}/patterns?since=all&q=service:shop")
    row = page.locator("#patterns tbody tr").first
    expect(row).to_contain_text("order")
    found = int(row.locator("td").first.inner_text().replace(",", ""))
    row.locator("a.template").click()
    total(page, found)


def test_sql_is_completed_run_drawn_and_corrected(page: Page, site: str) -> None:
    page.goto(f"{site}/sql")
    expect(page.locator("#schema-list details").first).to_be_visible()
    page.locator("#sql").fill("")
    page.locator("#sql").type("SELECT service_n")
    expect(page.locator("#words li").first).to_contain_text("service_name")
    page.keyboard.press("Tab")
    page.locator("#sql").type(", count(*) AS n FROM logs WHERE service_name <> 'news' GROUP BY 1 ORDER BY n DESC")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said")).to_contain_text("4 rows in")
    expect(page.locator(".layer .row").first).to_contain_text("shop")
    page.locator("#tab-chart").click()
    expect(page.locator(".bar-list li")).to_have_count(4)
    page.locator("#plan").click()
    expect(page.locator("#plan-text")).to_contain_text("Aggregate")
    page.locator("#sql").fill("SELECT nope FROM logs")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#mistake")).to_contain_text("^^^^")
    page.locator("#history > summary").click()
    expect(page.locator("#history-pop li").first).to_contain_text("service_name")


@pytest.mark.soak
def test_on_a_narrow_screen_fields_are_a_drawer_and_a_record_covers_the_page(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    try:
        explored(page, site)
        expect(page.locator("#fields")).to_be_hidden()
        page.locator("#fields-open").click()
        expect(page.locator("#fields")).to_be_visible()
        page.locator("#fields-close").click()
        page.locator(".layer .row").first.click()
        expect(page.locator("#detail h2")).to_be_visible()
        assert page.locator("#detail").bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 740}
        assert not faults(page)
    finally:
        page.set_viewport_size({"width": 1440, "height": 900})
