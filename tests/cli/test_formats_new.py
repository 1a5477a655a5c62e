from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.pipeline.samples import accesses, java

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

TILLS = "".join(
    f"TILL 2026-11-01T10:00:{number:02d}Z till-{number % 3} 192.0.2.{number} ({'WARN' if number % 5 else 'ERROR'}) "
    f"amount={number * 7} who=\"ada {number}\" said it is {'late' * (number % 2 + 1)} 'again'\n"
    for number in range(40)
)
BARS = "".join(
    f"1762000{number:03d}|shop{number % 4}|{number}|it went well {'so ' * (number % 3)}\n" for number in range(30)
)


@pytest.mark.parametrize("text", [TILLS, BARS, accesses(0, 30), "".join(java(n, frames=n % 3) for n in range(30))])
def test_what_is_proposed_takes_its_lines_and_proves_its_samples(logshed: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "sample.log").write_text(text)
    done = logshed("formats", "new", "sample.log", "-o", "own.toml")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in logshed("convert", "sample.log", "--format", "own.toml").stdout.splitlines()]
    assert rows
    assert not [row for row in rows if "parse_error" in row]
    assert {row["log_format"] for row in rows} == {"own"}
    assert {row["timestamp_source"] for row in rows} <= {"event", "inferred_zone"}


def test_what_is_plain_to_see_gets_its_column(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "till.log").write_text(TILLS)
    (tmp_path / "plugins" / "formats").mkdir(parents=True)
    (tmp_path / "logshed.toml").write_text('plugins = ["plugins"]\n')
    done = logshed("formats", "new", "till.log", "-o", "plugins/formats/till.toml")
    assert done.returncode == 0, done.stderr
    assert logshed("formats", "test", "till").returncode == 0
    first = json.loads(logshed("convert", "till.log", "--format", "till").stdout.splitlines()[1])
    assert (first["client_address"], first["severity_text"]) == ("192.0.2.1", "WARN")
    assert first["attributes"]["amount"] == "7"
    assert first["attributes"]["who"] == "ada 1"
    assert first["body"].startswith("said it is")


def test_the_sample_lines_in_the_file_are_redacted(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(
        "".join(f"2026-11-01 10:00:0{n} mail of ada{n}@example.org came\n" for n in range(9))
    )
    done = logshed("formats", "new", "a.log")
    assert done.returncode == 0, done.stderr
    assert "[EMAIL]" in done.stdout
    assert "example.org" not in done.stdout


def test_an_empty_sample_is_refused(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("\n\n")
    done = logshed("formats", "new", "a.log")
    assert done.returncode == 1
    assert "there is no line in the sample" in done.stderr
