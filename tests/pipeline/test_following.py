"""Files that are followed come into the lake as they grow and rotate: every numbered line once."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING, Protocol

import pytest
from tests.numbered import Writing, wait_for
from tests.pipeline.samples import java

from logshed.api import Lake
from logshed.engines.local import LocalEngine
from logshed.pipeline import standing
from logshed.pipeline.ingest import Ingest
from logshed.pipeline.planning import Options
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Run
    from tests.started import Starter

NUMBERS = """
SELECT count(*), count(DISTINCT n), min(n), max(n)
FROM (SELECT regexp_extract(text, 'number=(\\d+)', 1)::int AS n FROM lines WHERE text LIKE '%number=%')
"""


class Following:
    """`logshed ingest --follow` in a process of its own.

    Args:
        folder: Where it runs.
        starter: What starts it.
        environment: Its environment.
        words: What to follow.
    """

    def __init__(self, folder: Path, starter: Starter, environment: dict[str, str], *words: str) -> None:
        self._folder, self._starter, self._environment, self._words = folder, starter, environment, words
        self.start()

    def start(self) -> None:
        """Start it, also after its end."""
        self.process = self._starter.open(["ingest", "--follow", *self._words], self._folder, self._environment)

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """End it: its exit code and what it printed."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=90)
        return self.process.wait(), out, err

    def lines(self) -> int:
        """Lines in the lake by now."""
        if not (self._folder / "logshed-lake" / "logshed-lake.json").is_file():
            return 0
        return int(self.lake().query("SELECT count(*) FROM lines").rows()[0][0])

    def lake(self) -> Lake:
        """The lake."""
        return Lake.open(self._folder / "logshed-lake", settings=Settings.load(self._folder, environ={}))


class Start(Protocol):
    """Starts a following."""

    def __call__(self, *words: str) -> Following:
        """Start it in the test's folder."""


@pytest.fixture
def started(tmp_path: Path, starter: Starter, environment: dict[str, str]) -> Iterator[Start]:
    """Followings that the test starts; they are ended with it."""
    found: list[Following] = []

    def start(*words: str) -> Following:
        found.append(Following(tmp_path, starter, environment, *words))
        return found[-1]

    yield start
    for one in found:
        one.process.kill()
        one.process.communicate()


def docker(line: str) -> str:
    """A line as Docker's own log files have it."""
    return json.dumps({"log": line, "stream": "stdout", "time": "2026-11-01T12:00:00.5Z"}) + "\n"


@pytest.mark.parametrize("how", [("create",), ("copytruncate", "compress")], ids=" ".join)
def test_every_line_arrives_once_through_rotation(logs: Path, started: Start, how: tuple[str]) -> None:
    log = Writing(logs / "app.log")
    following = started(str(log.path))
    with log.lines(6_000, 2_000):
        wait_for(lambda: following.lines() > 0)
        for _ in range(2):
            log.rotate(*how)
            time.sleep(0.4)
    wait_for(lambda: following.lines() >= log.written)
    wait_for(lambda: standing.read([following.lake().root])[0]["now"]["files"] > 0, 20)  # it tells every five seconds
    told = standing.read([following.lake().root])
    assert [(one["verb"], one["state"]) for one in told] == [("ingest --follow", "running")]
    code, out, _ = following.stop()
    assert code == 0
    assert standing.read([following.lake().root]) == []
    assert "Took 6,000 lines" in out
    assert following.lake().query(NUMBERS).rows() == [(6_000, 6_000, 0, 5_999)]
    assert following.lake().audit().ok


def test_a_follower_that_was_killed_goes_on_with_what_was_rotated_away_meanwhile(logs: Path, started: Start) -> None:
    (logs / "app.log.7").write_text("2026-01-01 00:00:00 INFO long ago\n")
    log = Writing(logs / "app.log")
    with log.lines(10, 1_000):
        following = started(str(log.path))
    wait_for(lambda: following.lines() == 10)
    with log.lines(6_000, 1_000):
        wait_for(lambda: following.lines() > 10)
        following.stop(signal.SIGKILL)
        log.rotate("create")
        time.sleep(0.3)
        log.rotate("copytruncate")
        following.start()
    wait_for(lambda: following.lines() >= log.written)
    assert following.stop(signal.SIGTERM)[0] == 0
    assert following.lake().query(NUMBERS).rows() == [(6_010, 6_010, 0, 6_009)]
    assert following.lines() == 6_010


@pytest.mark.parametrize("envelope", [str, docker])
def test_a_record_that_is_just_being_written_is_left_until_it_is_whole_or_quiet(
    lake: Lake, logs: Path, envelope: Callable[[str], str]
) -> None:
    log, parts = logs / "shop.log", java(0) + java(1, frames=3) + java(2)
    lines = [envelope(line) for line in parts.splitlines(keepends=True)]
    left = []
    for upto in (2, 3, 5, 6, 7):
        log.write_text("".join(lines[:upto]))
        if upto == 6:
            os.utime(log, (1_000, 1_000))
        options = Options(open_s=3_600, format="docker_json/java" if envelope is docker else "java")
        report = Ingest(lake._opened(), lake.settings, options, LocalEngine(1)).run([str(log)])
        left.append(
            (lake.query("SELECT count(*), coalesce(sum(line_count), 0) FROM lines").rows(), report.files[0].waits)
        )
    assert left == [
        ([(1, 1)], True),  # the first record is whole once the second has begun
        ([(1, 1)], True),
        ([(1, 1)], True),
        ([(2, 6)], False),  # quiet
        ([(2, 6)], True),
    ]


def test_new_files_of_a_glob_and_below_a_folder_are_picked_up(tmp_path: Path, logs: Path, started: Start) -> None:
    following = started(str(logs / "*.log"), str(tmp_path / "later"))
    (logs / "one.log").write_text("2026-01-01 00:00:00 INFO number=1\n")
    wait_for(lambda: following.lines() == 1)
    (tmp_path / "later" / "deep").mkdir(parents=True)
    (logs / "two.log").write_text("2026-01-01 00:00:00 INFO number=2\n2026-01-01 00:00:00 INFO number=3 not whole")
    (logs / "other.txt").write_text("2026-01-01 00:00:00 INFO number=9\n")
    (tmp_path / "later" / "deep" / "three").write_text("2026-01-01 00:00:00 INFO number=0\n")
    wait_for(lambda: following.lines() == 3)
    with (logs / "two.log").open("a") as file:
        file.write(" yet\n")
    wait_for(lambda: following.lines() == 4)
    code, out, err = following.stop()
    assert code == 0
    assert "error" not in err
    assert "Took 4 lines" in out
    assert following.lake().query(NUMBERS).rows() == [(4, 4, 0, 3)]


def test_what_cannot_be_read_is_told_once_and_stops_nothing(logs: Path, started: Start) -> None:
    (logs / "picture.log").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    (logs / "app.log").write_text("2026-01-01 00:00:00 INFO number=1\n")
    following = started(str(logs / "*.log"), str(logs / "picture.log"))
    wait_for(lambda: following.lines() == 1)
    time.sleep(3)
    code, _, err = following.stop()
    assert code == 0
    assert err.count("it is a PNG image") == 1


def test_what_does_not_go_with_following_is_refused(logshed: Run) -> None:
    done = logshed("ingest", "--follow", "-")
    assert done.returncode == 2
    assert "cannot follow: --follow goes with files, folders, globs and topics alone" in done.stderr
