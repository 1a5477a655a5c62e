from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.pipeline.samples import accesses

from logshed.api import Lake
from logshed.settings import Settings

ROOT = Path(__file__).parents[2]


def test_an_interrupted_ingest_ends_soon_and_leaves_the_lake_whole(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    block = accesses(0, 100_000)
    with log.open("w") as handle:
        for _ in range(15):
            handle.write(block)
    command = [sys.executable, "-m", "logshed", "ingest", str(log), "--lake", str(tmp_path / "lake")]
    environment = {"PYTHONPATH": str(ROOT / "src"), "HOME": str(tmp_path), "LOGSHED_SPLIT_BYTES": "8MiB"}
    run = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    while not any((tmp_path / "lake").rglob("*.parquet")):
        assert run.poll() is None, run.stderr.read() if run.stderr else ""
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 130
    assert errors.splitlines()[-1] == "stopped; everything committed so far is whole"
    lake = Lake.open(tmp_path / "lake", settings=Settings.load(tmp_path, environ={}))
    assert lake.audit().ok
    assert lake.ingest([log]).totals.read + lake.query("SELECT count(*) FROM lines").rows()[0][0] >= 1_500_000
    assert lake.query("SELECT count(*) FROM lines").rows() == [(1_500_000,)]
