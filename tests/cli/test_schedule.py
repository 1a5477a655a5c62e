"""``logshed schedule`` runs what is due, also after it was killed, and tells what came of it."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.main import get_command

from logshed.api import Lake
from logshed.cli.app import app
from logshed.schedule_settings import VERBS
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.started import Process, Starter

    from conftest import Run

RARE = "0 0 1 1 *"
RUN = """
[[schedule]]
name = "{name}"
cron = "{cron}"
run = '''{run}'''
"""
SUPPOSED = "cost --events-per-day 1 --bytes-per-event 1"
AUDIT = "SELECT target, outcome, details FROM audit WHERE verb = 'schedule' ORDER BY target"


def planned(folder: Path, policy: str = "none", **runs: str) -> None:
    """Runs of a rare time that has passed twice, in a lake that is there."""
    text = "".join(RUN.format(name=name, cron=RARE, run=run) for name, run in runs.items())
    (folder / "logshed.toml").write_text(f'policy = "{policy}"\n{text}')
    lake = Lake.open(folder / "logshed-lake", create=True, settings=Settings.load(folder, environ={}))
    (lake.root / "schedule").mkdir()
    for name in runs:
        state = {"cron": RARE, "zone": "UTC", "due": "2024-06-01T00:00:00+00:00"}
        (lake.root / "schedule" / f"{name}.json").write_text(json.dumps(state))


def until(found: Callable[[], bool], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.05)


def state(folder: Path, name: str) -> dict[str, object]:
    return dict(json.loads((folder / "logshed-lake" / "schedule" / f"{name}.json").read_text()))


def test_what_is_due_runs_once_and_what_fails_stops_no_other(logshed: Run, tmp_path: Path) -> None:
    planned(tmp_path, "default", bad="cost --prices https://ada:hunter2secret@example.org/p.toml", good=SUPPOSED)
    done = logshed("schedule", "--once")
    assert done.returncode == 1
    assert "bad: begins, for 2 times that passed" in done.stdout
    assert "bad: failed with exit code 2" in done.stdout
    assert "good: done" in done.stdout
    again = logshed("schedule", "--once")
    assert (again.returncode, again.stdout) == (0, "")
    entries = json.loads(logshed("query", AUDIT, "--json").stdout)
    assert [(one["target"], one["outcome"]) for one in entries] == [("bad", "failed"), ("good", "ok")]
    details = json.loads(entries[0]["details"])
    assert (details["command"], details["exit_code"], details["missed"]) == ("cost", 2, 1)
    assert details["started"] < details["ended"]
    assert details["seconds"] > 0
    assert not any("hunter2secret" in file.read_text("latin-1") for file in tmp_path.rglob("logshed-lake/**/*.json*"))
    shown = {row["name"]: row for row in json.loads(logshed("schedule", "list", "--json").stdout)}
    assert (shown["bad"]["outcome"], shown["bad"]["exit_code"], shown["good"]["outcome"]) == ("failed", 2, "ok")
    assert shown["good"]["next"].endswith("-01-01T00:00:00+00:00")


@pytest.fixture
def scheduler(starter: Starter, tmp_path: Path, environment: dict[str, str]) -> Callable[[], Process]:
    return lambda: starter.open(["schedule"], tmp_path, environment)


def test_a_scheduler_that_was_killed_loses_no_run_and_repeats_none(
    logshed: Run, scheduler: Callable[[], Process], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "held")
    planned(tmp_path, one=f"{SUPPOSED} --prices {tmp_path / 'held'}")
    first = scheduler()
    writer = os.open(tmp_path / "held", os.O_WRONLY)  # comes back when the run reads
    first.kill()
    first.wait(60)
    second = scheduler()
    assert json.loads(logshed("schedule", "list", "--json").stdout)[0]["outcome"] == "running"
    assert logshed("schedule", "run", "one").returncode == 1
    os.close(writer)
    until(lambda: state(tmp_path, "one")["outcome"] == "ok")
    noted = tmp_path / "logshed-lake" / "audit.jsonl"
    until(noted.exists)
    second.terminate()
    assert second.wait(30) == 0
    assert "one: begins" not in second.communicate()[0]
    assert noted.read_text().count('"verb": "schedule"') == 1


def test_asked_to_end_it_lets_the_run_at_hand_end(scheduler: Callable[[], Process], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "held")
    planned(tmp_path, one=f"{SUPPOSED} --prices {tmp_path / 'held'}")
    process = scheduler()
    writer = os.open(tmp_path / "held", os.O_WRONLY)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert process.poll() is None
    os.close(writer)
    assert process.wait(30) == 0
    told = process.communicate()[0]
    assert told.index("waits for what runs") < told.index("one: ok after") < told.index("one: done")
    assert state(tmp_path, "one")["exit_code"] == 0


def test_a_run_by_hand_that_is_asked_to_end_ends_and_says_so(
    starter: Starter, environment: dict[str, str], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "held")
    planned(tmp_path, one=f"{SUPPOSED} --prices {tmp_path / 'held'}")
    process = starter.open(["schedule", "run", "one"], tmp_path, environment)
    writer = os.open(tmp_path / "held", os.O_WRONLY)
    process.terminate()
    assert process.wait(30) == 128 + signal.SIGTERM
    os.close(writer)
    assert (state(tmp_path, "one")["outcome"], state(tmp_path, "one")["exit_code"]) == ("stopped", 143)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("ingest --oops", "schedule.0.run: No such option: --oops; see `logshed ingest --help`"),
        ("collect dockre", "schedule.0.run: No such command 'dockre'"),
        ("rm -rf /", "schedule.0.run: 'rm' is no command that may run by the clock; begin with one of aggregate"),
        ("ingest 'a", "schedule.0.run: it cannot be cut into words: No closing quotation; close the quotation mark"),
    ],
)
def test_words_that_no_command_knows_are_refused_before_any_work(
    run: str, message: str, logshed: Run, tmp_path: Path
) -> None:
    (tmp_path / "logshed.toml").write_text(RUN.format(name="a", cron="@daily", run=run))
    done = logshed("schedule", "--once")
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "logshed-lake").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "logshed.toml has no [[schedule]]; see docs/schedule.md"),
        (("run",), "cannot run: there is no name"),
        (("list", "one"), "cannot list: it takes no name"),
        (("--json",), "only list knows it"),
    ],
)
def test_words_that_do_not_fit_are_told(words: tuple[str, ...], message: str, logshed: Run) -> None:
    done = logshed("schedule", *words)
    assert done.returncode == 2
    assert message in done.stderr


def test_what_may_run_by_the_clock_are_commands_and_is_documented() -> None:
    assert set(get_command(app).commands) >= VERBS  # type: ignore[attr-defined]
    page = (Path(__file__).parent.parent.parent / "docs" / "schedule.md").read_text()
    assert [verb for verb in sorted(VERBS) if f"`{verb}`" not in page] == []
