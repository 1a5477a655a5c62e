from __future__ import annotations

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.pages.conftest import NOW, PAGES, SINCE, UNTIL
from tests.queries import sample_lake

from logshed import dashboards
from logshed.api import Lake
from logshed.errors import ReportError, UsageError
from logshed.pipeline.report_answers import LONGEST_TEXT, label, plain
from logshed.pipeline.report_days import MOST_ROWS, trimmed
from logshed.pipeline.report_files import replaced, summary
from logshed.settings import Settings

FILES = [*(f"{name}.html" for name in PAGES), "log_summary.txt", "report.json"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    root = tmp_path_factory.mktemp("report") / "lake"
    sample_lake.write(root, sample_lake.records(), sample_lake.findings(), sample_lake.incidents())
    return Lake.open(root, settings=Settings())


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """What ``told`` asked the lake."""
    return []


@pytest.fixture(scope="module")
def told(lake: Lake, asked: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("made") / "out"
    lake.report(folder, since=SINCE, until=UNTIL, collection="web", now=NOW, progress=asked.append)
    return folder, orjson.loads((folder / "report.json").read_bytes())


def test_a_report_has_all_its_files_and_they_say_what_they_are_of(told: tuple[Path, dict[str, Any]]) -> None:
    folder, report = told
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert report["files"] == FILES
    meta = report["meta"]
    assert (meta["since"], meta["until"]) == ("2024-04-01T00:00:00+00:00", "2024-05-09T00:00:00+00:00")
    assert (meta["zone"], meta["collection"], meta["made"]) == ("UTC", "web", "2024-05-10T00:00:00+00:00")
    text = (folder / "traffic_patterns.html").read_text("utf-8")
    for said in (
        "2024-04-01 00:00 to 2024-05-09 00:00",
        "Collection web",
        "Made 2024-05-10 00:00 UTC",
        meta["snapshot"],
    ):
        assert said in text


def test_the_json_holds_the_answers_of_the_questions(told: tuple[Path, dict[str, Any]], lake: Lake) -> None:
    options = {"since": SINCE, "until": UNTIL, "collection": "web", "now": NOW}
    frames: dict[str, pl.DataFrame] = {}
    for page in told[1]["pages"]:
        for panel in page["panels"]:
            answer = page["answers"][panel["answer"]]
            name = str((answer["question"], answer["params"]))
            if name not in frames:
                frames[name] = lake.run(answer["question"], **options, **answer["params"]).pl()
            frame = frames[name]
            assert [column["name"] for column in answer["columns"]] == frame.columns
            assert answer["data"] == [orjson.loads(orjson.dumps(list(plain(frame[name])))) for name in frame.columns]


def test_the_summary_counts_events_by_kind_and_names_the_five_most_frequent_types(
    told: tuple[Path, dict[str, Any]], lake: Lake
) -> None:
    text = (told[0] / "log_summary.txt").read_text("utf-8")
    scope: dict[str, Any] = {"since": SINCE, "until": UNTIL, "collection": "web", "now": NOW}
    ((_, application, security, *_),) = lake.run("overview", **scope).rows()
    assert f"Application events processed:  {application:>15,}\n" in text
    assert f"Security events processed:     {security:>15,}\n" in text
    types = lake.run("event_types", **scope, limit=5).rows()
    said = [line.split() for line in text.split("Top five event types:\n")[1].splitlines()]
    assert [(" ".join(words[1:-1]), int(words[-1].replace(",", ""))) for words in said] == [row[:2] for row in types]


def test_a_report_takes_the_place_of_an_older_one_and_leaves_what_is_not_its_own(lake: Lake, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    lake.report(folder, since=SINCE, until=UNTIL, now=NOW, pages=["compliance", "error_breakdown"])
    (folder / "note.txt").write_text("mine")
    lake.report(folder, since=SINCE, until=UNTIL, now=NOW, pages=["compliance"])
    wanted = ["compliance.html", "log_summary.txt", "note.txt", "report.json"]
    assert sorted(path.name for path in folder.iterdir()) == wanted
    assert (folder / "note.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_something_else_is_left_alone(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("[]")
    with pytest.raises(ReportError, match="it holds something else than a report; name an empty folder"):
        lake.report(tmp_path, since=SINCE)
    assert (tmp_path / "report.json").read_text() == "[]"
    (tmp_path / "file").touch()
    with pytest.raises(ReportError, match="cannot write the report to"):
        lake.report(tmp_path / "file", since=SINCE)


def test_an_older_report_is_whole_where_the_new_one_cannot_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    replaced(folder, {"a.html": b"old", "report.json": b'{"files": ["a.html", "report.json"]}'})
    with pytest.raises(ReportError, match="cannot write the report"):
        replaced(folder, {"no/such/folder.html": b"new"})
    assert (folder / "a.html").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_several_reports_into_one_folder_at_once_come_one_after_the_other(tmp_path: Path) -> None:
    for number in range(30):  # before it was mended, a third of them failed, and at times what lay there was lost
        folder, start = tmp_path / str(number) / "out", Barrier(3)
        replaced(folder, {"report.json": b'{"files": ["report.json"]}'})
        (folder / "note.txt").write_text("mine")

        def put(name: str, folder: Path = folder, start: Barrier = start) -> tuple[Path, ...]:
            start.wait(30)
            return replaced(folder, {name: b"x", "report.json": f'{{"files": ["{name}", "report.json"]}}'.encode()})

        with ThreadPoolExecutor(3) as pool:
            assert len(list(pool.map(put, "abc"))) == 3
        (name,) = {path.name for path in folder.iterdir()} - {"note.txt", "report.json"}
        assert name in "abc"
        assert (folder / "note.txt").read_text() == "mine"
        assert [path.name for path in folder.parent.iterdir()] == ["out"]


def test_an_interrupt_leaves_the_older_report_as_it_was(
    lake: Lake, tmp_path: Path, environment: dict[str, str]
) -> None:
    folder = tmp_path / "out"
    lake.report(folder, since=SINCE, until=UNTIL, now=NOW, pages=["compliance"])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    words = [sys.executable, "-m", "logshed", "report", "--lake", str(lake.root), "--since", "all", "-o", str(folder)]
    with subprocess.Popen(words, env=environment, stderr=subprocess.PIPE) as running:
        until = time.monotonic() + 30
        while "duckdb" not in Path(f"/proc/{running.pid}/maps").read_text():
            assert time.monotonic() < until, "it has not begun to ask"
            time.sleep(0.1)
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("options", "kind", "says"),
    [
        ({"pages": ["trafic_patterns"]}, ReportError, "there is none; did you mean traffic_patterns?"),
        ({"since": "today", "until": "yesterday"}, UsageError, "it would end before it begins"),
        ({"since": "soon"}, UsageError, "cannot read the time 'soon'"),
        ({"timezone": "Mars/Base"}, UsageError, "cannot use the time zone 'Mars/Base'"),
        ({"email": "ops"}, ReportError, "there is no such destination; add a table \\[\\[alert\\]\\]"),
    ],
)
def test_what_cannot_be_made_is_told(
    options: dict[str, Any], kind: type[Exception], says: str, lake: Lake, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=says):
        lake.report(tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_without_a_browser_there_is_no_pdf_and_it_is_told(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ReportError, match="there is no chromium or Chrome; install one"):
        lake.report(tmp_path / "out", pdf=True)


def test_a_page_of_ones_own_stands_beside_ours(lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "dashboards").mkdir()
    (tmp_path / "dashboards" / "mine.toml").write_text(
        'title = "Mine <b>"\ndescription = "D."\norder = 5\n'
        '[[panels]]\ntitle = "Paths"\nquestion = "top_paths"\nwhat = "requests"\nparams = { limit = 3 }\n'
    )
    own = Lake.open(lake.root, settings=Settings(plugins=(tmp_path,)))
    made = own.report(tmp_path / "out", since=SINCE, until=UNTIL, now=NOW, pages=["mine", "commerce"])
    assert [path.name for path in made.pages] == ["mine.html", "commerce.html"]
    text = made.pages[1].read_text("utf-8")
    assert 'href="mine.html"' in text
    assert "Mine &lt;b&gt;" in text


@pytest.mark.usefixtures("told")
def test_a_question_is_asked_once_however_many_panels_show_it(asked: list[str]) -> None:
    pages = [page for page in dashboards.load().values() if page.shown != "web"]
    distinct = {(one.question, str(one.params)) for page in pages for one in page.questions()}
    assert len(distinct) <= len(asked) <= len(distinct) + 1


def test_the_summary_holds_nothing_that_a_terminal_obeys() -> None:
    meta = {"window_text": "w", "zone": "UTC", "collection": None, "made_text": "m"}
    types = pl.DataFrame({"event": ["a\n\x1b[2Jb\u202e" + "x" * 500], "events": [1]})
    (line,) = [line for line in summary(meta, pl.DataFrame(), types).splitlines() if line.startswith("  1. ")]
    assert line.isprintable()
    assert line.startswith("  1. a \N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}xxx")
    assert len(line) < 110


def test_a_day_begins_where_the_clock_jumps_over_midnight(tmp_path: Path) -> None:
    jump = datetime(2018, 11, 4, 3, tzinfo=UTC)  # Brazil's clocks went from 0:00 to 1:00
    sample_lake.write(
        tmp_path / "lake", [sample_lake.record(1, jump), sample_lake.record(2, jump - timedelta(seconds=1))]
    )
    lake = Lake.open(tmp_path / "lake", settings=Settings())
    lake.report(tmp_path / "out", since="all", timezone="America/Sao_Paulo", now=NOW, pages=["commerce"])
    days = orjson.loads((tmp_path / "out" / "report.json").read_bytes())["meta"]["days"]
    assert days == [["2018-11-03", 1_541_214_000_000], ["2018-11-04", int(jump.timestamp() * 1000)]]


def test_values_are_what_json_has() -> None:
    when = datetime(2024, 5, 1, 12, tzinfo=UTC)
    assert plain(pl.Series([when, None], dtype=pl.Datetime("us", "UTC"))) == [1_714_564_800_000, None]
    assert plain(pl.Series([date(2024, 5, 1)])) == ["2024-05-01"]
    assert plain(pl.Series([1.5, float("nan"), float("inf"), None])) == [1.5, None, None, None]
    assert plain(pl.Series([["a"], None])) == ['["a"]', None]
    (long, short) = plain(pl.Series(["x" * 1_000, "y"]))
    assert (len(long), long[-1], short) == (LONGEST_TEXT, "\N{HORIZONTAL ELLIPSIS}", "y")
    assert label("http_status") == "HTTP Status"


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(100, 9_000))
def test_figures_by_day_add_up_to_all_there_are_whatever_is_left_out(seed: int, days: int, labels: int) -> None:
    dice = np.random.default_rng(seed)
    drawn = pl.DataFrame({"day": dice.integers(0, days, 20_000), "what": dice.integers(0, labels, 20_000)})
    day = pl.date(2024, 5, 1) + pl.duration(days=pl.col("day"))
    frame = drawn.with_columns(day=day).group_by("day", "what", maintain_order=True).agg(n=pl.len())
    kept, left = trimmed(frame, "day", ["what"], "n")
    gone = frame.join(kept, on=["day", "what"], how="anti")
    if frame.height <= MOST_ROWS:
        assert gone.is_empty()
        assert left == {}
        return
    assert kept["n"].sum() + sum(row[2] for row in left["rest"]) == frame["n"].sum()
    cuts = dict(left["cut"])
    assert all(n <= cuts[when.isoformat()] for when, _, n in gone.iter_rows())
    assert not set(gone["what"]) & set(kept["what"])
