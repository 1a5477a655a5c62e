"""Records made anew are what an ingest with the right format makes, whatever runs beside and wherever it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from tests.pipeline.samples import accesses, java
from tests.pipeline.test_rejects import TILLS, with_format

from logshed.api import Lake
from logshed.errors import CommitConflictError, FormatError
from logshed.formats import registry
from logshed.lake import steps
from logshed.lake.names import LINES, LOGS
from logshed.lake.scan import iceberg_files, paths
from logshed.lake.steps import REPARSE_STEPS
from logshed.pipeline import reparse as verb
from logshed.pipeline import reparse_slices
from logshed.pipeline.rejoining import PLACE, rejoined
from logshed.settings import Settings

if TYPE_CHECKING:
    from tests.started import Starter

ROOT = Path(__file__).parents[2]
RECORDS = "SELECT * EXCLUDE (batch, observed_timestamp) FROM logs WHERE source LIKE '%{}%' ORDER BY source, \"offset\""
TELLING_STEPS = ("before reparse commit", "after reparse commit")
"""Where what is left to do differs; `-m soak` tries all steps."""
SHOP = "".join(java(number, frames=number % 3) for number in range(30))


def opened(root: Path, *, create: bool = False) -> Lake:
    return Lake.open(root, create=create, settings=Settings.load(root.parent, environ={}))


def rows(lake: Lake, name: str) -> pl.DataFrame:
    return lake.query(RECORDS.format(name)).pl()


def whole(lake: Lake) -> bool:
    return lake.audit().ok


def files_of(lake: Lake) -> dict[str, set[str]]:
    store = lake._opened()
    return {table.short: set(paths(iceberg_files(store.table(table)))) for table in (LINES, LOGS)}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake whose Java log was read line by line, and one that was right from the beginning."""
    folder = tmp_path_factory.mktemp("reparse")
    (folder / "access.log").write_text(accesses(0, 30))
    (folder / "shop.log").write_text(SHOP)
    wrong, right = (opened(folder / name, create=True) for name in ("lake", "right"))
    wrong.ingest([folder / "access.log"], format="apache_combined")
    wrong.ingest([folder / "shop.log"], format="logfmt")
    right.ingest([folder / "shop.log"], format="java")
    wrong.aggregate(["errors_hourly"])
    shutil.copytree(folder / "lake", folder / "kept")
    return folder


@pytest.fixture
def lake(template: Path) -> Lake:
    """The wrong one, as new."""
    shutil.rmtree(template / "lake")
    shutil.copytree(template / "kept", template / "lake")
    return opened(template / "lake")


def test_records_are_made_anew_as_an_ingest_with_the_right_format_makes_them(lake: Lake, template: Path) -> None:
    others = rows(lake, "access.log")
    assert rows(lake, "shop.log")["parse_error"].null_count() == 0
    (told,) = lake.reparse("all", dry_run=True)
    assert rows(lake, "shop.log")["parse_error"].null_count() == 0
    (done,) = lake.reparse("all")
    assert told.as_dict() | {"seconds": 0} == done.as_dict() | {"seconds": 0}
    assert (done.rows, done.errors, done.joined) == ([110, 60], [80, 0], 50)
    assert done.formats == {("apache_combined", "apache_combined"): 30, ("logfmt", "java"): 80}
    assert done.columns["exception_stacktrace"] == (0, 20)
    again, right = opened(lake.root), opened(template / "right")
    assert rows(again, "shop.log").equals(rows(right, "shop.log"))
    assert rows(again, "access.log").equals(others)
    texts = "SELECT text, line_count, format FROM lines WHERE source LIKE '%shop%' ORDER BY \"offset\""
    assert again.query(texts).rows() == right.query(texts).rows()
    assert whole(again)
    (last,) = again.reparse("all", dry_run=True)
    assert (last.columns, last.joined, last.rows[0]) == ({}, 0, last.rows[1])
    ((target, outcome, details),) = again.query(
        "SELECT target, outcome, details FROM audit ORDER BY sequence LIMIT 1"
    ).rows()
    assert (target.split()[0], outcome, json.loads(details)["did"][0]["joined"]) == ("lines", "ok", 50)


def test_a_file_that_grows_goes_on_behind_what_was_made_anew(lake: Lake, template: Path) -> None:
    lake.reparse("all")
    try:
        with (template / "shop.log").open("a") as file:
            file.write(java(31, frames=2))
        lake.ingest([template / "shop.log"])
    finally:
        (template / "shop.log").write_text(SHOP)
    assert whole(opened(lake.root))
    assert rows(lake, "shop.log").height == 31


def test_gold_days_that_were_left_and_reached_are_aggregated_anew(lake: Lake) -> None:
    lake.reparse("all")
    (done,) = lake.aggregate(["errors_hourly"])
    assert done.days == 2  # the day of the ingest, which has no errors any more, and that of the log
    wanted = "SELECT count(*) FROM logs WHERE severity_number >= 17"
    assert lake.query("SELECT sum(errors) FROM errors_hourly").rows() == lake.query(wanted).rows() == [(30,)]
    (done,) = lake.aggregate(["errors_hourly"])
    assert done.days == 0


def test_what_others_commit_and_compact_meanwhile_is_there_once(
    lake: Lake, template: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    left = iter(["ingest", "compact"])

    def passed(name: str) -> None:
        if name == "before reparse commit" and (what := next(left, "")):
            monkeypatch.setattr(steps, "passed", lambda _: None)
            other = opened(lake.root)
            (tmp_path / f"{what}.log").write_text(accesses(40, 50))
            for number in range(3 if what == "compact" else 1):  # with those that are there five files
                with (tmp_path / f"{what}.log").open("a") as file:
                    file.write(accesses(50 + number, 51 + number))
                other.ingest([tmp_path / f"{what}.log"], format="apache_combined")
            other.maintain(["compact"] if what == "compact" else ["expire"])
            monkeypatch.setattr(steps, "passed", passed)

    monkeypatch.setattr(steps, "passed", passed)
    lake.reparse("all")
    assert next(left, "") == ""
    again = opened(lake.root)
    assert whole(again)
    assert rows(again, "shop.log").equals(rows(opened(template / "right"), "shop.log"))
    assert again.query("SELECT count(*) FROM logs").rows() == [(60 + 11 + 13,)]


def test_files_that_others_rewrite_again_and_again_are_told_and_nothing_is_changed(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_of(lake)

    def passed(name: str) -> None:
        if name == "before reparse commit":
            monkeypatch.setattr(steps, "passed", lambda _: None)
            opened(lake.root).reparse("all")
            monkeypatch.setattr(steps, "passed", passed)

    monkeypatch.setattr(steps, "passed", passed)
    monkeypatch.setattr(verb, "TRIES", 1)
    with pytest.raises(CommitConflictError, match="other processes keep rewriting its files; run it again"):
        lake.reparse("all")
    monkeypatch.undo()
    again = opened(lake.root)
    assert whole(again)
    assert files_of(again) != before
    data = again.root / "warehouse/silver/logs/data"
    named = {str(path) for path in data.rglob("*.parquet")}
    assert len([path for path in named - files_of(again)["logs"] if "reparse-" in path]) <= 2 * 3


@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_runs_killed_one_after_the_other_lose_nothing_and_the_last_one_finishes(
    lake: Lake, template: Path, starter: Starter, tmp_path: Path, *, every: bool
) -> None:
    told = tmp_path / "told"
    environment = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    for step in REPARSE_STEPS if every else TELLING_STEPS:
        with told.open("ab") as output, Path(os.devnull).open("rb") as nothing:
            files = [nothing.fileno(), output.fileno(), output.fileno()]
            words = [str(lake.root), step]
            killed = starter.start(words, ROOT, environment, files, module="tests.pipeline.killed_reparse")
            assert killed.wait(60) == -signal.SIGKILL, (step, told.read_text())
        count = opened(lake.root).query("SELECT count(*), count(DISTINCT record_id) FROM logs").rows()
        assert count == ([(110, 110)] if step in REPARSE_STEPS[:2] else [(60, 60)]), step
    opened(lake.root).reparse("all")
    again = opened(lake.root)
    assert whole(again)
    assert rows(again, "shop.log").equals(rows(opened(template / "right"), "shop.log"))


def test_a_format_that_was_added_is_found_and_what_it_tells_is_hidden_in_both_tables(
    tmp_path: Path, logs: Path
) -> None:
    (tmp_path / "own.toml").write_text('title = "t"\nextends = "default"\n[columns]\nuser_id = "tag"\n')
    settings = Settings.load(tmp_path, environ={}).model_copy(update={"policy": str(tmp_path / "own.toml")})
    lake = Lake.open(tmp_path / "lake", create=True, settings=settings)
    (logs / "tills.log").write_text(TILLS)
    lake.ingest([logs])
    assert lake.query("SELECT count(*) FROM lines WHERE text LIKE '%ada%'").rows() == [(5,)]
    lake = with_format(lake, tmp_path)
    form = tmp_path / "own" / "formats" / "till.toml"
    form.write_text(form.read_text().replace("[a-z]+", "[^ ]+"))
    assert lake.reparse("all", collections=["other"]) == lake.reparse("all", source="*shop*") == []
    (done,) = lake.reparse("all", source="*tills*", collections=["default"])
    assert (done.errors, done.columns["user_id"]) == ([5, 0], (0, 5))
    assert lake.query("SELECT DISTINCT user_id, log_format FROM logs").rows() == [("[USER_ID]", "till")]
    assert lake.query("SELECT count(*) FROM lines WHERE text LIKE '%ada%'").rows() == [(0,)]
    assert whole(lake)


def test_findings_are_made_of_what_rules_see_now_and_none_twice(tmp_path: Path, logs: Path) -> None:
    lake = Lake.open(tmp_path / "lake", create=True, settings=Settings.load(tmp_path, environ={}))
    agent = '192.0.2.9 - - [05/Jan/2026:10:{:02d}:00 +0000] "GET /p{} HTTP/1.1" 200 5 "-" "sqlmap/1.7"\n'
    (logs / "seen.log").write_text("".join(agent.format(minute, minute) for minute in range(3)))
    (logs / "unseen.log").write_text("".join(agent.format(minute, minute) for minute in range(3, 9)))
    lake.ingest([logs / "seen.log"])
    lake.ingest([logs / "unseen.log"], format="logfmt")
    sql = "SELECT finding_id, event_count FROM findings WHERE actor = '192.0.2.9' ORDER BY rule_name"
    lake.security.detect(["web_scanner_agent"])
    before = lake.query(sql).rows()
    assert {count for _, count in before} == {3}
    lake.reparse("all")
    assert len(lake.security.detect(["web_scanner_agent"]).findings) == len(before)
    assert lake.query(sql).rows() == [(finding, 9) for finding, _ in before]
    lake.reparse("all")
    assert lake.security.detect(["web_scanner_agent"]).findings.is_empty()


def test_a_large_source_is_read_in_slices_and_no_record_is_cut(
    lake: Lake, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reparse_slices, "SLICE_ROWS", 7)
    lake.reparse("all", format="java", source="*shop.log")
    assert rows(lake, "shop.log").equals(rows(opened(template / "right"), "shop.log"))
    assert whole(lake)


def test_lines_are_joined_only_to_what_a_format_takes_and_cut_where_another_record_begins() -> None:
    forms = [registry.find("java", registry.load())]
    trace = java(1, frames=2).rstrip("\n")
    texts = [trace.split("\n")[0], "\n".join(trace.split("\n")[1:]), f"{trace}\n{java(2)[:-1]}", "alone"]
    lines = pl.DataFrame({"text": texts, "offset": [0, 9, 99, 999], "line_count": [1, 3, 5, 1]}).with_columns(
        redaction_count=pl.lit(1, pl.Int32), cut_bytes=pl.lit(None, pl.Int64), escaped=pl.lit(None, pl.Boolean)
    )
    joined, records = rejoined(
        lines, forms, lambda some: some["text"].str.starts_with("2026") & ~some["text"].str.contains("alone")
    )
    assert joined.select("text", "offset", "line_count").rows() == [
        (trace, 0, 4),
        (texts[2], 99, 5),
        ("alone", 999, 1),
    ]
    assert records.select("text", PLACE).rows() == [(trace, 0), (trace, 1), (java(2)[:-1], 1), ("alone", 2)]


def test_an_unknown_format_and_a_time_without_lines_are_told(lake: Lake) -> None:
    with pytest.raises(FormatError, match="there is none of that name"):
        lake.reparse("all", format="jawa")
    assert lake.reparse("all", "2020-01-01") == []
