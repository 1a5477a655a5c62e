from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from logshed import dashboards, queries
from logshed.dashboards.reading import parse
from logshed.errors import DashboardError
from logshed.queries.chart import Chart

if TYPE_CHECKING:
    from pathlib import Path

QUESTIONS = queries.load()
PAGES = (
    "overview", "log_analytics_dashboard", "traffic_patterns", "security_analysis", "security_summary",
    "error_breakdown", "performance_dashboard", "commerce", "compliance", "ingest_health",
)  # fmt: skip
HEAD = 'title = "T"\ndescription = "D."\n'
PANEL = '[[panels]]\ntitle = "P"\nquestion = "top_paths"\nwhat = "requests"\n'
TILE = '[[tiles]]\ntitle = "F"\nquestion = "overview"\ncolumn = "events"\n'


def test_the_pages_are_there_in_their_order() -> None:
    assert tuple(dashboards.load()) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_names_each_panel_once_and_says_what_its_rows_are(name: str) -> None:
    page = dashboards.load()[name]
    titles = [panel.title for panel in page.panels]
    assert len(titles) == len(set(titles))
    assert all(panel.what == panel.what.lower() or "IP" in panel.what for panel in page.panels)
    assert page.description.endswith(".")


def test_the_overview_and_the_security_summary_have_what_was_asked_for() -> None:
    pages = dashboards.load()
    kinds = {panel.title: panel.chart.kind for panel in pages["log_analytics_dashboard"].panels if panel.chart}
    assert kinds["Application Event Distribution"] == "bar"
    assert kinds["Security Events by Region"] == "pie"
    assert kinds["Hourly Activity Pattern"] == "line"
    assert kinds["Top Error Sources"] == "bar"
    (table,) = [panel for panel in pages["security_summary"].panels if panel.title == "Security summary"]
    assert table.chart is None
    assert list(QUESTIONS[table.asked.question].columns) == ["security_metric", "count", "risk_level"]


def test_a_panel_takes_the_chart_of_its_question_or_its_own_or_none() -> None:
    own = 'chart = { kind = "pie", x = "path", y = "bytes" }\n'
    assert parse("x", HEAD + PANEL, QUESTIONS).panels[0].chart == QUESTIONS["top_paths"].chart
    assert parse("x", HEAD + PANEL + own, QUESTIONS).panels[0].chart == Chart("pie", "path", "bytes")
    assert parse("x", HEAD + PANEL + "chart = false\n", QUESTIONS).panels[0].chart is None


def test_a_file_of_ones_own_is_found_and_wins(tmp_path: Path) -> None:
    (tmp_path / "dashboards").mkdir()
    (tmp_path / "dashboards" / "commerce.toml").write_text(HEAD + "order = 1\n" + PANEL)
    found = dashboards.load([tmp_path])
    assert found["commerce"].title == "T"
    assert next(iter(found)) == "commerce"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title =", "it is no TOML"),
        (HEAD, "panels is missing or empty"),
        (
            "colour = 1\n" + HEAD + PANEL,
            "colour is no key; take description, order, panels, shown, tiles, title, window",
        ),
        ('title = ""\ndescription = "D."\n' + PANEL, "title is missing or no text"),
        (HEAD + 'order = "1"\n' + PANEL, "order is no whole number"),
        (HEAD + "panels = 1\n", "panels is no list of tables"),
        (HEAD + PANEL + 'sql = "SELECT 1"\n', "panels[0]: sql is no key"),
        (HEAD + PANEL.replace("top_paths", "nothing"), "panels[0]: question is 'nothing', which is none"),
        (HEAD + PANEL + 'width = "huge"\n', "panels[0]: width is 'huge'"),
        (HEAD + 'shown = "here"\n' + PANEL, "shown is 'here'"),
        (HEAD + 'window = "soon"\n' + PANEL, "window is 'soon'"),
        (HEAD + PANEL + 'fields = { path = "paht" }\n', "panels[0].fields: path is 'paht'"),
        (HEAD + PANEL + 'fields = { paths = "path" }\n', "panels[0].fields: paths is no key"),
        (HEAD + PANEL + TILE + 'find = "level>="\n', "tiles[0]: find is 'level>=', no search"),
        (HEAD + PANEL + TILE + "less_is_better = 1\n", "tiles[0]: less_is_better is neither true nor false"),
        (HEAD + PANEL + "sorted = 1\n", "panels[0]: sorted is neither true nor false"),
        (HEAD + PANEL + "params = { limits = 3 }\n", "panels[0]: params do not fit top_paths"),
        (HEAD + PANEL + 'params = { limit = "x" }\n', "panels[0]: params do not fit top_paths"),
        (HEAD + PANEL + 'columns = ["path", "size"]\n', "panels[0]: columns is 'size', no column of top_paths"),
        (HEAD + PANEL + 'time = "day"\n', "panels[0]: time is 'day', no column of top_paths"),
        (HEAD + PANEL + 'chart = { kind = "cake", x = "path", y = "bytes" }\n', "panels[0]: chart.kind is 'cake'"),
        (HEAD + PANEL + 'time = "path"\nby_day = { question = "requests_by_day" }\n', "it has both time and by_day"),
        (
            HEAD + PANEL + 'by_day = { question = "requests_by_day" }\n',
            "panels[0].by_day: columns is 'path', no column of requests_by_day",
        ),
        (
            HEAD + PANEL + 'by_day = { question = "requests_by_day", columns = { where = "what" } }\n',
            "panels[0].by_day.columns: where is no key",
        ),
        (HEAD + PANEL + 'drill = { question = "requests_behind" }\n', "panels[0].drill: on is None, no column of"),
        (HEAD + PANEL + TILE.replace("events", "guests"), "tiles[0]: column is 'guests', no column of overview"),
        (HEAD + PANEL + TILE + 'row = { x = "1" }\n', "tiles[0].row: x is no key"),
        (HEAD + PANEL + TILE + 'by_day = { question = "traffic" }\n', "tiles[0].by_day: columns is 'events'"),
    ],
)
def test_a_mistake_is_told_with_its_key(text: str, says: str) -> None:
    with pytest.raises(DashboardError, match="cannot load the dashboard own: ") as error:
        parse("own", text, QUESTIONS)
    assert says in str(error.value)


def test_units_come_from_the_names_of_columns() -> None:
    found = dashboards.units(["bytes", "error_percent", "total_ms", "p95", "requests", "hour", "risk_level", "gap_s"])
    assert list(found.values()) == ["bytes", "percent", "ms", "ms", "count", "plain", "level", "seconds"]
