"""Runs work on Spark: an item a partition, through ``mapInArrow``; Spark begins a lost one again."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from logshed.engine_settings import RETRIES
from logshed.engines import parcel, reach
from logshed.errors import EngineError

try:
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession
except ImportError as error:
    raise EngineError(f"cannot run on Spark: {error.name} is not installed; pip install 'logshed[spark]'") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from logshed.engine_settings import EngineSettings
    from logshed.engines import Done, Item, Result, Task
    from logshed.engines.parcel import Parcel

STANDALONE = "spark://"
PYTHON = "PYSPARK_PYTHON"
ROUND = 8
"""Tasks of each core that are asked for at once."""
SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""A variable that ``spark-submit`` sets."""
LOG = Path(__file__).with_name("log4j2.properties")
"""How loud Spark is here: errors alone, unless the user has said something else."""
# Its own code does not use pandas here, and says this of every session.
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)


class SparkEngine:
    """Tasks of a Spark application.

    Args:
        settings: Where the cluster is, and what a task takes; threads of this machine where no address is set.
    """

    elsewhere = True

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self.draws = settings.progress_bars

    def run(self, task: Task[Item, Result], items: Iterable[Item]) -> Iterator[Done[Item, Result]]:
        """Run the task on every item; a failure is handed back and stops no other.

        Raises:
            EngineError: There is no cluster at the address, or its workers are of other versions.
        """
        self.session()
        yield from parcel.run(task, items, self._together, lost, self._task_cpus)

    def slots(self) -> int:
        """Tasks that the application has cores for; one that grows by itself has more later.

        Raises:
            EngineError: There is no cluster at the address.
        """
        return max(self.session().sparkContext.defaultParallelism // self._task_cpus, 1)

    @property
    def _task_cpus(self) -> int:
        return self._settings.task_cpus or int(self.session().conf.get("spark.task.cpus", "1") or 1)

    def session(self) -> SparkSession:
        """The session of this process, or a new one.

        Raises:
            EngineError: There is no cluster at the address.
        """
        found = SparkSession.getActiveSession()
        if found is not None:
            return found
        os.environ.setdefault(PYTHON, sys.executable)
        builder = SparkSession.builder.appName("logshed")
        for name, value in self._options().items():
            builder = builder.config(name, value)
        address = self._address()
        if address:
            builder = builder.master(address)
        try:
            session: SparkSession = builder.getOrCreate()
        except Exception as error:
            where = address or "the master of spark-submit"
            raise EngineError(f"cannot begin Spark at {where}: {reach.cause(error)}; look at its log") from error
        return session

    def _address(self) -> str:
        """The master; empty where ``spark-submit`` has begun this process, which has said it."""
        settings = self._settings
        if settings.address is None:
            again = RETRIES if settings.retries is None else settings.retries
            threads = f"local[{settings.num_cpus or '*'},{again + 1}]"
            return "" if SUBMITTED in os.environ else threads
        if settings.address.startswith(STANDALONE):
            reach.assert_listens(settings.address, "Spark", 7077)
        return settings.address

    def _options(self) -> dict[str, str]:
        """What the user has said of it to us; the rest is as Spark's own settings have it."""
        settings = self._settings
        given: dict[str, object] = {"spark.ui.showConsoleProgress": str(self.draws).lower()}
        if settings.task_cpus:
            given["spark.task.cpus"] = settings.task_cpus
        if settings.retries is not None:
            given["spark.task.maxFailures"] = settings.retries + 1
        if "SPARK_CONF_DIR" not in os.environ:
            given["spark.driver.extraJavaOptions"] = f"-Dlog4j2.configurationFile={LOG.as_uri()}"
        if settings.address and settings.num_cpus:
            given["spark.cores.max"] = settings.num_cpus
        options = {name: str(value) for name, value in given.items()}
        if settings.task_memory:
            # A worker that needs more is refused it, so that the machine's other tasks live on.
            options["spark.executor.pyspark.memory"] = f"{settings.task_memory // 2**20}m"
        return options

    def _together(self, sent: Parcel, items: dict[int, bytes]) -> Iterator[tuple[int, bytes]]:
        """In rounds: what a round has made can be committed while the next is still to come."""
        numbers = list(items)
        size = self.slots() * ROUND
        for begin in range(0, len(numbers), size):
            own = numbers[begin : begin + size]
            work = performing(sent, [items[number] for number in own])
            rows = self.session().range(0, len(own), 1, len(own))
            done = rows.mapInArrow(work, "place long, done binary").collect()
            yield from ((own[place], bytes(data)) for place, data in done)


def performing(
    sent: parcel.Fields, items: list[bytes]
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """What performs the task in a worker on the items whose places it is given."""

    def performed(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            places = batch.column(0).to_pylist()
            done = [parcel.perform(sent, items[place]) for place in places]
            columns = [pa.array(places, pa.int64()), pa.array(done, pa.binary())]
            yield pa.RecordBatch.from_arrays(columns, ["place", "done"])

    return performed


def lost(error: Exception) -> bool:
    """Whether an exception says that workers or executors were lost, and not that they cannot work."""
    return isinstance(error, PySparkException) or type(error).__module__.startswith("py4j")


def make(settings: EngineSettings, workers: int | None) -> SparkEngine:
    """The engine; threads of this process are not its own."""
    del workers
    return SparkEngine(settings)
