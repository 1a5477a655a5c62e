"""Runs the tutorials command by command, and looks for what they say is printed."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.started import Process, Starter

ROOT = Path(__file__).parents[2]
TUTORIALS = sorted(path for path in (ROOT / "docs" / "tutorials").glob("*.md") if path.stem != "index")
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OF_SHELLS = re.compile(r"[|<>$;&*`]|^(?!logshed )", re.MULTILINE)
"""What makes a block one for a shell; other blocks are commands of ours, one a line."""
PORTS = ("8600", "4318")
SECONDS = 120


class Step(NamedTuple):
    """Commands, and what has to be printed by them or by those before."""

    commands: str
    printed: tuple[str, ...]


def steps(text: str) -> list[Step]:
    """The steps of a tutorial."""
    found: list[Step] = []
    for kind, content in BLOCK.findall(text):
        if kind == "sh":
            found.append(Step(content, ()))
        else:
            lines = tuple(line.strip() for line in content.splitlines() if line.strip())
            found[-1] = found[-1]._replace(printed=found[-1].printed + lines)
    return found


class Reader:
    """Follows a tutorial in a folder of its own.

    Args:
        folder: Where it begins; the sample logs lie in it.
        starter: Starts our program.
        environment: With what.
    """

    def __init__(self, folder: Path, starter: Starter, environment: Mapping[str, str]) -> None:
        self._folder, self._starter = folder, starter
        program = folder / "bin" / "logshed"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m logshed "$@"\n')
        program.chmod(0o755)
        path = f"{program.parent}{os.pathsep}{environment['PATH']}"
        self._ports = {port: str(free_port()) for port in PORTS}
        listen = f"127.0.0.1:{self._ports['8600']}"
        self._environment = {**environment, "PATH": path, "HOME": str(folder), "LOGSHED_WEB_LISTEN": listen}
        self._beside: list[Process] = []

    def follow(self, commands: str) -> str:
        """Run commands; gives what they print."""
        for port, free in self._ports.items():
            commands = commands.replace(port, free)
        beside = [line.removesuffix("&") for line in commands.splitlines() if line.endswith(" &")]
        for line in beside:
            self._beside.append(self._starter.open(shlex.split(line)[1:], self._folder, self._environment))
        left = "\n".join(line for line in commands.splitlines() if not line.endswith(" &"))
        if OF_SHELLS.search(left):
            return self._by_shell(left)
        return "".join(self._one(shlex.split(line)[1:]) for line in left.splitlines())

    def _one(self, words: Sequence[str]) -> str:
        done = self._starter.run(words, self._folder, self._environment, b"", SECONDS)
        told = (done.stdout + done.stderr).decode()
        assert done.returncode == 0, f"{words}\n{told}"
        return told

    def _by_shell(self, script: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout

    def end(self) -> None:
        """End what runs beside."""
        for process in self._beside:
            process.terminate()
        for process in self._beside:
            process.wait(SECONDS)


@pytest.fixture
def reader(tmp_path: Path, starter: Starter, environment: dict[str, str]) -> Iterator[Reader]:
    """Somebody who has nothing but a clone."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    reader = Reader(tmp_path, starter, environment)
    yield reader
    reader.end()


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_each_command_works_and_prints_what_the_tutorial_says(tutorial: Path, reader: Reader) -> None:
    for step in steps(tutorial.read_text()):
        printed = reader.follow(step.commands)
        for line in step.printed:
            assert line in printed, f"{step.commands}\n{printed}"


def test_there_is_a_tutorial_for_each_kind_of_reader() -> None:
    index = (ROOT / "docs" / "tutorials" / "index.md").read_text()
    assert [path.name for path in TUTORIALS] == ["analyst.md", "data-engineer.md", "site-owner.md", "sre.md"]
    assert all(f"({path.name})" in index for path in TUTORIALS)
