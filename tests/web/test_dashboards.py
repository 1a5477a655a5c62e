"""Dashboards in a browser and by the API: figures are the questions' answers, narrowed, moved, compared, refreshed."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import expect
from tests.web_server import web_server

from logshed.access import Tokens
from logshed.api import Lake
from logshed.settings import Settings
from logshed.web.boards import known
from logshed.web.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

PATIENCE_MS = 60_000
DAYS = "since=2015-05-01&until=2015-06-01"
HOSTILE = '<img src=x onerror="document.title=1">\u202etxt'


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Records that this file alone changes."""
    folder = tmp_path_factory.mktemp("boards")
    (folder / "logshed.toml").write_text('plugins = ["own"]\n')
    made = Lake.open(folder / "lake", create=True, settings=Settings.load(folder, environ={}))
    bring(made, tmp_path_factory.mktemp("logs") / "first.jsonl", 12)
    return made


def bring(lake: Lake, file: Path, rows: int, service: str = "shop") -> None:
    """Records of one day, a quarter of them errors."""
    lines = [
        f'{{"time":"2015-05-20T{hour % 24:02}:00:00Z","level":"{"error" if hour % 4 == 0 else "info"}",'
        f'"service":"{service if hour % 3 else "pay"}","message":"step {hour}"}}\n'
        for hour in range(rows)
    ]
    file.write_text("".join(lines))
    lake.ingest([file], collection="app")


@pytest.fixture(scope="module")
def url(lake: Lake) -> Iterator[str]:
    with web_server(lake) as address:
        yield address


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """One page for all; whoever changes what it remembers gives the whole range in the address."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="UTC", reduced_motion="reduce")
    opened = context.new_page()
    opened.complaints = []
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    assert opened.complaints == []
    context.close()


def got(address: str, **more: Any) -> httpx.Response:
    """An answer, waited for on a busy machine too."""
    return httpx.get(address, timeout=60, **more)


def shown(page: Page, address: str) -> Page:
    """A dashboard, once all its figures are there."""
    page.goto(address)
    drawn(page)
    return page


def drawn(page: Page) -> None:
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=PATIENCE_MS)
    expect(page.locator(".skeleton")).to_have_count(0, timeout=PATIENCE_MS)


def tile(page: Page, title: str) -> float:
    """The figure of a tile."""
    found = page.locator(".tile", has=page.locator(f'dt:text-is("{title}")')).get_attribute("data-value")
    return float(found or "nan")


def panel(page: Page, title: str) -> Any:
    return page.locator("section.panel", has=page.locator(f'h2:text-is("{title}")'))


def asked(url: str, question: str, **params: str) -> dict[str, list[Any]]:
    asked_with = {"since": "2015-05-01", "until": "2015-06-01", "timezone": "UTC", **params}
    told = got(f"{url}/api/v1/questions/{question}", params=asked_with).json()
    return {one["name"]: values for one, values in zip(told["columns"], told["data"], strict=True)}


def test_the_api_lists_dashboards_and_lays_one_out(served: str) -> None:
    listed = got(f"{served}/api/v1/dashboards").json()["items"]
    assert [one["name"] for one in listed][:2] == ["overview", "traffic_patterns"]
    assert listed[0]["href"] == "/"
    board = got(f"{served}/api/v1/dashboards/overview").json()
    assert {one["answer"] for one in board["panels"]} <= set(board["answers"])
    assert got(f"{served}/api/v1/dashboards/nothing").status_code == 404
    assert got(f"{served}/api/v1/dashboards/overview/answers/a99").status_code == 404
    assert got(f"{served}/dashboards/nothing", headers={"Accept": "text/html"}).status_code == 404


MINE = """
title = "{title}"
description = "What is ours."
order = 400

[[panels]]
title = "Ours"
question = "mine"
what = "records"
width = "full"
chart = false
"""
QUESTION = """/*
title = "Ours"
description = "How many records there are, and some more."
window = "24h"

[columns]
ours = "records and {more}"
*/
SELECT count(*) + {more} AS ours FROM logs
WHERE timestamp >= $since AND timestamp < $until
"""


def test_own_files_are_read_anew_and_of_a_wrong_one_the_last_good_one_stays(url: str, lake: Lake, page: Page) -> None:
    own = lake.root.parent / "own"
    for folder in ("dashboards", "queries"):
        (own / folder).mkdir(parents=True)
    board, question = own / "dashboards" / "mine.toml", own / "queries" / "mine.sql"
    question.write_text(QUESTION.format(more=1))
    board.write_text(MINE.format(title="Mine"))
    until(url, lambda told: "mine" in told["boards"])
    shown(page, f"{url}/dashboards/mine?since=all&until=")
    expect(page.locator("nav a", has_text="Mine")).to_have_count(1)
    expect(panel(page, "Ours").locator("tbody")).to_contain_text("13")
    question.write_text(QUESTION.format(more=2))
    board.write_text("title = [\n")
    told = until(url, lambda told: told["broken"])
    assert list(told["broken"]) == ["dashboard mine"]
    shown(page, f"{url}/dashboards/mine?since=all&until=")
    expect(page.locator(".board-head .warning")).to_contain_text("cannot load the dashboard mine")
    expect(panel(page, "Ours").locator("tbody")).to_contain_text("14")
    board.write_text(MINE.format(title="Mine again"))
    assert "Mine again" in until(url, lambda told: not told["broken"])["boards"].values()
    board.unlink()
    until(url, lambda told: "mine" not in told["boards"])


def until(url: str, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """What is told of dashboards once something holds."""
    end = time.monotonic() + 30
    while True:
        found = got(f"{url}/api/v1/dashboards").json()
        told = {"boards": {one["name"]: one["title"] for one in found["items"]}, "broken": found["broken"]}
        if holds(told):
            return told
        assert time.monotonic() < end, told
        time.sleep(0.1)


@pytest.mark.parametrize("which", ["overview", pytest.param("", marks=pytest.mark.soak)], ids=["overview", "all"])
def test_every_answer_of_a_dashboard_is_what_its_question_answers(sample_lake: Lake, served: str, which: str) -> None:
    boards = known(Site(sample_lake, None)).boards
    with httpx.Client(base_url=served, timeout=60) as client:
        for name, board in ({which: boards[which]} if which else boards).items():
            for key, one in board.asked.items():
                told = client.get(f"/api/v1/dashboards/{name}/answers/{key}?since=all").json()
                rows = sample_lake.run(one.question, since=one.window or "all", **one.params).rows()
                assert told["rows"] == len(rows), (name, one.question)
                assert [len(values) for values in told["data"]] == [min(len(rows), 5_000)] * len(told["columns"])


def test_what_has_not_changed_is_not_sent_again(served: str) -> None:
    address = f"{served}/api/v1/dashboards/overview/answers/a1?since=all"
    first = got(address)
    again = got(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["Logshed-Fresh"] == "1"
    other = got(f"{address}&q=level:error", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("asked_for", "says"),
    [
        ("questions/overview?since=soon", "cannot read the time 'soon'"),
        ("questions/overview?q=(level", "cannot"),
        ("questions/top_paths?limit=many", "cannot set limit to 'many'"),
        ("questions/top_paths?limits=3", "it has no such parameter"),
        ("questions/overview?timezone=Nowhere/At_all", "cannot use the time zone"),
        ("questions/overview?since=all&back=previous", "nothing lies before it"),
    ],
)
def test_a_wrong_question_is_a_problem_that_says_what_to_do(served: str, asked_for: str, says: str) -> None:
    told = got(f"{served}/api/v1/{asked_for}")
    assert (told.status_code, told.headers["content-type"]) == (422, "application/problem+json")
    assert says in told.json()["detail"]


def test_a_question_is_sent_whole_as_csv_and_lines(served: str) -> None:
    rows = got(f"{served}/api/v1/questions/top_paths?since=all&limit=100000&format=csv").text.splitlines()
    lines = got(f"{served}/api/v1/questions/top_paths?since=all&limit=100000&format=ndjson").text.splitlines()
    assert rows[0] == "path,requests,clients,errors,bytes"
    assert len(rows) == len(lines) + 1 > 100


def test_somebody_sees_the_figures_of_their_collections_alone(
    sample_lake: Lake, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tokens = Tokens(tmp_path_factory.mktemp("access") / "tokens.db")
    with web_server(sample_lake, tokens) as url:
        counts = {}
        for scope in ("*", "web", "app", "none"):
            head = {"Authorization": f"Bearer {tokens.create([scope])[0]}"}
            told = got(f"{url}/api/v1/dashboards/overview/answers/a1?since=all", headers=head).json()
            counts[scope] = sum(told["data"][0])
            foreign = got(f"{url}/api/v1/questions/overview?collection=web", headers=head)
            assert foreign.status_code == (200 if scope in {"*", "web"} else 403), scope
    assert counts["*"] == counts["web"] + counts["app"]
    assert counts["none"] == 0


def test_tiles_and_bars_are_the_answers_of_their_questions(page: Page, url: str) -> None:
    shown(page, f"{url}/?{DAYS}")
    overview, services = asked(url, "overview"), asked(url, "top_services", limit="8")
    assert tile(page, "Records") == overview["events"][0] > 0
    assert tile(page, "Errors") == overview["errors"][0] > 0
    bars = panel(page, "Busiest services").locator(".bar-row")
    assert bars.locator(".bar-label").all_inner_texts() == services["service"]
    assert [int(text) for text in bars.locator(".bar-figure").all_inner_texts()] == services["records"]
    panel(page, "Records by severity").locator("summary").click()
    page.get_by_role("button", name="Show as a table").click()
    rows = panel(page, "Records by severity").locator("tbody tr")
    assert rows.count() == len(asked(url, "severity_over_time")["time"])


def test_a_click_on_a_bar_narrows_all_that_it_can_and_says_where_it_cannot(page: Page, url: str) -> None:
    shown(page, f"{url}/?{DAYS}")
    panel(page, "Busiest services").get_by_role("button", name=re.compile("^pay")).click()
    expect(page.locator("#chips .chip")).to_contain_text("service=pay")
    drawn(page)
    assert tile(page, "Records") == asked(url, "overview", q="service=pay")["events"][0]
    assert "q=service%3Dpay" in page.url
    expect(panel(page, "Open incidents").locator(".panel-signs")).to_have_text("not narrowed")
    expect(panel(page, "Records by severity").locator(".panel-signs")).to_have_text("")
    page.reload()
    drawn(page)
    assert tile(page, "Records") == asked(url, "overview", q="service=pay")["events"][0]
    page.locator("#chips .chip").click()
    drawn(page)
    assert tile(page, "Records") == asked(url, "overview")["events"][0]


def test_a_wrong_search_is_told_in_the_panels(page: Page, url: str) -> None:
    shown(page, f"{url}/?{DAYS}")
    page.keyboard.press("/")
    page.keyboard.type("sevrice=pay")
    page.keyboard.press("Enter")
    expect(panel(page, "Busiest services").locator(".failure")).to_contain_text("there is no field sevrice")


def test_dragging_on_a_chart_chooses_the_time_and_another_dashboard_keeps_it(page: Page, url: str) -> None:
    shown(page, f"{url}/?{DAYS}")
    over = panel(page, "Records by severity").locator(".u-over").bounding_box()
    assert over is not None
    place = over["y"] + over["height"] / 2
    page.mouse.move(over["x"] + over["width"] * 0.3, place)
    page.mouse.down()
    page.mouse.move(over["x"] + over["width"] * 0.8, place, steps=4)
    page.mouse.up()
    expect(page).not_to_have_url(re.compile("since=2015-05-01"))
    drawn(page)
    page.locator(".side .sub a", has_text="Errors").click()
    assert page.url.startswith(f"{url}/dashboards/error_breakdown?since=2015-05-")
    drawn(page)
    assert panel(page, "Errors by hour").locator(".plot").count() == 1
    page.go_back()
    expect(page).to_have_url(re.compile(r"/\?since="))


def test_figures_are_compared_with_the_time_before(page: Page, url: str) -> None:
    shown(page, f"{url}/?since=2015-05-20T08:00:00Z&until=2015-05-20T12:00:00Z&back=previous")
    before = got(f"{url}/api/v1/questions/overview?since=2015-05-20T04:00:00Z&until=2015-05-20T08:00:00Z").json()[
        "data"
    ][0][0]
    assert tile(page, "Records") == before == 4
    aside = page.locator(".tile", has=page.locator('dt:text-is("Records")')).locator(".aside")
    expect(aside).to_have_text("as before")


def test_what_arrives_is_shown_without_a_reload_and_panels_that_stay_are_left_alone(
    page: Page, url: str, lake: Lake, tmp_path: Path
) -> None:
    shown(page, f"{url}/?{DAYS}")
    page.locator("#every").select_option("5")
    before = tile(page, "Records")
    page.evaluate("document.querySelector('[data-panel=\"3\"] .panel-body').firstElementChild.id = 'same'")
    bring(lake, tmp_path / "more.jsonl", 7, service="late")
    records = page.locator(".tile", has=page.locator('dt:text-is("Records")'))
    expect(records).to_have_attribute("data-value", str(int(before) + 7))
    expect(panel(page, "Busiest services")).to_contain_text("late")
    assert page.locator("#same").count() == 1  # no requests came: that panel is as it was
    page.locator("#every").select_option("0")


def test_values_of_logs_are_text_whatever_they_hold(page: Page, url: str, lake: Lake, tmp_path: Path) -> None:
    import json  # noqa: PLC0415 - here alone

    line = {"time": "2015-07-01T00:00:00Z", "level": "error", "service": HOSTILE, "message": HOSTILE}
    (tmp_path / "bad.jsonl").write_text(json.dumps(line) + "\n")
    lake.ingest([tmp_path / "bad.jsonl"], collection="app")
    shown(page, f"{url}/?since=2015-07-01&until=2015-07-02")
    bar = panel(page, "Busiest services").locator(".bar-row")
    expect(bar).to_contain_text('<img src=x onerror="document.title=1">␣202etxt')
    bar.click()
    drawn(page)
    assert tile(page, "Records") == 1
    assert page.locator("main img").count() == 0
    assert page.title() == "Overview · Logshed"


def test_a_time_without_records_says_where_the_newest_is_and_an_empty_lake_how_to_begin(
    page: Page, url: str, tmp_path: Path
) -> None:
    shown(page, f"{url}/?since=2001-01-01&until=2001-01-02")
    expect(page.locator("#notice")).to_contain_text("Nothing in this time")
    page.get_by_role("button", name="Show all").click()
    drawn(page)
    assert tile(page, "Records") > 0
    with web_server(Lake.open(tmp_path / "empty", create=True)) as empty:
        shown(page, f"{empty}/?since=24h")
        expect(page.locator("#notice")).to_contain_text("The lake is empty")


def test_a_page_fills_the_screen_prints_and_fits_a_telephone(page: Page, url: str) -> None:
    shown(page, f"{url}/?{DAYS}")
    page.locator("#full").click()
    assert page.evaluate("document.fullscreenElement.id") == "main"
    page.evaluate("document.exitFullscreen()")
    page.emulate_media(media="print")
    assert not page.locator(".side").is_visible()
    assert not page.locator(".tools").is_visible()
    expect(page.locator("#printed")).to_contain_text("times of UTC")
    assert panel(page, "Records by severity").locator("table, canvas").first.is_visible()
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 1280, "height": 900})


def test_nothing_moves_while_figures_come(page: Page, url: str) -> None:
    page.goto(f"{url}/?{DAYS}")
    shown_parts = "[...document.querySelectorAll('.tile, section.panel')]"
    tops = f"{shown_parts}.map((one) => Math.round(one.getBoundingClientRect().top))"
    first = page.evaluate(tops)
    drawn(page)
    assert page.evaluate(tops) == first
