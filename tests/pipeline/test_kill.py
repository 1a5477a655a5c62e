from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.pipeline.samples import accesses, java

from logshed.api import Lake
from logshed.lake.steps import STEPS
from logshed.settings import Settings

if TYPE_CHECKING:
    from tests.started import Process, Starter

ROOT = Path(__file__).parents[2]
LINES = 12_000
FEW = 5_000
"""Enough for two commits."""


class Ingests:
    """Ingests in processes of their own.

    Args:
        starter: What starts them.
        folder: Where the lake is, and what they complain of.
    """

    def __init__(self, starter: Starter, folder: Path) -> None:
        self._starter, self._folder = starter, folder
        self.lake = folder / "lake"

    def start(self, path: Path, step: str = "") -> Process:
        """Start one."""
        environment = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin", "HOME": str(self._folder)}
        with (self._folder / "told").open("ab") as told, Path(os.devnull).open("rb") as nothing:
            files = [nothing.fileno(), told.fileno(), told.fileno()]
            words = [str(self.lake), str(path), step]
            return self._starter.start(words, ROOT, environment, files, module="tests.pipeline.killed")

    def end(self, process: Process, seconds: float = 60) -> None:
        """Wait for its end, which is no failure."""
        assert process.wait(seconds) == 0, (self._folder / "told").read_text()


@pytest.fixture
def ingests(starter: Starter, tmp_path: Path) -> Ingests:
    return Ingests(starter, tmp_path)


def assert_whole(root: Path, expected: int) -> None:
    lake = Lake.open(root, settings=Settings.load(root, environ={}))
    assert lake.audit().as_dict()["ok"], lake.audit().as_dict()
    for table in ("lines", "logs"):
        found = lake.query(f'SELECT count(*), count(DISTINCT ("generation", "offset")) FROM {table}').rows()
        assert found == [(expected, expected)], table


@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_a_step_of_the_commit_loses_and_doubles_nothing(
    step: str, tmp_path: Path, ingests: Ingests
) -> None:
    log = tmp_path / "access.log"
    log.write_text(accesses(0, FEW))
    assert ingests.start(log, step).wait(120) == -signal.SIGKILL
    ingests.end(ingests.start(log))
    assert_whole(ingests.lake, FEW)


@pytest.mark.slow
@pytest.mark.parametrize("times", [6, pytest.param(20, marks=pytest.mark.soak)])
def test_runs_killed_at_random_moments_lose_and_double_nothing(times: int, tmp_path: Path, ingests: Ingests) -> None:
    chance = random.Random(20261122)  # noqa: S311 - moments, no secrets
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "access.log").write_text(accesses(0, LINES))
    (logs / "shop.log").write_text("".join(java(number, frames=number % 4) for number in range(3_000)))
    kills = 0
    while kills < times:
        with (logs / "access.log").open("a") as handle:
            handle.write(accesses(LINES + kills * 1000, LINES + (kills + 1) * 1000))
        process = ingests.start(logs)
        time.sleep(chance.uniform(0.1, 2.0))
        process.kill()
        process.wait(120)
        kills += 1
    ingests.end(ingests.start(logs), 120)
    assert_whole(ingests.lake, LINES + times * 1000 + 3_000)


@pytest.mark.parametrize("same", [True, False], ids=["the same file", "different files"])
def test_two_processes_that_ingest_at_once_end_with_the_right_rows(
    same: bool, tmp_path: Path, ingests: Ingests
) -> None:
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    first.write_text(accesses(0, LINES))
    second.write_text(accesses(LINES, 2 * LINES))
    for run in [ingests.start(first), ingests.start(first if same else second)]:
        ingests.end(run, 120)
    assert_whole(ingests.lake, LINES if same else 2 * LINES)
