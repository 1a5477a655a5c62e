"""Runs work on Ray Data: items stream through tasks of a cluster, with its backpressure, retries and autoscaling."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from logshed.engine_settings import RETRIES
from logshed.engines import parcel, reach
from logshed.errors import EngineError

try:
    import ray
    from ray.data import DataContext
except ImportError as error:
    raise EngineError(f"cannot run on Ray: {error.name} is not installed; pip install 'logshed[ray]'") from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logshed.engine_settings import EngineSettings
    from logshed.engines import Done, Item, Result, Task
    from logshed.engines.parcel import Parcel

# How often a task is begun again cannot be said in another way yet.
warnings.filterwarnings("ignore", "`ray_remote_args` is deprecated")


class RayEngine:
    """Tasks of a Ray cluster.

    Args:
        settings: Where the cluster is, and what a task takes; one is begun on this machine where no address is set.
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
        self.join()
        yield from parcel.run(task, items, self._together, lost, self._task_cpus)

    def slots(self) -> int:
        """Tasks that the cluster has processors for; one that grows by itself has more later.

        Raises:
            EngineError: There is no cluster at the address.
        """
        self.join()
        there = int(ray.cluster_resources().get("CPU", 1))  # type: ignore[no-untyped-call]
        return max(min(there, self._settings.num_cpus or there) // self._task_cpus, 1)

    @property
    def _task_cpus(self) -> int:
        return self._settings.task_cpus or 1

    def join(self) -> None:
        """Reach the cluster, or begin one on this machine; one that this process has joined already is taken.

        Raises:
            EngineError: It cannot be reached.
        """
        if ray.is_initialized():
            return
        address = self._settings.address
        if address not in (None, "auto", "local"):
            reach.assert_listens(address, "Ray", 6379)
        given: dict[str, Any] = {"address": address, "log_to_driver": False, "logging_level": logging.ERROR}
        if address in (None, "local"):
            given |= {"num_cpus": self._settings.num_cpus, "include_dashboard": False}
        for name in ("ray", "ray.data"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # its traces; what went wrong is said in a sentence
        try:
            ray.init(**given)
        except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.RayError) as error:
            raise EngineError(
                f"cannot join the Ray cluster {address or 'of this machine'}: {reach.cause(error)}; "
                "look whether it runs (ray status) and is of this version of Ray and Python"
            ) from error

    @property
    def _most(self) -> int | None:
        """Tasks at once on a cluster that has more processors; one that is begun here has no more."""
        settings = self._settings
        return max(settings.num_cpus // self._task_cpus, 1) if settings.address and settings.num_cpus else None

    def _together(self, sent: Parcel, items: dict[int, bytes]) -> Iterator[tuple[int, bytes]]:
        context = DataContext.get_current().copy()
        context.enable_progress_bars = self.draws
        context.use_ray_tqdm, context.enable_rich_progress_bars = False, True
        rows = [{"number": number, "item": item} for number, item in items.items()]
        with DataContext.current(context):
            waiting = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
                performed,  # type: ignore[arg-type]  # its types know no second parameter
                fn_kwargs={"sent": tuple(sent)},
                batch_format="pyarrow",
                batch_size=None,
                num_cpus=self._task_cpus,
                memory=self._settings.task_memory,
                concurrency=self._most,
                max_retries=RETRIES if self._settings.retries is None else self._settings.retries,
            )
            batch: Any
            for batch in waiting.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
                yield from zip(batch["number"].to_pylist(), batch["done"].to_pylist(), strict=True)


def performed(rows: pa.Table, sent: parcel.Fields) -> pa.Table:
    """Perform the task on items in a worker: a table of ``number`` and ``item`` to one of ``number`` and ``done``."""
    done = [parcel.perform(sent, item) for item in rows["item"].to_pylist()]
    return pa.table({"number": rows["number"], "done": pa.array(done, pa.large_binary())})


def lost(error: Exception) -> bool:
    """Whether an exception says that workers were lost: what tasks raise comes back with what they made."""
    return isinstance(error, ray.exceptions.RayError)


def make(settings: EngineSettings, workers: int | None) -> RayEngine:
    """The engine; threads of this process are not its own."""
    del workers
    return RayEngine(settings)
