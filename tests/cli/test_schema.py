from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.pipeline.samples import accesses

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


def write(path: Path) -> None:
    lines = []
    for number in range(100):
        one = {"timestamp": "2026-11-01T12:00:00Z", "message": f"m{number}", "http": {"status": 200 + number % 3}}
        if number % 2:
            one |= {"service": "web", "items": [{"sku": "a"}, {"sku": "b"}], "user": "ada@example.org"}
        one["odd"] = number if number % 2 else str(number)
        lines.append(json.dumps(one))
    path.write_text("\n".join(lines) + "\n")


def test_fields_are_told_with_share_types_and_values(logshed: Run, tmp_path: Path) -> None:
    write(tmp_path / "app.jsonl")
    done = logshed("schema", "app.jsonl")
    assert done.returncode == 0, done.stderr
    lines = dict(line.split(None, 1) for line in done.stdout.splitlines()[2:])
    assert lines["timestamp"].startswith("100.0% (str)  1 distinct: ")
    assert lines["http"] == "100.0% (dict)"
    assert lines["http.status"] == "100.0% (int)  3 distinct: 200, 201, 202"
    assert lines["items[].sku"].startswith("50.0% (str)  2 distinct: a, b")
    assert lines["odd"].startswith("100.0% (str, int)  100 distinct")
    assert lines["user"] == "50.0% (str)  1 distinct: [EMAIL]"


def test_required_fields_decide_the_exit_code(logshed: Run, tmp_path: Path) -> None:
    write(tmp_path / "app.jsonl")
    done = logshed("schema", "app.jsonl", "--require", "timestamp,message")
    assert done.returncode == 0
    assert done.stdout.endswith("All required fields present\n")
    done = logshed("schema", "app.jsonl", "--require", "timestamp,service,nothing")
    assert done.returncode == 1
    assert done.stdout.endswith(
        "Missing: service is in 50.0% of the records\nMissing: nothing is in 0.0% of the records\n"
    )


def test_text_logs_have_our_columns_and_their_usual_names(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(accesses(0, 50))
    done = logshed("schema", "access.log", "--require", "timestamp,url_path,status,client_ip", "--json")
    assert done.returncode == 0, done.stdout
    found = json.loads(done.stdout)
    assert found["missing"] == []
    assert found["fields"]["http_response_status_code"]["types"] == {"int": 50}
    assert found["fields"]["timestamp"]["types"] == {"timestamp": 50}
    assert "source" not in found["fields"]


def test_json_inside_an_envelope_is_seen_through_it(logshed: Run, tmp_path: Path) -> None:
    inner = json.dumps({"level": "INFO", "message": "hi", "deep": {"er": 1}})
    line = json.dumps({"log": inner + "\n", "stream": "stdout", "time": "2026-11-01T12:00:00Z"})
    (tmp_path / "c-json.log").write_text((line + "\n") * 20)
    found = json.loads(logshed("schema", "c-json.log", "--json").stdout)
    assert found["fields"]["deep.er"]["types"] == {"int": 20}


def test_a_json_schema_comes_out(logshed: Run, tmp_path: Path) -> None:
    write(tmp_path / "app.jsonl")
    found = json.loads(logshed("schema", "app.jsonl", "--json-schema").stdout)
    assert found["required"] == ["timestamp", "message", "http", "odd"]
    assert found["properties"]["http"]["properties"]["status"] == {"type": "integer"}
    assert found["properties"]["items"]["items"]["properties"]["sku"] == {"type": "string"}
    assert found["properties"]["odd"]["type"] == ["integer", "string"]


def test_so_many_records_are_looked_at_in_all(logshed: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.log").write_text(accesses(0, 500) + accesses(ord(name), ord(name) + 1))
    found = json.loads(logshed("schema", "a.log", "b.log", "--samples", "100", "--json").stdout)
    assert found["records"] == 100


def test_a_long_file_is_looked_at_in_three_places(logshed: Run, tmp_path: Path) -> None:
    late = json.dumps({"timestamp": "2026-11-01T12:00:00Z", "message": "late", "only_late": 1}) + "\n"
    early = json.dumps({"timestamp": "2026-11-01T12:00:00Z", "message": "x" * 200}) + "\n"
    (tmp_path / "app.jsonl").write_text(early * 15_000 + late * 15_000)
    found = json.loads(logshed("schema", "app.jsonl", "--samples", "300", "--json").stdout)
    assert found["records"] == 300
    assert 0 < found["fields"]["only_late"]["share"] < 1
