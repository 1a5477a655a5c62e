"""The jobs of the Helm chart ingest when they are started as their operators start them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.deploy.charts import ROOT, of_kind, render

import logshed

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.soak
LINES = 2_821
SHARED = {"storage": {"warehouse": "s3://b/lake"}, "catalog": {"type": "glue"}}


def job(folder: Path, engine: str, given: dict[str, object]) -> dict[str, str]:
    """Lay the files of a job into a folder, as its pods have them; gives its environment, with a lake beside them."""
    given = {"enabled": True, "paths": [str(ROOT / "examples" / "access.log")], **given}
    made = of_kind(render({**SHARED, engine: given}), "ConfigMap")
    for name, text in next(one["data"] for one in made if "job.json" in one["data"]).items():
        (folder / name).write_text(text, encoding="utf-8")
    return {**os.environ, "LOGSHED_LAKE": str(folder / "lake"), "HOME": str(folder)}


def taken(folder: Path) -> int:
    """Lines that the lake has."""
    return int(logshed.open(folder / "lake").query("SELECT count(*) AS n FROM lines").pl().item())


@contextmanager
def ray_cluster() -> Iterator[str]:
    """A cluster whose head takes no tasks, as the chart has it, and one worker; gives its address."""
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed")
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=1)
        yield cluster.address
    finally:
        cluster.shutdown()


@pytest.mark.filterwarnings("default")
def test_a_job_on_ray_ingests_on_workers_while_the_head_takes_no_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with ray_cluster() as address:
        env = job(tmp_path, "ray", {"address": address})
        words = [sys.executable, str(tmp_path / "main.py")]
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert taken(tmp_path) == LINES


def test_a_job_on_spark_ingests_on_the_executors_that_spark_submit_was_told_of(tmp_path: Path) -> None:
    submit = Path(sys.executable).parent / "spark-submit"
    if not submit.exists() or shutil.which("java") is None:
        pytest.skip("PySpark or Java is not installed")
    env = job(tmp_path, "spark", {"args": ["--json"]})
    env |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    master = ["--master", "local-cluster[1,1,1024]", "--conf", "spark.executor.memory=512m"]
    words = [str(submit), *master, "--conf", "spark.eventLog.enabled=true", "--conf", "spark.eventLog.compress=false"]
    words += ["--conf", f"spark.eventLog.dir=file://{tmp_path}", str(tmp_path / "main.py")]
    done = subprocess.run(words, env=env, cwd="/", capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert taken(tmp_path) == LINES
    ended = [event for event in events(tmp_path) if event["Event"] == "SparkListenerTaskEnd"]
    hosts = {event["Task Info"]["Executor ID"] for event in ended}
    assert hosts
    assert "driver" not in hosts


def events(folder: Path) -> Iterator[dict[str, Any]]:
    """What Spark wrote down of the application."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name.startswith(("app-", "events_")):
            yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())
