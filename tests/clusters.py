"""Real clusters on loopback that tests start and end: Ray with two nodes, Spark with a master and two workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.ports import free_port
from tests.servers import found

from logshed.engine_settings import EngineSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
HOOKS = ROOT / "tests" / "engines" / "hooks"
WAIT_S = 60
QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For machines of Java that live for a minute: most of their time would go into code that is not run often enough."""


def environment() -> dict[str, str]:
    """What the processes of a cluster, and its drivers, have in their environment."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "PYTHONPATH": f"{HOOKS}:{ROOT / 'src'}:{ROOT}",
        "RAY_AUTH_MODE": "disabled",
        "RAY_DISABLE_IMPORT_WARNING": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_DEDUP_LOGS": "0",
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": QUICK_JAVA,
        "PYTHONWARNINGS": "ignore",
    }


class RayCluster:
    """Two nodes of one processor each, and more on demand.

    Attributes:
        settings: How an engine reaches it.
    """

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster  # noqa: PLC0415 - heavy, and only where such a cluster is needed

        node = {"num_cpus": 1, "object_store_memory": 100 * 2**20, "include_dashboard": False}
        self._cluster: Any = Cluster(initialize_head=True, head_node_args=node)
        self._node = node
        self._added: list[Any] = []
        self.add()
        self.settings = EngineSettings(name="ray", address=self._cluster.address, retries=1)

    def add(self) -> None:
        """One node more."""
        self._added.append(self._cluster.add_node(num_cpus=1, object_store_memory=self._node["object_store_memory"]))

    def lose(self) -> None:
        """The node that was added last goes, with all that it runs."""
        self._cluster.remove_node(self._added.pop(), allow_graceful=False)

    def release(self) -> None:
        """Nothing: a driver that waits holds no processor."""

    def stop(self) -> None:
        """End it."""
        import ray  # noqa: PLC0415 - as above

        ray.shutdown()
        self._cluster.shutdown()


class SparkCluster:
    """A standalone master and two workers of one core each.

    Attributes:
        settings: How an engine reaches it.
    """

    def __init__(self, folder: Path) -> None:
        found("java", "openjdk-17-jre-headless")
        import pyspark  # noqa: PLC0415 - heavy, and only where such a cluster is needed

        self._home = Path(pyspark.__file__).parent
        self._folder = folder
        self._workers: list[subprocess.Popen[bytes]] = []
        port = free_port()
        self._master = self._start("master", "org.apache.spark.deploy.master.Master", "--port", str(port))
        address = f"spark://127.0.0.1:{port}"
        _listening(port, self._master)
        for _ in range(2):
            self.add(address)
        self.settings = EngineSettings(name="spark", address=address, retries=1)

    def _start(self, name: str, main: str, *words: str) -> subprocess.Popen[bytes]:
        log = (self._folder / f"{name}.log").open("wb")
        own = ["--host", "127.0.0.1", "--webui-port", str(free_port())]
        command = [str(self._home / "bin" / "spark-class"), main, *own, *words]
        env = {**environment(), "SPARK_HOME": str(self._home), "SPARK_WORKER_DIR": str(self._folder)}
        with log:
            return subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)

    def add(self, address: str) -> None:
        """One worker more."""
        words = ("--cores", "1", "--memory", "2g", address)
        name = f"worker-{len(self._workers)}"
        self._workers.append(self._start(name, "org.apache.spark.deploy.worker.Worker", *words))

    def lose(self) -> None:
        """The worker that was added last goes, with its executor and all that it runs."""
        _kill(self._workers.pop())

    def release(self) -> None:
        """End this process's session, which holds the cores that another driver waits for."""
        from pyspark.sql import SparkSession  # noqa: PLC0415 - as above

        session = SparkSession._instantiatedSession  # whichever thread began it
        if session is not None:
            session.stop()

    def stop(self) -> None:
        """End it, and the session that this process has with it."""
        from pyspark import SparkContext  # noqa: PLC0415 - as above

        self.release()
        gateway = SparkContext._gateway
        if gateway is not None:
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait(WAIT_S)
            SparkContext._gateway = SparkContext._jvm = None
        for process in (*self._workers, self._master):
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """A process, and those that it has started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(WAIT_S)


def _listening(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens at port {port}")


Cluster = RayCluster | SparkCluster


def started(name: str, folder: Path) -> Iterator[Cluster]:
    """A cluster that is ended at the end; the test is skipped where its package is not installed."""
    pytest.importorskip({"ray": "ray", "spark": "pyspark"}[name])
    with pytest.MonkeyPatch.context() as patch:
        for key, value in environment().items():
            patch.setenv(key, value)
        cluster = RayCluster() if name == "ray" else SparkCluster(folder)
        try:
            yield cluster
        finally:
            cluster.stop()
