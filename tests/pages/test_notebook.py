from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from tests.pages.conftest import EVIL, NOW, SINCE, UNTIL
from tests.queries import sample_lake

from logshed.api import Lake
from logshed.errors import QueryError
from logshed.pages.notebook import NOTHING, html, svg
from logshed.queries import Chart, load
from logshed.settings import Settings
from logshed.sql.result import of_frame

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"


def test_a_named_question_shows_its_chart_and_its_rows(tmp_path: Path) -> None:
    sample_lake.write(tmp_path / "lake", sample_lake.records(), sample_lake.findings(), sample_lake.incidents())
    lake = Lake.open(tmp_path / "lake", settings=Settings())
    for name, question in load().items():
        result = lake.run(name, since=SINCE, until=UNTIL, now=NOW)
        shown = result._repr_html_()
        assert f"<strong>{question.title}</strong>" in shown
        assert ("<svg" in shown) == (question.chart is not None and len(result) > 0)
        assert f"{len(result):,} row" in shown
    shown = lake.query("SELECT count(*) AS n FROM logs")._repr_html_()
    assert "<svg" not in shown
    assert f">{len(sample_lake.records()):,}</td>" in shown


def test_bars_are_as_long_as_their_figures_and_the_greatest_comes_first() -> None:
    rows = pl.DataFrame({"path": ["/a", "/b", None], "requests": [1, 4, 2]})
    drawn = ET.fromstring(svg(rows, Chart("bar", "path", "requests")))  # noqa: S314 - our own
    widths = [float(bar.attrib["width"]) for bar in drawn.iter(f"{SVG}rect")]
    assert widths == [widths[0], widths[0] / 2, widths[0] / 4]
    assert [text.text for text in drawn.iter(f"{SVG}text")] == ["/b", "4", NOTHING, "2", "/a", "1"]


def test_columns_stand_at_their_times() -> None:
    hours = [datetime(2024, 5, 1, hour, tzinfo=UTC) for hour in (0, 1, 3)]
    rows = pl.DataFrame({"hour": hours, "n": [10, 5, 0]})
    drawn = ET.fromstring(svg(rows, Chart("line", "hour", "n")))  # noqa: S314 - our own
    columns = [(float(one.attrib["x"]), float(one.attrib["height"])) for one in drawn.iter(f"{SVG}rect")]
    assert columns[1][1] == columns[0][1] / 2
    assert columns[2][1] == 0
    assert columns[2][0] - columns[0][0] == pytest.approx(3 * (columns[1][0] - columns[0][0]), abs=0.2)


def test_hostile_values_are_text() -> None:
    rows = pl.DataFrame({"<b>": [EVIL], "n": [1]})
    shown = html(rows, Chart("bar", "<b>", "n"), EVIL)
    assert "<img" not in shown
    assert "<script" not in shown
    assert "<b>" not in shown


def test_long_answers_are_cut_and_say_so() -> None:
    shown = html(pl.DataFrame({"n": range(1_234)}))
    assert shown.count("<tr>") == 51
    assert "1,234 rows, the first 50 are shown" in shown


def test_an_answer_goes_to_polars_pandas_and_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    result = of_frame(pl.DataFrame({"n": [1, 2]}))
    assert result.pl()["n"].to_list() == [1, 2]
    assert result.arrow()["n"].to_pylist() == [1, 2]
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(QueryError, match="pandas is not installed; pip install pandas"):
        result.df()
    monkeypatch.undo()
    pytest.importorskip("pandas", reason="needs pandas, which the extra `clickhouse` brings")
    assert result.df()["n"].tolist() == [1, 2]
