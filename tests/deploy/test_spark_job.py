"""The image of the Spark jobs starts Logshed as a pod's driver, and an executor with all its orders."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.deploy.terraforming import AWS
from tests.pipeline.samples import accesses

from logshed.api import Lake

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(shutil.which("java") is None, reason="needs Java"),
]
JOB = AWS / "images" / "spark-job"


def started(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The entrypoint, with the environment of a pod."""
    environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable, **more}
    return subprocess.run(
        ["bash", ROOT / "deploy" / "docker" / "spark", *words],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
        timeout=300,
    )


def test_a_driver_runs_the_command_with_the_session_of_spark_submit(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    (tmp_path / "access.log").write_text(accesses(0, 50))
    (tmp_path / "spark.properties").write_text("spark.master=local[1]\nspark.ui.enabled=false\n")
    words = ["ingest", str(tmp_path / "access.log"), "--engine", "spark", "--lake", str(tmp_path / "lake")]
    ran = started(
        tmp_path,
        *("driver", "--properties-file", "spark.properties", "--class", "org.apache.spark.deploy.PythonRunner"),
        f"local://{JOB / 'job.py'}",
        *words,
        SPARK_DRIVER_BIND_ADDRESS="127.0.0.1",
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "50 stored" in ran.stdout
    lake = Lake.open(tmp_path / "lake")
    assert lake.query("SELECT count(*) FROM logs").rows() == [(50,)]


def test_an_executor_gets_every_order_and_looks_for_its_driver(tmp_path: Path) -> None:
    pytest.importorskip("pyspark")
    ran = started(
        tmp_path,
        "executor",
        SPARK_JAVA_OPT_0="-Dspark.driver.port=9",
        SPARK_JAVA_OPT_1="-Dspark.rpc.numRetries=1",
        SPARK_JAVA_OPT_2="-Dspark.rpc.askTimeout=5s",
        SPARK_EXECUTOR_MEMORY="256m",
        SPARK_DRIVER_URL="spark://CoarseGrainedScheduler@127.0.0.1:9",
        SPARK_EXECUTOR_ID="1",
        SPARK_EXECUTOR_CORES="1",
        SPARK_APPLICATION_ID="spark-tests",
        SPARK_EXECUTOR_POD_IP="127.0.0.1",
        SPARK_RESOURCE_PROFILE_ID="0",
        SPARK_EXECUTOR_POD_NAME="executor-1",
    )
    assert ran.returncode != 0
    assert "127.0.0.1:9" in ran.stdout + ran.stderr
    assert "Usage" not in ran.stderr


def test_any_other_word_is_logsheds(tmp_path: Path) -> None:
    ran = started(tmp_path, "--version", PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert ran.stdout.startswith("logshed ")
