from __future__ import annotations

import gzip
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.pipeline.samples import access, accesses, java

from logshed.api import Lake
from logshed.errors import FormatError, RedactionError, SettingsError
from logshed.formats import registry
from logshed.pipeline.together import joiner_of, records
from logshed.settings import Drop, Settings
from logshed.sources import files
from logshed.sources.encodings import unescape
from logshed.work import UNTIL_EOF, Split

if TYPE_CHECKING:
    from pathlib import Path


def paths_in(lake: Lake) -> list[str]:
    return [row[0] for row in lake.query('SELECT url_path FROM logs ORDER BY source, generation, "offset"').rows()]


def items(start: int, stop: int) -> list[str]:
    return [f"/item/{number}" for number in range(start, stop)]


def test_a_real_access_log_gives_the_figures_that_were_counted_by_hand(lake: Lake, shared: Path) -> None:
    folder = shared / "truth" / "files" / "apache_logs"
    expected = json.loads((folder / "expected.json").read_text())
    report = lake.ingest([folder / "apache_logs"])
    totals = report.totals
    assert (totals.read, totals.stored, totals.rejected) == (10_000, 9_999, 1)
    count, clients, missing, size = lake.query(
        "SELECT count(*), count(DISTINCT client_address), count(*) FILTER (http_response_status_code = 404), "
        "sum(http_response_body_size) FROM logs WHERE parse_error IS NULL"
    ).rows()[0]
    assert (count, clients, missing) == (9_999, expected["distinct_clients"], expected["status"]["404"])
    assert size == expected["total_bytes"]
    rejected = lake.query(
        'SELECT count(*) FROM lines AS l JOIN lines AS r ON l."offset" < r."offset" WHERE r.parse_error IS NOT NULL'
    )
    assert rejected.rows() == [(expected["unparsed_lines"][0] - 1,)]
    backwards = lake.query(
        'SELECT count(*) FROM (SELECT timestamp < lag(timestamp) OVER (ORDER BY "offset") AS back '
        "FROM logs WHERE parse_error IS NULL) WHERE back"
    )
    assert backwards.rows() == [(expected["out_of_order"],)]
    hours = lake.query(
        "SELECT strftime(timestamp, '%Y-%m-%dT%H'), count(*) FROM logs WHERE parse_error IS NULL GROUP BY 1"
    )
    assert dict(hours.rows()) == expected["requests_per_hour_utc"]


def test_a_second_run_takes_only_what_was_appended(lake: Lake, logs: Path) -> None:
    file = logs / "access.log"
    file.write_text(accesses(0, 10))
    assert lake.ingest([file]).totals.read == 10
    assert lake.ingest([file]).totals.read == 0
    with file.open("a") as handle:
        handle.write(accesses(10, 13))
    assert lake.ingest([file]).totals.read == 3
    assert paths_in(lake) == items(0, 13)


def test_a_last_line_without_a_line_feed_is_left_until_it_has_one(lake: Lake, logs: Path) -> None:
    file = logs / "access.log"
    file.write_text(accesses(0, 3).rstrip("\n"))
    assert lake.ingest([file]).totals.read == 2
    with file.open("a") as handle:
        handle.write("\n" + access(3).rstrip("\n"))
    assert lake.ingest([file]).totals.read == 1
    assert lake.ingest([file], final=True).totals.read == 1
    assert paths_in(lake) == items(0, 4)


def test_a_rotated_file_is_neither_lost_nor_doubled(lake: Lake, logs: Path) -> None:
    file = logs / "access.log"
    file.write_text(accesses(0, 5))
    lake.ingest([logs])
    with file.open("a") as handle:
        handle.write(accesses(5, 8))
    file.rename(logs / "access.log.1")
    file.write_text(accesses(8, 12))
    assert lake.ingest([logs]).totals.read == 7
    assert sorted(paths_in(lake), key=lambda path: int(path[6:])) == items(0, 12)


def test_a_copied_then_truncated_file_is_neither_lost_nor_doubled(lake: Lake, logs: Path) -> None:
    file = logs / "access.log"
    file.write_text(accesses(0, 5))
    lake.ingest([logs])
    (logs / "access.log.1").write_text(accesses(0, 7))
    with file.open("r+") as handle:
        handle.truncate()
        handle.write(accesses(7, 9))
    assert lake.ingest([logs]).totals.read == 4
    (logs / "access.log.1.gz").write_bytes(gzip.compress((logs / "access.log.1").read_bytes()))
    (logs / "access.log.1").unlink()
    assert lake.ingest([logs]).totals.read == 0
    assert sorted(paths_in(lake), key=lambda path: int(path[6:])) == items(0, 9)


def test_every_line_has_one_fate(tmp_path: Path, logs: Path) -> None:
    settings = Settings.load(tmp_path, environ={}).model_copy(
        update={
            "drop": (
                Drop(name="health", match="/item/3 ", source=None, where=None),
                Drop(name="big", match=None, source=None, where="http_response_body_size >= 1008"),
            )
        }
    )
    lake = Lake.open(tmp_path / "dropping", create=True, settings=settings)
    file = logs / "access.log"
    file.write_text(accesses(0, 5) + "no format takes this\n\n" + accesses(5, 10))
    report = lake.ingest([file])
    totals = report.totals
    assert totals.balanced
    assert (totals.read, totals.stored, totals.rejected) == (12, 7, 2)
    assert totals.dropped == {"health": 1, "big": 2}
    assert lake.audit().ok
    assert [row[3] for row in lake.rejects().rows()][1] == "empty line"
    assert "no format takes this" in [row[4] for row in lake.rejects().rows()]


def test_secrets_and_personal_data_are_in_neither_table(lake: Lake, logs: Path) -> None:
    file = logs / "access.log"
    line = access(1, agent="bot ada@example.org").replace("/item/1", "/item/1?token=s3cr3t-t0ken-value")
    file.write_text(line * 3)
    report = lake.ingest([file])
    assert sum(report.totals.redacted.values()) == 6
    for table in ("logs", "lines"):
        text = str(lake.query(f"SELECT * FROM {table}").rows())
        assert "ada@example.org" not in text
        assert "s3cr3t" not in text
        assert "[EMAIL]" in text
    raw = b"".join(file.read_bytes() for file in (lake.root).rglob("*.parquet"))
    assert b"s3cr3t" not in raw


def test_no_policy_keeps_everything(lake: Lake, logs: Path) -> None:
    file = logs / "access.log"
    file.write_text(access(1, agent="bot ada@example.org"))
    lake.ingest([file], policy="none")
    assert lake.query("SELECT user_agent_original FROM logs").rows() == [("bot ada@example.org",)]


def test_a_stack_trace_across_any_split_boundary_is_one_record(tmp_path: Path) -> None:
    file = tmp_path / "shop.log"
    file.write_text(java(0) + java(1, frames=6) + java(2) + java(3, frames=3) + java(4))
    size = file.stat().st_size
    whole = Split("file:shop", str(file), "g", 0, UNTIL_EOF, "java")

    def read(*splits: Split) -> list[tuple[int, str]]:
        found = []
        for split in splits:
            with files.read(split) as reading:
                for frame in records(reading, split, joiner_of(reading, split, registry.load())):
                    found += frame.select("offset", "text").rows()
        return found

    expected = read(whole)
    assert len(expected) == 5
    assert expected[1][1] == java(1, frames=6).rstrip("\n")
    for boundary in range(1, size):
        first = replace(whole, end=boundary, continues=True)
        assert read(first, replace(whole, start=boundary, follows=True)) == expected, boundary


def test_a_file_whose_header_changed_goes_on_with_the_new_one(lake: Lake, logs: Path) -> None:
    file = logs / "site.log"
    file.write_text("#Fields: date time c-ip sc-status\n2026-01-01 10:00:00 192.0.2.1 200\n")
    lake.ingest([str(logs)])
    with file.open("a") as out:
        out.write("#Fields: date time sc-status c-ip\n2026-01-01 10:00:01 404 192.0.2.2\n")
    lake.ingest([str(logs)])
    with file.open("a") as out:
        out.write("2026-01-01 10:00:02 500 192.0.2.3\n")
    lake.ingest([str(logs)])
    rows = lake.query(
        "SELECT client_address, http_response_status_code FROM logs WHERE client_address IS NOT NULL ORDER BY timestamp"
    )
    assert rows.pl().rows() == [("192.0.2.1", 200), ("192.0.2.2", 404), ("192.0.2.3", 500)]


def test_standard_input_is_read(lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.write_text(accesses(0, 4))
    with given.open() as handle:
        monkeypatch.setattr("sys.stdin", handle)
        assert lake.ingest(["-"], final=True).totals.stored == 4
    assert lake.audit().ok


def test_another_standard_input_is_read_after_the_first(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, start, stop in [("first", 0, 4), ("second", 4, 7)]:
        (tmp_path / name).write_text(accesses(start, stop))
        with (tmp_path / name).open() as handle:
            monkeypatch.setattr("sys.stdin", handle)
            assert lake.ingest(["-"], final=True).totals.stored == stop - start
            assert lake.ingest(["-"], final=True).totals.stored == 0
    assert lake.audit().ok


def test_one_bad_file_stops_no_other(lake: Lake, logs: Path) -> None:
    (logs / "good.log").write_text(accesses(0, 3))
    (logs / "cut.log.gz").write_bytes(gzip.compress(accesses(3, 500).encode())[:-400])
    report = lake.ingest([logs / "missing.log", logs / "cut.log.gz", logs / "good.log"])
    missing, cut, good = report.files
    assert missing.error.startswith("cannot")
    assert "missing.log" in missing.error
    assert cut.error
    assert cut.counts.stored > 0
    assert (good.status, good.counts.stored) == ("ingested", 3)
    assert lake.audit().ok


def test_a_wrong_word_is_refused_before_any_work(lake: Lake, logs: Path) -> None:
    (logs / "a.log").write_text(accesses(0, 3))
    with pytest.raises(FormatError, match="apache_combined"):
        lake.ingest([logs], format="apache_combine")
    with pytest.raises(RedactionError):
        lake.ingest([logs], policy="nonsense")
    rule = Drop(name="odd", match=None, source=None, where="no_such_column = 1")
    dropping = Lake(lake.root, lake.settings.model_copy(update={"drop": (rule,)}))
    with pytest.raises(SettingsError, match="odd"):
        dropping.ingest([logs])
    assert lake.query("SELECT count(*) FROM lines").rows() == [(0,)]
    assert lake.ingest([logs]).totals.stored == 3


def test_a_dry_run_writes_nothing(tmp_path: Path, logs: Path) -> None:
    (logs / "a.log").write_text(accesses(0, 3))
    lake = Lake.open(tmp_path / "none", check=False, settings=Settings.load(tmp_path, environ={}))
    assert lake.ingest([logs], dry_run=True).totals.stored == 3
    assert not (tmp_path / "none").exists()


def test_a_line_above_the_limit_is_kept_cut_and_counted(lake: Lake, logs: Path) -> None:
    file = logs / "access.log"
    file.write_text(access(0) + access(1, agent="x" * 3_000_000) + access(2))
    report = lake.ingest([file])
    assert (report.totals.read, report.totals.cut) == (3, 1)
    cut = lake.query("SELECT cut_bytes, length(text) FROM lines WHERE cut_bytes IS NOT NULL").rows()
    assert cut[0][1] == 2**20
    assert cut[0][0] == len(access(1, agent="x" * 3_000_000)) - 1 - 2**20


def test_the_service_and_the_collection_of_the_call_hold(lake: Lake, logs: Path) -> None:
    (logs / "a.log").write_text(access(0))
    lake.ingest([logs], service="shop", collection="c1")
    found = lake.query("SELECT service_name, collection, log_file_path FROM logs").rows()
    assert found == [("shop", "c1", str(logs / "a.log"))]


def test_a_record_with_stray_bytes_is_parsed_and_kept_reversibly(lake: Lake, logs: Path) -> None:
    line = b'{"level": "error", "message": "caf\xe9 \\"ferm\xc3\xa9\\""}'
    (logs / "a.jsonl").write_bytes(line + b"\n")
    assert lake.ingest([logs]).totals.stored == 1
    assert lake.query("SELECT severity_text, body FROM logs").rows() == [("ERROR", 'caf\ufffd "fermé"')]
    text, escaped = lake.query("SELECT text, escaped FROM lines").rows()[0]
    assert escaped
    assert unescape(text) == line


def test_each_failed_password_is_one_failed_login(lake: Lake, examples: Path) -> None:
    tried = (examples / "auth.log").read_text().count("Failed password")
    lake.ingest([examples / "auth.log"])
    found = lake.run("failed_logins", since="2015-05-01", limit=1000)
    assert sum(row[found.columns.index("attempts")] for row in found.rows()) == tried > 0
