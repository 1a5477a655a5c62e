from __future__ import annotations

import csv
import io
import math
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from tests.pages.conftest import EVIL, FORMULA, NOW, PAGES, SINCE, UNTIL, make, seen
from tests.queries import answers_of_reports, sample_lake
from tests.queries.answers import ANSWERS, Asked

from logshed.pages import embedded
from logshed.pages.notebook import NOTHING
from logshed.pipeline.report_answers import LONGEST_TEXT

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page
    from tests.pages.conftest import Made, Seen, Tabs

LOOKS = {"light": (820, 1440, 390), "dark": (1440,)}
"""The widths that a page is looked at, by its look; a picture is taken of the last. Colours move nothing."""
FROM, TO = "2024-04-10", "2024-04-23"
CONTRAST = """() => {
  const light = (colour) => {
    const parts = colour.match(/[\\d.]+/g).map(Number).slice(0, 3).map((one) => one / 255);
    const [red, green, blue] = parts.map((one) => one <= .04045 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4);
    return .2126 * red + .7152 * green + .0722 * blue;
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/rgba\\(.*, 0\\)$/.test(colour) && colour !== "transparent") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim());
    if (!own || !node.offsetParent || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(node.tagName)) continue;
    const [one, other] = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => b - a);
    if ((one + .05) / (other + .05) < 4.5) found.push(`${node.className} ${node.textContent.slice(0, 30)}`);
  }
  return [...new Set(found)];
}"""
BLANK = """(box) => {
  const canvas = box.querySelector("canvas");
  const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return pixels.every((one) => one === pixels[0]);
}"""


def panel(page: Page, title: str) -> Locator:
    return page.locator("section.panel").filter(has=page.get_by_role("heading", name=title, exact=True))


def cells(section: Locator) -> list[list[str]]:
    """The rows of a panel's table as they are read, all of them."""
    more = section.locator(".tools button", has_text="Show all")
    if more.count() and not more.evaluate("(one) => one.hidden"):
        more.evaluate("(one) => one.click()")
    read = "(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    found: list[list[str]] = section.locator("tbody tr").evaluate_all(read)
    return found


def same(text: str, value: Any, column: dict[str, Any]) -> bool:
    """Whether a cell says a value."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return text == NOTHING
    if isinstance(value, bool):
        return text == ("yes" if value else "no")
    if isinstance(value, datetime):
        when = f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        return text == when.removesuffix(":00") or text == when
    if isinstance(value, int | float):
        if column["unit"] in {"ms", "seconds"}:
            return text.endswith((" ms", " s", " min", " h", " d"))
        return abs(float(text.replace(",", "").removesuffix(" %")) - value) < 0.000_6
    return text == (str(value) if len(str(value)) <= LONGEST_TEXT else f"{str(value)[: LONGEST_TEXT - 1]}…")


def of_days(first: str, last: str) -> Asked:
    """What a question sees of some days; nothing else than the records."""
    begin = datetime.combine(date.fromisoformat(first), datetime.min.time(), UTC)
    end = datetime.combine(date.fromisoformat(last), datetime.min.time(), UTC) + timedelta(days=1)
    from tests.pages.conftest import hostile  # noqa: PLC0415 - beside its use

    rows = [row for row in [*sample_lake.records(), *hostile()] if begin <= row["timestamp"] < end]
    return Asked(rows, [], [], [], {"kind": "application", "limit": 12, "by": "event", "only": "all"})


@pytest.mark.parametrize("name", PAGES)
def test_a_page_looks_right_at_three_widths_and_in_dark_and_light(
    name: str, made: Made, browser: Browser, tmp_path: Path
) -> None:
    backgrounds = set()
    for scheme, widths in LOOKS.items():
        with seen(browser, scheme=scheme) as window:
            page = window.open(made.folder / f"{name}.html")
            for width in widths:
                page.set_viewport_size({"width": width, "height": 900})
                page.wait_for_timeout(50)
                assert page.evaluate("document.documentElement.scrollWidth") == width
            assert len(page.screenshot(path=tmp_path / f"{name}-{scheme}.png", full_page=True)) > 20_000
            assert page.locator(".chart").evaluate_all(f"(all) => all.filter({BLANK}).length") == 0
            assert page.evaluate(CONTRAST) == []
            backgrounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            assert window.said == []
            assert window.asked == [(made.folder / f"{name}.html").as_uri()]
    assert len(backgrounds) == 2


@pytest.mark.parametrize("name", PAGES)
def test_every_figure_of_a_page_equals_the_answer_of_its_question(name: str, made: Made, tabs: Tabs) -> None:
    page = tabs.at(name)
    told = made.page(name)
    for tile, figure in zip(told["tiles"], page.locator(".tile .figure").all(), strict=True):
        answer = told["answers"][tile["answer"]]
        columns = [column["name"] for column in answer["columns"]]
        rows = [dict(zip(columns, row, strict=True)) for row in made.run(answer)]
        row = next(row for row in rows if tile["row"].items() <= row.items())
        value = row[tile["column"]]
        wanted = round(value * 100 / row[tile["share_of"]], 2) if tile["share_of"] else value
        assert float(figure.get_attribute("data-value") or "nan") == pytest.approx(wanted, abs=0.006)
    for one in told["panels"]:
        answer = told["answers"][one["answer"]]
        wanted_rows, section = made.run(answer), panel(page, one["title"])
        shown = [column["name"] for column in answer["columns"]]
        places = [shown.index(column) for column in one["columns"] or shown]
        if not wanted_rows:
            assert (
                section.locator(".empty").inner_text()
                == f"No {one['what']} between 2024-04-01 00:00 and 2024-05-09 00:00."
            )
            continue
        read = cells(section)
        assert len(read) == len(wanted_rows), one["title"]
        for texts, row in zip(read, wanted_rows, strict=True):
            assert all(
                same(text, row[place], answer["columns"][place]) for text, place in zip(texts, places, strict=True)
            ), (one["title"], texts, row)


@pytest.mark.parametrize("name", PAGES)
def test_chosen_days_give_the_figures_of_these_days(name: str, made: Made, tabs: Tabs) -> None:
    """Each panel that is computed on the page says what its question says of these days alone."""
    page = tabs.at(name)
    page.fill("#from", FROM)
    page.fill("#to", TO)
    assert page.locator("#said").inner_text() == f"Showing {FROM} to {TO}, both days included."
    told, computed = made.page(name), 0
    for one in told["panels"]:
        section, answer = panel(page, one["title"]), told["answers"][one["answer"]]
        whole = section.locator(".whole").first
        if not (one["time"] or one["by_day"]):
            assert whole.is_visible() or section.locator(".empty").count()
            continue
        assert whole.is_hidden()
        columns = answer["columns"]
        names = [column["name"] for column in columns]
        places = [names.index(column) for column in one["columns"] or names]
        wanted = made.run(answer, FROM, "2024-04-24")
        read = cells(section)
        assert len(read) == len(wanted) > 0, one["title"]
        for texts, row in zip(read, wanted, strict=True):
            pairs = list(zip(texts, places, strict=True))
            assert all(text == NOTHING or same(text, row[place], columns[place]) for text, place in pairs), (texts, row)
            assert sum(text != NOTHING for text in texts) >= 1
        computed += 1
    assert computed >= {"commerce": 0, "compliance": 0}.get(name, 1)
    for tile, figure in zip(told["tiles"], page.locator(".tile").all(), strict=True):
        answer = told["answers"][tile["answer"]]
        if tile["by_day"] is None:
            assert "whole window" in figure.inner_text()
            continue
        columns = [column["name"] for column in answer["columns"]]
        rows = [dict(zip(columns, row, strict=True)) for row in made.run(answer, FROM, "2024-04-24")]
        row = next(row for row in rows if tile["row"].items() <= row.items())
        value = row[tile["column"]]
        wanted_value = round(value * 100 / row[tile["share_of"]], 2) if tile["share_of"] else value
        said = figure.locator(".figure").get_attribute("data-value")
        assert float(said or "nan") == pytest.approx(wanted_value, abs=0.006), tile["title"]


def test_chosen_days_give_what_plain_python_counts(made: Made, window: Seen) -> None:
    assert answers_of_reports
    page = window.open(made.folder / "log_analytics_dashboard.html", f"#from={FROM}&to={TO}")
    asked = of_days(FROM, TO)
    ((events, application, security, requests, errors, *_),) = ANSWERS["overview"](asked)
    figures = [float(one.get_attribute("data-value") or "nan") for one in page.locator(".tile .figure").all()[:5]]
    assert figures == [events, application, security, requests, errors]
    read = {row[0]: int(row[1].replace(",", "")) for row in cells(panel(page, "Application Event Distribution"))}
    assert read == {row[0]: row[1] for row in ANSWERS["event_types"](asked)}
    read_hours = cells(panel(page, "Hourly Activity Pattern"))
    assert [(int(row[0]), row[1], int(row[2])) for row in read_hours] == ANSWERS["hourly_activity"](asked)


def test_days_are_those_of_the_zone_and_the_choice_goes_along_to_other_pages(
    made: Made, window: Seen, tmp_path: Path
) -> None:
    zone = "Asia/Tokyo"
    pages = PAGES[:2]
    made.lake.report(tmp_path / "out", since=SINCE, until=UNTIL, now=NOW, timezone=zone, pages=pages)
    page = window.open(tmp_path / "out" / "log_analytics_dashboard.html")
    page.fill("#from", FROM)
    page.fill("#to", FROM)
    day = {"since": f"{FROM}T00:00:00+09:00", "until": "2024-04-11T00:00:00+09:00"}
    ((requests, errors),) = made.lake.run("overview", **day, now=NOW).pl().select("requests", "errors").rows()
    figures = [float(one.get_attribute("data-value") or "nan") for one in page.locator(".tile .figure").all()]
    assert figures[3:5] == [requests, errors]
    page.get_by_role("link", name="Traffic").click()
    page.wait_for_selector("html[data-ready=yes]", state="attached")
    assert page.input_value("#from") == FROM
    hours = cells(panel(page, "Requests by hour"))
    assert sum(int(row[1].replace(",", "")) for row in hours) == requests
    assert {row[0][:10] for row in hours} == {FROM}
    assert float(page.locator(".tile .figure").first.get_attribute("data-value") or "nan") == requests
    page.get_by_role("button", name="All days").click()
    assert page.locator("#said").inner_text() == ""
    assert len(cells(panel(page, "Requests by hour"))) > len(hours)


def test_tables_sort_by_keyboard_and_go_into_a_csv_file_that_runs_nothing(made: Made, window: Seen) -> None:
    page = window.open(made.folder / "error_breakdown.html")
    section = panel(page, "Exceptions")
    section.locator("summary").focus()
    page.keyboard.press("Enter")
    head = section.get_by_role("button", name="Occurrences")
    head.focus()
    page.keyboard.press("Enter")
    counts = [int(row[2].replace(",", "")) for row in cells(section)]
    assert counts == sorted(counts, reverse=True)
    assert section.locator("th[aria-sort=descending]").inner_text().strip() == "Occurrences"
    page.keyboard.press("Enter")
    assert [int(row[2].replace(",", "")) for row in cells(section)] == sorted(counts)
    with page.expect_download() as download:
        section.locator("button.csv").click()
    text = download.value.path().read_text("utf-8")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["exception", "service", "occurrences", "first_seen", "last_seen", "example_message"]
    assert [int(row[2]) for row in rows[1:]] == sorted(counts)
    assert f"'{FORMULA}" in {row[0] for row in rows}
    assert EVIL in {row[0] for row in rows}
    assert download.value.suggested_filename == "exceptions.csv"


def test_a_label_opens_the_rows_behind_it_by_keyboard_and_by_a_click_on_the_bar(made: Made, window: Seen) -> None:
    page = window.open(made.folder / "traffic_patterns.html")
    section = panel(page, "Status codes")
    section.locator("summary").click()
    label = section.locator("tbody button").first
    wanted = [
        row
        for row in made.lake.run("requests_behind", since=SINCE, until=UNTIL, now=NOW).rows()
        if row[0] == label.inner_text()
    ]
    label.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=f"Behind {wanted[0][0]}")
    read = cells(dialog)
    assert [int(row[3].replace(",", "")) for row in read] == [row[4] for row in wanted]
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    assert page.evaluate("document.activeElement.textContent") == wanted[0][0]
    chart = section.locator(".chart")
    chart.scroll_into_view_if_needed()
    x, y = chart.evaluate("(box) => echarts.getInstanceByDom(box).convertToPixel({seriesIndex: 0}, [2, 0])")
    box = chart.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x + 2, box["y"] + y)
    assert page.locator("dialog[open] h2").inner_text() == f"Behind {wanted[0][0]}"


def test_hostile_values_are_text_and_nothing_else(made: Made, tabs: Tabs, browser: Browser) -> None:
    for name in PAGES:
        text = (made.folder / f"{name}.html").read_text("utf-8")
        assert text.count("</script>") == 3
        assert "onerror" not in text.replace("onerror=\\", "").split('id="data">')[0]
        page = tabs.at(name)
        assert page.evaluate("window.hacked") is None
        assert page.locator("main img").count() == 0
    page = tabs.at("error_breakdown")
    assert EVIL in {row[0] for row in cells(panel(page, "Exceptions"))}
    assert sample_lake.DROP in {row[1] for row in cells(panel(page, "Exceptions"))}
    with seen(browser) as other:
        other.open(made.folder / "error_breakdown.html")
        refused = other.page.evaluate(
            "() => { const one = document.createElement('script'); one.textContent = 'window.hacked = 1';"
            " document.body.append(one); return window.hacked ?? null; }"
        )
        assert refused is None
        assert any("Content Security Policy" in one for one in other.said)
    assert tabs.said == []


def test_json_in_a_page_cannot_leave_its_element() -> None:
    text = embedded({"a": "</script><!--<script>&\u2028"})
    assert "<" not in text
    assert ">" not in text


def test_a_page_has_landmarks_headings_and_a_table_for_each_chart(made: Made, window: Seen) -> None:
    page = window.open(made.folder / "log_analytics_dashboard.html")
    for role in ("banner", "main", "contentinfo", "navigation"):
        assert page.get_by_role(role).count() == 1  # type: ignore[arg-type]
    assert page.locator("h1").all_inner_texts() == ["Overview"]
    assert page.locator("nav [aria-current=page]").inner_text() == "Overview"
    for section in page.locator("section.panel").all():
        assert section.get_attribute("aria-labelledby")
        assert section.locator("table caption").count() == 1
        assert section.locator(".chart[role=img]").get_attribute("aria-label")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"


def test_the_look_is_switched_and_kept_and_paper_is_light_with_tables(made: Made, window: Seen) -> None:
    page = window.open(made.folder / "security_summary.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    page.get_by_role("button", name="Switch to the dark look").click()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    page = window.open(made.folder / "commerce.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    pdf = page.pdf()
    assert pdf.startswith(b"%PDF")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert page.locator("details:not([open])").count() == 0
    assert page.get_by_role("navigation").is_hidden()


def test_an_empty_lake_gives_pages_that_say_so(browser: Browser, tmp_path: Path) -> None:
    empty = make(tmp_path, [], found=False)
    with seen(browser) as window:
        for name in PAGES:
            page = window.open(empty.folder / f"{name}.html")
            texts = page.locator(".empty").all_inner_texts()
            assert len(texts) == len(empty.page(name)["panels"])
            assert all(text.endswith("between 2024-04-01 00:00 and 2024-05-09 00:00.") for text in texts)
            assert page.locator("#filter").is_hidden()
            assert set(page.locator(".tile .figure").all_inner_texts()) <= {NOTHING}
        assert "an empty lake" in page.get_by_role("contentinfo").inner_text()
        assert window.said == []


def test_a_list_of_many_labels_stays_exact_and_says_what_may_be_missing(browser: Browser, tmp_path: Path) -> None:
    """40,000 labels: each day has too many to bring along, and one path is below the day's most frequent everywhere."""
    begin = sample_lake.START
    rows = []
    for number in range(40_000):
        path = "/steady" if number % 2_000 == 1_999 else f"/once/{number}"
        count = 1 + (number % 50 == 0)
        when = begin + timedelta(days=number // 2_000, seconds=number % 2_000)
        fields = {"url_path": path, "http_response_status_code": 200, "http_request_method": "GET"}
        rows += [sample_lake.record(number * 2 + one, when, **fields) for one in range(count)]
    large = make(tmp_path, rows, found=False, pages=["traffic_patterns"])
    assert (large.folder / "traffic_patterns.html").stat().st_size < 2_500_000
    with seen(browser) as window:
        page = window.open(large.folder / "traffic_patterns.html")
        section = panel(page, "Most asked for")
        assert cells(section)[0][:2] == ["/steady", "20"]
        page.fill("#from", "2024-04-05")
        page.fill("#to", "2024-04-08")
        read = [int(row[1]) for row in cells(section)]
        assert len(read) == 20
        assert all(one >= other for one, other in pairwise(read))
        shares = [row[2] for row in cells(section)]
        requests = 4 * 2_000 + 4 * 40
        assert shares[-1] == f"{round(read[-1] * 100 / requests, 2):g} %"
        said = section.locator(".whole").all_inner_texts()
        assert any("Others may be missing here, with up to" in one for one in said)
