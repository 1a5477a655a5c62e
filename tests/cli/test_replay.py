"""``logshed replay`` as its users run it: pipes, a terminal with keys, signals, what it says when it cannot."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from datetime import UTC
from typing import TYPE_CHECKING

import pytest

from logshed.api import Lake
from logshed.cli import replaying
from logshed.pipeline.replay import State
from logshed.pipeline.replay_clock import Window
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Run

WINDOW = ("--since", "2026-11-20", "--until", "2026-11-21")


def line(minute: int) -> str:
    return (
        f"192.0.2.{minute % 250} - - [20/Nov/2026:{minute // 60:02d}:{minute % 60:02d}:00 +0000] "
        f'"GET /{minute} HTTP/1.1" {200 + 300 * (minute % 2)} 5 "-" "curl/8.5.0"\n'
    )


LINES = [line(minute) for minute in range(1440)]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("replay")
    (folder / "a.log").write_text("".join(LINES))
    settings = Settings.load(folder, environ={})
    Lake.open(folder / "lake", create=True, settings=settings).ingest([folder / "a.log"], collection="shop")
    return folder / "lake"


class Session:
    """A replay with a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int, ours: int) -> None:
        self.process, self.terminal, self._ours = process, terminal, ours
        os.set_blocking(ours, False)
        self.said = ""

    def look(self) -> str:
        """All that was shown so far."""
        try:
            while data := os.read(self._ours, 65536):
                self.said += data.decode("utf-8", "replace")
        except OSError:  # nothing more yet, or its terminal is closed
            return self.said
        return self.said

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something."""
        deadline = time.monotonic() + 90
        while not holds():
            assert time.monotonic() < deadline, self.said[-2000:]
            time.sleep(0.02)
            self.look()

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    @property
    def places(self) -> list[float]:
        """The percentages of the line that says where it is."""
        return [float(found) for found in re.findall(r"([0-9.]+) % ·", self.look())]

    @property
    def takes_lines(self) -> bool:
        """Whether the terminal is as shells want it: lines, with an echo."""
        wanted = termios.ICANON | termios.ECHO
        return bool(termios.tcgetattr(self.terminal)[3] & wanted == wanted)


@contextmanager
def session(lake: Path, environment: dict[str, str], *words: str) -> Iterator[Session]:
    ours, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", ON_TERMINAL, "replay", "--lake", str(lake), *WINDOW, *words],
        stdin=terminal,
        stdout=subprocess.DEVNULL if "--to" not in words else terminal,
        stderr=terminal,
        env={**environment, "COLUMNS": "200"},
        start_new_session=True,
    ) as process:
        try:
            yield Session(process, terminal, ours)
        finally:
            process.kill()
            os.close(terminal)
            os.close(ours)


ON_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from logshed.cli import main
main()
"""
"""The program with its terminal as the one that controls it, as a shell starts it."""


def test_a_day_comes_out_of_the_pipe_line_by_line_and_can_be_ingested_again(
    logshed: Run, lake: Path, tmp_path: Path
) -> None:
    done = logshed("replay", "--lake", lake, *WINDOW, "--duration", "1s")
    assert done.stdout == "".join(LINES)
    assert re.search(r"Replayed 1,440 records in 0:01, the latest of them \d+ ms after its time\.\n$", done.stderr)
    again = logshed("ingest", "-", "--lake", tmp_path / "again", stdin=done.stdout)
    assert again.returncode == 0, again.stderr
    sql = "SELECT timestamp, url_path, client_address, http_response_status_code FROM logs ORDER BY 1"
    answers = [Lake.open(folder).query(sql).rows() for folder in (lake, tmp_path / "again")]
    assert answers[0] == answers[1]
    assert len(answers[0]) == 1440


def test_what_is_wanted_comes_as_json_into_a_file(logshed: Run, lake: Path, tmp_path: Path) -> None:
    words = ("--where", "http_response_status_code >= 500", "--as", "json", "--to", "out.ndjson", "--start-at", "50%")
    done = logshed("replay", "--lake", lake, *WINDOW, "--speed", "86400", *words)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(row) for row in (tmp_path / "out.ndjson").read_text().splitlines()]
    assert [row["url_path"] for row in rows] == [f"/{minute}" for minute in range(721, 1440, 2)]
    assert {row["collection"] for row in rows} == {"shop"}


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--duration", "1s", "--speed", "2"], 2, "cannot replay: --duration and --speed say two things; give either"),
        (["--duration", "1s", "--collection", "other"], 1, "cannot replay: no record is in the window; the lake holds"),
        (["--duration", "1s", "--to", "gopher://x"], 2, "cannot replay to gopher://: there is no such place"),
        (
            ["--duration", "1s", "--to", "/dev/full"],
            1,
            "No space left on device; make room or correct --to; then go on",
        ),
    ],
)
def test_what_cannot_be_done_is_told(logshed: Run, lake: Path, words: list[str], code: int, told: str) -> None:
    done = logshed("replay", "--lake", lake, *WINDOW, *words)
    assert told in done.stderr
    assert done.returncode == code
    assert done.stdout == ""


def test_a_reader_that_leaves_ends_it_quietly(lake: Path, environment: dict[str, str]) -> None:
    words = ["replay", "--lake", str(lake), *WINDOW, "--duration", "2s"]
    with subprocess.Popen(
        [sys.executable, "-m", "logshed", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().decode() == LINES[0]
        process.stdout.close()
        assert process.wait(20) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_keys_pause_move_and_end_it_and_the_terminal_is_put_back(lake: Path, environment: dict[str, str]) -> None:
    with session(lake, environment, "--duration", "100s") as on:
        on.until(lambda: "space pauses" in on.said and len(on.places) > 2)
        assert not on.takes_lines
        on.press(" ")
        on.until(lambda: "paused" in on.said)
        stood = on.places[-1]
        on.press("\x1b[C\x1b[C")
        on.until(lambda: on.places[-1] >= stood + 9)
        assert on.places[-1] == pytest.approx(stood + 10, abs=0.11)
        on.press("\x1b[D")
        on.until(lambda: on.places[-1] <= stood + 5.11)
        on.press("\x1b[H")
        on.until(lambda: on.places[-1] == 0)
        on.press("l ")
        on.until(lambda: "lap 1" in on.said and on.places[-1] > 0)
        on.press("q")
        on.until(lambda: "Ended after" in on.said)
        assert on.process.wait(10) == 0
        assert on.takes_lines


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 130)])
def test_a_signal_that_ends_it_leaves_the_terminal_as_it_was(
    lake: Path, environment: dict[str, str], number: int, code: int
) -> None:
    with session(lake, environment, "--duration", "100s") as on:
        on.until(lambda: len(on.places) > 1)
        assert not on.takes_lines
        if number == signal.SIGINT:
            on.press("\x03")
        else:
            on.process.send_signal(number)
        assert on.process.wait(60) == code
        assert "Ended after" in on.look()
        assert on.takes_lines


def test_while_it_is_stopped_the_shell_has_the_terminal_and_no_time_passes(
    lake: Path, environment: dict[str, str]
) -> None:
    with session(lake, environment, "--duration", "100s") as on:
        on.until(lambda: len(on.places) > 1)
        on.press("\x1a")
        on.until(lambda: _state(on.process.pid) == "T")
        assert on.takes_lines
        place = on.places[-1]
        time.sleep(6)
        begun = time.monotonic()
        on.process.send_signal(signal.SIGCONT)
        seen = len(on.places)
        on.until(lambda: len(on.places) > seen + 3)
        assert on.places[-1] < place + time.monotonic() - begun + 4  # a percent is a second; what it told was before
        assert not on.takes_lines


def test_without_a_terminal_a_signal_pauses_it(lake: Path, environment: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "out.log"
    words = ["replay", "--lake", str(lake), *WINDOW, "--duration", "3s", "--to", str(out)]
    with subprocess.Popen(
        [sys.executable, "-m", "logshed", *words], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    ) as process:
        while not out.exists() or out.stat().st_size < 5000:
            time.sleep(0.02)
        process.send_signal(signal.SIGUSR1)
        size = -1
        while size != (size := out.stat().st_size):  # it obeys as soon as the machine lets it
            time.sleep(0.5)
        assert size < len("".join(LINES))
        time.sleep(4)
        assert out.stat().st_size == size
        process.send_signal(signal.SIGUSR1)
        _, told = process.communicate(timeout=90)
    assert out.read_text() == "".join(LINES)
    took = re.search(rb"Replayed 1,440 records in (\d+):(\d\d)", told)
    assert took is not None, told
    assert 60 * int(took[1]) + int(took[2]) >= 7


def test_where_it_is_can_be_read() -> None:
    state = State(0.5, Window(1795132800000000, 1795219200000000, 288), 1, 12345, 41.2, 1.26, paused=True, loops=True)
    assert replaying.line(state, UTC) == (
        " 50.0 % · 2:30 of 5:00 · paused · 1.3 s late · lap 2 · 2026-11-20 12:00:00Z · 12,345 records · 41/s"
    )
    assert [replaying.clock(seconds) for seconds in (0, 59.6, 150, 3599, 3661)] == [
        "0:00", "1:00", "2:30", "59:59", "1:01:01",
    ]  # fmt: skip
    assert replaying.commands(b" \x1b[C\x1b[Dx\x1bq") == ["pause", "forward", "back", "quit"]


def _state(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - a file of the kernel
        return file.read().rpartition(")")[2].split()[0]
