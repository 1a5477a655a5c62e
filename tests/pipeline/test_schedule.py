"""What is due is told rightly, and a run is one at a time, ended in time, and known when it is over."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from logshed.errors import BusyError
from logshed.pipeline.schedule_run import run
from logshed.pipeline.schedule_state import Book, Due, State
from logshed.pipeline.scheduling import delay
from logshed.schedule_settings import Schedule

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2026, 11, 26, 12, 0, 20, tzinfo=UTC)
SUPPOSED = "cost --events-per-day 1 --bytes-per-event 1"


def book(root: Path, **changed: object) -> Book:
    given = {"name": "one", "cron": "*/5 * * * *", "run": SUPPOSED, **changed}
    return Book(root, Schedule.model_validate(given), "UTC")


def known(one: Book, due: datetime, **changed: object) -> None:
    with one.lock():  # makes the folder
        one.write(State(one.schedule.cron, one.zone, due.isoformat(), **changed))  # type: ignore[arg-type]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def test_what_is_seen_first_is_due_in_its_minute_and_not_for_the_past(tmp_path: Path) -> None:
    assert book(tmp_path).due(NOON) == Due(NOON.replace(second=0))
    assert book(tmp_path, name="other").due(NOON + minutes(3)) is None


def test_runs_that_were_missed_are_due_once(tmp_path: Path) -> None:
    one = book(tmp_path)
    known(one, NOON - minutes(30))
    assert one.due(NOON) == Due(NOON.replace(second=0), missed=5)
    known(one, NOON.replace(second=0))
    assert one.due(NOON) is None
    assert one.due(NOON + minutes(5)) == Due(NOON.replace(second=0) + minutes(5))


def test_a_run_that_is_not_to_be_caught_up_waits_for_its_next_time(tmp_path: Path) -> None:
    one = book(tmp_path, catch_up=False)
    known(one, NOON - minutes(30))
    assert one.due(NOON + minutes(2)) is None
    assert one.due(NOON + minutes(5)) == Due(NOON.replace(second=0) + minutes(5))


@pytest.mark.parametrize("changed", [{"cron": "1-59/5 * * * *"}, {"timezone": "Asia/Tokyo"}])
def test_a_time_that_was_changed_begins_anew(changed: dict[str, str], tmp_path: Path) -> None:
    known(book(tmp_path), NOON - minutes(30))
    assert book(tmp_path, **changed).due(NOON + minutes(3)) is None


def test_a_clock_that_was_wrong_and_a_state_that_was_cut_begin_anew(tmp_path: Path) -> None:
    one = book(tmp_path)
    known(one, NOON + timedelta(days=400))
    assert one.due(NOON) == Due(NOON.replace(second=0))
    state = tmp_path / "schedule" / "one.json"
    state.write_text(state.read_text()[:20])
    assert one.due(NOON) == Due(NOON.replace(second=0))


def test_a_run_that_was_cut_off_is_begun_once_more(tmp_path: Path) -> None:
    one = book(tmp_path)
    known(one, NOON.replace(second=0), outcome="running", started=NOON.isoformat())
    assert one.due(NOON + minutes(1)) == Due(NOON.replace(second=0), attempt=2)
    known(one, NOON.replace(second=0), outcome="running", attempt=2)
    assert one.due(NOON + minutes(1)) is None
    assert one.due(NOON + minutes(5)) == Due(NOON.replace(second=0) + minutes(5))


def test_a_run_is_known_with_its_exit_code_and_its_time_when_it_is_over(tmp_path: Path) -> None:
    one, due = book(tmp_path), Due(NOON.replace(second=0), missed=3)
    done = run(one, tmp_path, due)
    assert done is not None
    assert done.state == one.read()
    assert (done.state.outcome, done.state.exit_code, done.state.due) == ("ok", 0, due.at.isoformat())
    assert done.cpu_s > 0
    assert run(one, tmp_path, due) is None  # another scheduler that wants the same
    failed = run(book(tmp_path, name="bad", run="cost --lake nowhere"), tmp_path)
    assert failed is not None
    assert (failed.state.outcome, failed.state.exit_code) == ("failed", 1)


def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "never")  # who reads it waits
    done = run(book(tmp_path, run=f"{SUPPOSED} --prices {tmp_path / 'never'}", timeout="1s"), tmp_path)
    assert done is not None
    assert (done.state.outcome, done.state.exit_code) == ("timeout", 124)
    assert done.state.seconds is not None
    assert 1 <= done.state.seconds < 60


def test_there_is_one_run_at_a_time(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "held")
    one = book(tmp_path, run=f"{SUPPOSED} --prices {tmp_path / 'held'}")
    thread = threading.Thread(target=run, args=(one, tmp_path))
    thread.start()
    writer = os.open(tmp_path / "held", os.O_WRONLY)  # comes back when the run reads
    assert one.busy()
    assert one.due(NOON + timedelta(days=1)) is None
    with pytest.raises(BusyError, match="cannot run one: it is running already; wait until it has ended"):
        run(one, tmp_path)
    os.close(writer)
    thread.join(90)
    assert not one.busy()
    assert json.loads((tmp_path / "schedule" / "one.json").read_text())["outcome"] == "ok"


def test_jitter_is_off_unless_set_and_the_same_each_time(tmp_path: Path) -> None:
    due = Due(NOON)
    assert delay(book(tmp_path), due) == timedelta(0)
    late = book(tmp_path, jitter="10m")
    assert timedelta(0) < delay(late, due) < minutes(10)
    assert delay(late, due) == delay(late, due)
    assert delay(late, Due(NOON + minutes(5))) != delay(late, due)
