"""Folders for what a process spills: one each, gone with it, and those of the killed gone with the next."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logshed.sql import spilling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Begin = Callable[[], tuple[subprocess.Popen[str], str]]

WORK = "import sys; from logshed.sql import spilling; print(spilling.folder(), flush=True); sys.stdin.read()"


@pytest.fixture
def begin(tmp_path: Path, environment: dict[str, str]) -> Iterator[Begin]:
    """Begins a process that has a folder in ``tmp_path``."""
    begun = []

    def one() -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(
            [sys.executable, "-c", WORK],
            env={**environment, "TMPDIR": str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        begun.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield one
    for process in begun:
        process.kill()
        process.communicate()


def test_a_folder_goes_with_its_process(tmp_path: Path, begin: Begin) -> None:
    process, folder = begin()
    assert [one.name for one in Path(folder).iterdir()] == [spilling.LOCK]
    process.communicate("")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_of_one_who_was_killed_goes_with_the_next_and_of_one_who_lives_stays(
    tmp_path: Path, begin: Begin
) -> None:
    (lives, kept), (killed, left) = begin(), begin()
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert left != kept
    _, new = begin()
    assert {str(one) for one in tmp_path.iterdir()} == {kept, new}
    assert lives.poll() is None
