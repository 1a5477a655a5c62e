"""Runs work in threads of this process: Polars lets go of the interpreter's lock while it works."""

from __future__ import annotations

import os
import sys
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TYPE_CHECKING

from logshed.engines import Done

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logshed.engine_settings import EngineSettings
    from logshed.engines import Item, Result, Task


class LocalEngine:
    """Threads of this process.

    Args:
        workers: How many; None takes one per processor that this process may use.
    """

    elsewhere = False
    draws = False

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or len(os.sched_getaffinity(0))

    def slots(self) -> int:
        """The threads."""
        return self.workers

    def run(self, task: Task[Item, Result], items: Iterable[Item]) -> Iterator[Done[Item, Result]]:
        """Run the task on every item; a failure is handed back and stops no other."""
        waiting = iter(items)
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="logshed")
        try:
            running = {pool.submit(task, item): item for item in islice(waiting, self.workers)}
            while running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    item = running.pop(future)
                    for following in islice(waiting, 1):
                        running[pool.submit(task, following)] = following
                    yield _done(item, future)
        except BaseException:
            task.stop()
            raise
        finally:
            # A thread that waits for standard input would keep an interrupted run from ending.
            interrupted = isinstance(sys.exc_info()[1], KeyboardInterrupt)
            pool.shutdown(wait=not interrupted, cancel_futures=True)


def make(settings: EngineSettings, workers: int | None) -> LocalEngine:
    """The engine; of the settings only the processors are its own."""
    return LocalEngine(workers or settings.num_cpus)


def _done(item: Item, future: Future[Result]) -> Done[Item, Result]:
    error = future.exception()
    if error is None:
        return Done(item, future.result())
    if isinstance(error, Exception):
        return Done(item, error=error)
    raise error
