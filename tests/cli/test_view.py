from __future__ import annotations

import os
import pty
import select
import sys
import time
from typing import TYPE_CHECKING

from tests.pipeline.samples import access, java

from logshed.cli.viewer import Line, Viewer

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


def viewer(count: int = 100) -> Viewer:
    lines = (Line(f"line {number}", 17 if number % 10 == 0 else 9, "a.log") for number in range(count))
    return Viewer(lines)


def texts(shown: Viewer, height: int = 3) -> list[str]:
    return [line.text for line in shown.screen(height)]


def test_only_what_is_looked_at_is_read() -> None:
    shown = viewer()
    assert texts(shown) == ["line 0", "line 1", "line 2"]
    assert len(shown.lines) == 3
    assert "1 of 3+" in shown.status()


def test_keys_move_and_stop_at_both_ends() -> None:
    shown = viewer()
    shown.press("page down", 3)
    shown.press("down", 3)
    assert texts(shown)[0] == "line 4"
    shown.press("G", 3)
    assert texts(shown) == ["line 97", "line 98", "line 99"]
    shown.press("page down", 3)
    assert texts(shown)[-1] == "line 99"
    shown.press("g", 3)
    shown.press("up", 3)
    assert texts(shown)[0] == "line 0"
    assert not shown.press("q", 3)


def test_a_search_goes_on_and_back_and_says_when_there_is_no_more() -> None:
    shown = viewer()
    shown.ask("/", "7$")
    assert texts(shown)[0] == "line 7"
    shown.press("n", 3)
    assert texts(shown)[0] == "line 17"
    shown.press("N", 3)
    assert texts(shown)[0] == "line 7"
    shown.press("N", 3)
    assert shown.status() == "no more"
    shown.ask("/", "(")
    assert "cannot search for" in shown.status()


def test_a_filter_shows_only_what_passes_and_is_taken_away_again() -> None:
    shown = viewer()
    shown.ask("&", "line 5")
    assert texts(shown) == ["line 5", "line 50", "line 51"]
    shown.ask("&", "")
    assert texts(shown)[0] == "line 5"
    shown.press("g", 3)
    assert texts(shown)[0] == "line 0"


def test_levels_and_errors_are_found() -> None:
    shown = viewer()
    shown.press("e", 3)
    assert texts(shown)[0] == "line 10"
    for _ in range(3):
        shown.press("l", 3)
    assert texts(shown) == ["line 10", "line 20", "line 30"]


def test_a_filter_that_nothing_passes_says_so() -> None:
    shown = viewer(5)
    shown.ask("&", "nothing")
    assert texts(shown) == []
    assert "no line to show" in shown.status()


def test_files_are_merged_by_time_and_records_stay_whole(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(access(number) for number in range(0, 60, 2)))
    (tmp_path / "b.log").write_text("".join(java(number, frames=2) for number in range(1, 60, 2)))
    done = logshed("view", tmp_path / "a.log", tmp_path / "b.log")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == access(0).rstrip()
    assert lines[1:5] == java(1, frames=2).splitlines()
    assert lines[5] == access(2).rstrip()
    assert len(lines) == 30 + 30 * 4
    assert "\x1b" not in done.stdout


def test_level_words_and_conditions_choose_records(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(map(access, range(20))))
    (tmp_path / "b.log").write_text(java(1) + java(2))
    assert logshed("view", tmp_path, "--level", "error").stdout == java(1) + java(2)
    assert logshed("view", tmp_path, "--grep", "order 2|item/3 ").stdout == java(2) + access(3)
    assert logshed("view", tmp_path, "--where", "url_path = '/item/7'").stdout == access(7)
    done = logshed("view", tmp_path, "--where", "nothing = 1")
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot filter by nothing = 1: ")
    assert logshed("view", tmp_path, "--grep", "(").returncode == 2


def test_what_the_policy_forbids_is_not_shown(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(java(1).replace("failed", "of ada@example.org failed"))
    assert "order 1 of [EMAIL] failed" in logshed("view", tmp_path).stdout
    for stage in ("redacted", "parsed", "kept", "logs", "lines"):
        done = logshed("tap", tmp_path, "--stage", stage)
        assert "[EMAIL]" in done.stdout, done.stderr
        assert "ada@" not in done.stdout


def test_a_terminal_gets_a_screen_that_keys_move(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "a.log").write_text("".join(map(access, range(200))))
    child, terminal = pty.fork()
    if not child:
        os.chdir(tmp_path)
        words = [sys.executable, "-m", "logshed", "view", "a.log"]
        os.execve(sys.executable, words, {**environment, "TERM": "xterm", "LINES": "24", "COLUMNS": "80"})  # noqa: S606
    assert b"/item/0 " in until(terminal, b"q quit")
    os.write(terminal, b"/item.150 \n")
    assert b"item/150 " in until(terminal, b"item/170 ")
    os.write(terminal, b"q")
    until(terminal, b"")
    assert os.waitpid(child, 0)[1] == 0


def until(terminal: int, wanted: bytes, seconds: float = 60) -> bytes:
    """What a terminal shows until something wanted is there, or, where nothing is wanted, until it is closed."""
    seen = b""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (wanted and wanted in seen):
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 65_536)
            except OSError:
                break
    return seen
