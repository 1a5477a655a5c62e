from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run

COMMANDS = (
    *("ingest", "query", "run", "rejects", "audit", "doctor", "check", "maintain"),
    *("schema", "sample", "convert", "view", "tap"),
    *("verify-redaction", "compliance"),
    *("policy list", "policy show", "policy check", "policy diff"),
    *("key new", "key rotate", "key list", "key find"),
    *("formats list", "formats show", "formats test", "formats explain", "formats new"),
)


def test_the_version_is_told(logshed: Run) -> None:
    assert re.fullmatch(r"logshed \d+\.\d+\.\d+\n", logshed("--version").stdout)


def test_help_names_every_command(logshed: Run) -> None:
    shown = logshed("--help").stdout
    assert all(f"\n  {command.split()[0]}" in shown for command in COMMANDS)


def test_help_loads_nothing_that_is_heavy(logshed: Run) -> None:
    shown = logshed("--help", env={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = set(re.findall(r"\| +(\w+)$", shown.stderr, re.MULTILINE))
    assert loaded & {"typer", "polars", "duckdb", "pyarrow", "pyiceberg", "pydantic", "structlog", "numpy"} == {"typer"}


def test_selecting_one_loads_neither_the_lake_nor_polars(logshed: Run) -> None:
    shown = logshed("query", "select 1 as one", env={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = set(re.findall(r"\| +(\w+)$", shown.stderr, re.MULTILINE))
    assert shown.stdout == "one\n───\n  1\n"
    assert not loaded & {"pyiceberg", "polars", "sqlglot", "structlog", "pandas"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_the_log_level_and_explains_it(logshed: Run, command: str) -> None:
    shown = logshed(*command.split(), "--help", "-v", "--log-level", "debug").stdout
    assert "-v, --verbose" in shown
    assert "--log-level" in shown


def test_an_unknown_command_is_bad_usage_and_the_nearest_is_named(logshed: Run) -> None:
    done = logshed("ingst", "a.log")
    assert done.returncode == 2
    assert "ingest" in done.stderr


def test_an_unknown_setting_stops_a_command_as_bad_usage(logshed: Run) -> None:
    done = logshed("formats", "list", env={"LOGSHED_WORKERS": "many"})
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot use the environment: LOGSHED_WORKERS: ")
    assert "Traceback" not in done.stderr


def test_debug_shows_where_an_error_came_from(logshed: Run) -> None:
    done = logshed("query", "select 1 from logs", "--log-level", "debug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "error: cannot " in done.stderr


def test_a_reader_that_leaves_early_is_no_failure_to_tell_of(environment: dict[str, str]) -> None:
    words = [sys.executable, "-m", "logshed", "query", "select unnest(range(1000000)) as n", "--format", "csv"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"n\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
