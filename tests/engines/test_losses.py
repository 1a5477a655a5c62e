"""Workers that are killed each time, nodes that go, drivers that die: nothing is lost, and nothing comes twice.

Spark's part takes a minute and more of processor time, and runs with ``make soak``.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from tests.clusters import Cluster, environment, started
from tests.engines.conftest import ACCESSES
from tests.engines.lakes import opened

from logshed.engine_settings import EngineSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.filterwarnings("ignore")  # what Ray and Spark say of themselves


@pytest.fixture(scope="module", params=["ray", pytest.param("spark", marks=pytest.mark.soak)])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    yield from started(request.param, tmp_path_factory.mktemp("cluster"))


def test_a_file_that_kills_workers_is_told_and_stops_no_other(cluster: Cluster, logs: Path, tmp_path: Path) -> None:
    for name in ("a.log", "large.log", "poison.log"):
        (tmp_path / name).write_text(
            "".join((logs / "access.log").read_text().splitlines(keepends=True)[: 100 + len(name)])
        )
    once = cluster.settings.model_copy(update={"retries": 0})  # each worker that begins anew costs seconds
    lake = opened(tmp_path / "lake", once)
    lake.settings = lake.settings.model_copy(update={"batch_bytes": 4 * 2**20, "split_bytes": 16 * 2**20})
    report = lake.ingest(sorted(tmp_path.glob("*.log")))
    outcome = {one.path.rpartition("/")[2]: (one.status, one.counts.read) for one in report.files}
    assert outcome == {"a.log": ("ingested", 105), "large.log": ("ingested", 109), "poison.log": ("failed", 0)}
    told = next(one.error for one in report.files if one.status == "failed")
    assert "the worker that ran it was lost each time" in told
    assert "--task-memory" in told
    assert lake.query("SELECT count(*) FROM lines").rows() == [(214,)]
    assert lake.audit().ok


def test_a_node_that_goes_takes_nothing_with_it(cluster: Cluster, logs: Path, tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"slow-{number}.log").write_text(f"{(logs / 'access.log').read_text()}the end of {number}\n")
    lake = opened(tmp_path / "lake", cluster.settings)
    running = Thread(target=lake.ingest, args=([tmp_path / f"slow-{number}.log" for number in range(4)],))
    running.start()
    while running.is_alive() and len(list(tmp_path.glob("*.begun"))) < 2:
        running.join(0.05)
    cluster.lose()
    running.join()
    assert lake.ingest([tmp_path]).totals.read == 0
    assert lake.query('SELECT count(*), count(DISTINCT (source, "offset")) FROM lines').rows() == [
        (4 * ACCESSES + 4,) * 2
    ]
    assert lake.audit().ok


@pytest.mark.parametrize("step", ["before bronze commit", "after bronze commit"])
def test_a_driver_that_is_killed_leaves_nothing_half_done(
    cluster: Cluster, logs: Path, tmp_path: Path, step: str
) -> None:
    words = [sys.executable, str(Path(__file__).with_name("killed_driver.py")), str(tmp_path / "lake")]
    words += [str(logs / "access.log"), step, cluster.settings.name, str(cluster.settings.address)]
    cluster.release()
    ended = subprocess.run(words, env=environment(), capture_output=True, timeout=300, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    lake = opened(tmp_path / "lake", EngineSettings())
    report = lake.ingest([logs / "access.log"])
    assert report.totals.read == (ACCESSES if step.startswith("before") else 0)
    for table in ("lines", "logs"):
        found = lake.query(f'SELECT count(*), count(DISTINCT (source, "offset")) FROM {table}').rows()
        assert found == [(ACCESSES, ACCESSES)], table
    assert lake.audit().ok
