from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.pipeline.samples import accesses, java

from logshed.api import Lake
from logshed.lake.steps import STEPS
from logshed.settings import Settings

ROOT = Path(__file__).parents[2]
LINES = 12_000


def ingest(lake: Path, path: Path, step: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.pipeline.killed", str(lake), str(path), step],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "/usr/bin:/bin", "HOME": str(lake.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def assert_whole(root: Path, expected: int) -> None:
    lake = Lake.open(root, settings=Settings.load(root, environ={}))
    assert lake.audit().as_dict()["ok"], lake.audit().as_dict()
    for table in ("lines", "logs"):
        found = lake.query(f'SELECT count(*), count(DISTINCT ("generation", "offset")) FROM {table}').rows()
        assert found == [(expected, expected)], table


@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_a_step_of_the_commit_loses_and_doubles_nothing(step: str, tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(accesses(0, LINES))
    killed = ingest(tmp_path / "lake", log, step)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    again = ingest(tmp_path / "lake", log)
    _, errors = again.communicate(timeout=60)
    assert again.returncode == 0, errors
    assert_whole(tmp_path / "lake", LINES)


@pytest.mark.slow
def test_runs_killed_at_twenty_random_moments_lose_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(20261122)  # noqa: S311 - moments, no secrets
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "access.log").write_text(accesses(0, LINES))
    (logs / "shop.log").write_text("".join(java(number, frames=number % 4) for number in range(3_000)))
    kills = 0
    while kills < 20:
        with (logs / "access.log").open("a") as handle:
            handle.write(accesses(LINES + kills * 1000, LINES + (kills + 1) * 1000))
        process = ingest(tmp_path / "lake", logs)
        time.sleep(chance.uniform(0.8, 3.0))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        kills += 1
    final = ingest(tmp_path / "lake", logs)
    _, errors = final.communicate(timeout=120)
    assert final.returncode == 0, errors
    assert_whole(tmp_path / "lake", LINES + 20_000 + 3_000)


@pytest.mark.parametrize("same", [True, False], ids=["the same file", "different files"])
def test_two_processes_that_ingest_at_once_end_with_the_right_rows(same: bool, tmp_path: Path) -> None:
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    first.write_text(accesses(0, LINES))
    second.write_text(accesses(LINES, 2 * LINES))
    runs = [ingest(tmp_path / "lake", first), ingest(tmp_path / "lake", first if same else second)]
    for run in runs:
        _, errors = run.communicate(timeout=120)
        assert run.returncode == 0, errors
    assert_whole(tmp_path / "lake", LINES if same else 2 * LINES)
