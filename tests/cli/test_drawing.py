from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from tests.queries import sample_lake

from logshed.api import Lake
from logshed.cli.drawing import draw
from logshed.errors import UsageError
from logshed.queries.chart import Chart
from logshed.settings import Settings

if TYPE_CHECKING:
    from logshed.sql.result import Result

HOUR = datetime(2026, 3, 28, tzinfo=UTC)
EVIL = "\x1b[31mred\n\u202e"


def drawn(kind: Any, rows: list[tuple[Any, ...]], width: int = 40, *, coloured: bool = False) -> list[str]:
    by = "by" if rows and len(rows[0]) == 3 else None
    names = ["x", "y", "by"][: 3 if by else 2]
    return list(draw(Chart(kind, "x", "y", by), names, rows, width=width, coloured=coloured))


def test_a_line_is_as_high_as_its_values_and_says_the_least_and_the_greatest() -> None:
    lines = drawn("line", [(1, 8), (2, 4), (3, 0)], width=20)
    assert [line.count("█") for line in lines[:8]] == [5, 5, 5, 5, 10, 10, 10, 10]
    assert lines[0].startswith("8 ┤█████")
    assert lines[-1] == "min 0 at 3, max 8 at 1"


def test_hours_without_a_row_are_a_gap_in_the_line() -> None:
    rows = [(HOUR + timedelta(hours=hour), 5) for hour in (0, 1, 3)]
    assert drawn("line", rows, width=7)[0] == "5 ┤██ █"


def test_an_hour_that_the_clock_has_twice_is_two_columns() -> None:
    zone = ZoneInfo("Europe/Berlin")
    begin = datetime(2026, 10, 24, 23, tzinfo=UTC)
    rows = [((begin + timedelta(hours=hour)).astimezone(zone), 5) for hour in range(4)]
    assert drawn("line", rows, width=7)[0] == "5 ┤████"


def test_more_values_than_cells_show_the_greatest_of_each_column() -> None:
    lines = drawn("line", [(n, 9 if n == 500 else 1) for n in range(1_000)], width=53)
    assert lines[0].count("█") == 1
    assert lines[-1] == "a column is the greatest of 20 values"


def test_a_line_below_zero_begins_at_the_least_value() -> None:
    lines = drawn("line", [(date(2026, 1, 1), -4.0), (date(2026, 1, 2), 4.0)], width=14)
    assert lines[8].startswith("-4 ┼")


def test_one_place_of_a_line_is_a_bar() -> None:
    assert drawn("line", [(HOUR, 3)], width=60)[0].endswith("█ 3")


def test_each_series_is_a_sparkline_with_its_greatest_value() -> None:
    rows = [(HOUR, 1, "a"), (HOUR + timedelta(hours=1), 2, "a"), (HOUR + timedelta(hours=1), 900, "b")]
    lines = drawn("line", rows, width=30)
    assert lines[0] == "b       ██████ max 900".replace("      ██████", " " * 6 + "██████")
    assert lines[1].startswith("a ▄▄▄▄▄▄██████ max   2")


def test_a_pie_is_bars_with_their_share() -> None:
    lines = drawn("pie", [("a", 1), ("b", 3)])
    assert [line.split()[-2] for line in lines] == ["75.0", "25.0"]
    assert lines[0].startswith("b ")


def test_rows_of_one_country_are_one_bar() -> None:
    lines = drawn("map", [("DE", 1), ("NL", 1), ("DE", 2), (None, None)])
    assert [line.split()[0] for line in lines] == ["DE", "NL", "NULL"]
    assert "75.0 %" in lines[0]


def test_a_histogram_is_in_the_order_of_its_buckets() -> None:
    lines = drawn("histogram", [(10, 1), (0, 2), (20, 3)])
    assert [line.split("█")[0].strip() for line in lines] == ["0 to 10", "10 to 20", "20 to …"]


def test_shades_differ_without_colours() -> None:
    rows = [(0, 1, 1), (1, 2, 1), (2, 3, 1), (3, 4, 1), (5, 4, 2)]
    lines = drawn("heatmap", rows, width=40)
    assert lines[1].split(maxsplit=1)[1] == "░░░░▒▒▒▒▓▓▓▓████"
    assert lines[2].rstrip().endswith("████")
    assert lines[-1] == "blank: nothing, ░░ to 1, ▒▒ to 2, ▓▓ to 3, ██ to 4"


def test_colours_are_there_only_when_wanted_and_change_no_cell() -> None:
    rows = [(0, 1, 1), (1, 4, 1)]
    plain, coloured = drawn("heatmap", rows), drawn("heatmap", rows, coloured=True)
    assert not any("\x1b" in line for line in plain)
    assert any("\x1b[31m" in line for line in coloured)


def test_a_flow_is_a_tree_of_sources_the_greatest_first() -> None:
    lines = drawn("sankey", [("a", 1, "x"), ("b", 2, "x"), ("b", 3, "y")])
    assert lines[0] == "b 5"
    assert lines[1].startswith("  └─▶ y █")
    assert [line for line in lines if not line.startswith(" ")] == ["b 5", "a 1"]


def test_a_bar_of_a_waterfall_begins_where_by_says() -> None:
    lines = drawn("waterfall", [("a", 10, 0), ("b", 5, 10), ("c", None, 15)], width=40)
    inner = [line.split("│")[1] for line in lines[:3]]
    room = len(inner[0])
    assert inner[0].startswith("█")
    assert inner[1].index("█") == room * 10 // 15
    assert inner[2] == " " * (room - 1) + "▏"


def test_a_timeline_names_each_day_once() -> None:
    rows = [(HOUR + timedelta(hours=30), "late"), (HOUR + timedelta(hours=1), "b"), (HOUR, "a")]
    lines = drawn("timeline", rows)
    assert lines[2:] == [
        "2026-03-29",
        "  06:00:00 ● late",
        "2026-03-28",
        "  01:00:00 ● b",
        "  00:00:00 ● a",
    ]


@pytest.mark.parametrize(
    "kind", ["bar", "line", "pie", "histogram", "heatmap", "sankey", "waterfall", "timeline", "map"]
)
def test_no_value_can_move_the_cursor_or_break_a_line(kind: str) -> None:
    x = 1 if kind in {"line", "histogram"} else HOUR if kind == "timeline" else EVIL
    y: Any = EVIL if kind == "timeline" else 3
    by = 1 if kind == "waterfall" else EVIL
    for line in drawn(kind, [(x, y, by), (x, None, by)]):
        assert not {"\x1b", "\n", "\u202e"} & set(line)
        assert cell_len(line) <= 70


def test_a_kind_that_needs_a_third_column_is_refused_where_there_is_none() -> None:
    with pytest.raises(UsageError, match=r"cannot draw a heatmap: .* needs three"):
        draw(Chart("bar", "x", "y"), ["x", "y"], [("a", 1)], kind="heatmap")


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Chart, Result]]:
    """The chart and the answer of every question: once for all widths."""
    root = tmp_path_factory.mktemp("drawing")
    sample_lake.write(root / "lake", sample_lake.records(), sample_lake.findings(), sample_lake.incidents())
    lake = Lake.open(root / "lake", settings=Settings.load(root, environ={}))
    return {name: (question.chart, lake.run(name, since="all")) for name, question in lake.questions().items()}


@pytest.mark.parametrize("width", [80, 140])
def test_every_question_is_drawn_within_the_terminal(answered: dict[str, tuple[Chart, Result]], width: int) -> None:
    for name, (chart, answer) in answered.items():
        lines = list(draw(chart, answer.columns, answer.rows(), width=width))
        assert bool(lines) == bool(answer.rows())
        assert (name, [line for line in lines if cell_len(line) > width]) == (name, [])
