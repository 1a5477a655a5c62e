from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl
import pytest
from tests.pipeline.samples import access, accesses, java

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

PLAIN = '192.0.2.1 - ada [01/Nov/2026:12:00:00 +0000] "GET /a?token=secret HTTP/1.1" 200 5 1200\n'


@pytest.mark.parametrize("ending", ["jsonl", "parquet", "csv"])
def test_every_output_has_the_same_records(logshed: Run, tmp_path: Path, ending: str) -> None:
    (tmp_path / "access.log").write_text(accesses(0, 50) + "nothing takes this\n")
    out = tmp_path / f"out.{ending}"
    done = logshed("convert", "access.log", "-o", out)
    assert done.returncode == 0, done.stderr
    assert "51 rows written" in done.stderr
    read = {"jsonl": pl.read_ndjson, "parquet": pl.read_parquet, "csv": pl.read_csv}[ending]
    rows = read(out)
    assert rows["url_path"].to_list() == [*(f"/item/{number}" for number in range(50)), None]
    assert rows["http_response_status_code"].to_list() == [200] * 50 + [None]
    assert rows["parse_error"].null_count() == 50


def test_records_are_redacted_by_the_policy(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(java(1).replace("failed", "of ada@example.org failed"))
    assert json.loads(logshed("convert", "a.log").stdout)["body"] == "order 1 of [EMAIL] failed"
    assert "ada@example.org" in logshed("convert", "a.log", "--policy", "none").stdout


def test_json_lines_leave_out_what_is_null_and_keep_text_that_looks_like_it(logshed: Run, tmp_path: Path) -> None:
    odd = '{"a":null,"b":null}, "x":null,'
    (tmp_path / "a.jsonl").write_text(json.dumps({"time": "2026-11-01T12:00:00Z", "message": odd, "k": "v"}) + "\n")
    done = logshed("convert", "a.jsonl")
    found = json.loads(done.stdout)
    assert found["body"] == odd
    assert found["attributes"] == {"k": "v"}
    assert None not in found.values()


def test_columns_are_chosen_and_ordered(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(accesses(0, 1))
    done = logshed("convert", "access.log", "--columns", "url_path,client_address", "-o", "o.csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "o.csv").read_text() == "url_path,client_address\n/item/0,192.0.2.1\n"
    assert logshed("convert", "access.log", "--columns", "path").returncode == 2


def test_a_file_that_cannot_be_read_stops_no_other(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(accesses(0, 3))
    done = logshed("convert", "missing.log", "access.log", "-o", "o.jsonl")
    assert done.returncode == 1
    assert "cannot read missing.log" in done.stderr
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == 3
    done = logshed("convert", "missing.log", "-o", "none.jsonl")
    assert done.returncode == 1
    assert not (tmp_path / "none.jsonl").exists()


def test_an_unknown_ending_is_bad_usage(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(accesses(0, 1))
    done = logshed("convert", "access.log", "-o", "out.xlsx")
    assert done.returncode == 2
    assert "its ending tells no format" in done.stderr


def test_standard_input_is_converted(logshed: Run) -> None:
    done = logshed("convert", "-", stdin=accesses(0, 2))
    assert [json.loads(line)["url_path"] for line in done.stdout.splitlines()] == ["/item/0", "/item/1"]


def test_a_log_format_string_says_what_the_fields_are(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(PLAIN)
    (tmp_path / "httpd.conf").write_text('LogFormat "%h %l %u %t \\"%r\\" %>s %b %D" timed\n')
    for given in ('%h %l %u %t "%r" %>s %b %D', "httpd.conf"):
        done = logshed("convert", "a.log", "--log-format", given)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert (found["user_id"], found["duration_ms"]) == ("ada", 1.2)
        assert "secret" not in done.stdout


def test_regex_and_grok_fill_columns_and_attributes(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("192.0.2.1|GET|x\n")
    for words in (
        ("--regex", r"^(?<client_address>[^|]+)\|(?<http_request_method>[A-Z]+)\|(?<kind>.*)$"),
        ("--grok", r"%{IP:client_address}\|%{WORD:http_request_method}\|%{WORD:kind}"),
    ):
        found = json.loads(logshed("convert", "a.log", *words).stdout)
        assert (found["client_address"], found["http_request_method"]) == ("192.0.2.1", "GET")
        assert found["attributes"] == {"kind": "x"}
    assert logshed("convert", "a.log", "--regex", "(").returncode == 1
    assert logshed("convert", "a.log", "--regex", "a", "--grok", "b").returncode == 2


def test_a_format_given_on_the_command_line_survives_in_the_lake(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("192.0.2.1|GET|x\n")
    own = ("--regex", r"^(?<client_address>[^|]+)\|(?<http_request_method>[A-Z]+)\|(?<kind>.*)$")
    done = logshed("ingest", "a.log", *own)
    assert done.returncode == 0, done.stderr
    assert "a.log: regex, 1 lines: 1 stored" in done.stdout
    with (tmp_path / "a.log").open("a") as file:
        file.write("192.0.2.2|GET|y\n")
    assert logshed("ingest", "a.log", *own).returncode == 0
    assert logshed("query", "SELECT client_address FROM logs", "-f", "csv").stdout.split() == [
        "client_address",
        "192.0.2.1",
        "192.0.2.2",
    ]
    assert logshed("audit").returncode == 0
    assert "winner: regex, takes 100.0%" in logshed("formats", "explain", "a.log", *own).stdout


def records(traces: int) -> str:
    """Ten records a trace; every tenth trace has an error in it."""
    lines = []
    for number in range(traces * 10):
        trace = number % traces
        level = "ERROR" if trace % 10 == 0 and number < traces else "INFO"
        one = {"timestamp": "2026-11-01T12:00:00Z", "level": level, "message": f"m{number}", "trace_id": f"t{trace}"}
        lines.append(json.dumps(one))
    return "\n".join(lines) + "\n"


def sampled(path: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in path.read_text().splitlines():
        trace = json.loads(line)["trace_id"]
        found[trace] = found.get(trace, 0) + 1
    return found


def test_a_sample_keeps_errors_and_traces_whole_and_lines_as_they_were(logshed: Run, tmp_path: Path) -> None:
    text = records(100)
    (tmp_path / "app.jsonl").write_text(text)
    done = logshed("sample", "app.jsonl", "-o", "small.jsonl", "--rate", "0.2")
    assert done.returncode == 0, done.stderr
    traces = sampled(tmp_path / "small.jsonl")
    assert set(traces.values()) == {10}
    assert {f"t{number}" for number in range(0, 100, 10)} <= traces.keys()
    assert 15 <= len(traces) <= 45
    assert "10 of 10 errors" in done.stderr
    assert set((tmp_path / "small.jsonl").read_text().splitlines()) <= set(text.splitlines())


def test_a_sample_is_repeated_by_its_seed(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "app.jsonl").write_text(records(50))
    seen = []
    for seed in ("1", "1", "2"):
        words = ("sample", "app.jsonl", "--rate", "0.3", "--errors", "sample", "--seed", seed)
        seen.append(logshed(*words).stdout)
    assert seen[0] == seen[1] != seen[2]


def test_without_errors_kept_the_share_holds(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(accesses(0, 2000))
    done = logshed("sample", "access.log", "--rate", "0.1", "--errors", "sample", "--json", "-o", "s.log")
    report = json.loads(done.stderr)
    assert report["read"] == 2000
    assert 140 < report["kept"] < 260
    assert len((tmp_path / "s.log").read_text().splitlines()) == report["kept"]


def test_records_of_several_lines_and_stray_bytes_come_out_as_they_were(logshed: Run, tmp_path: Path) -> None:
    text = (java(1, frames=3) + java(2)).encode() + java(3).encode().replace(b"failed", b"f\xff\\iled")
    (tmp_path / "app.log").write_bytes(text)
    logshed("sample", "app.log", "-o", "s.log", "--rate", "1")
    assert (tmp_path / "s.log").read_bytes() == text


def test_a_sample_is_redacted(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(access(1, agent="ada@example.org"))
    done = logshed("sample", "access.log", "--rate", "1")
    assert "[EMAIL]" in done.stdout
    assert "ada@" not in done.stdout
