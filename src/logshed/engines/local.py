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

    from logshed.engines import Bundle, Task
    from logshed.work import Written


class LocalEngine:
    """Threads of this process.

    Args:
        workers: How many; None takes one per processor that this process may use.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or len(os.sched_getaffinity(0))

    def run(self, task: Task, bundles: Iterable[Bundle]) -> Iterator[Done]:
        """Run the task on every bundle; a failure is handed back and stops no other bundle."""
        waiting = iter(bundles)
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="logshed")
        try:
            running = {pool.submit(task, bundle): bundle for bundle in islice(waiting, self.workers)}
            while running:
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    bundle = running.pop(future)
                    for following in islice(waiting, 1):
                        running[pool.submit(task, following)] = following
                    yield _done(bundle, future)
        except BaseException:
            task.stop()
            raise
        finally:
            # A thread that waits for standard input would keep an interrupted run from ending.
            interrupted = isinstance(sys.exc_info()[1], KeyboardInterrupt)
            pool.shutdown(wait=not interrupted, cancel_futures=True)


def _done(bundle: Bundle, future: Future[tuple[Written, ...]]) -> Done:
    error = future.exception()
    if error is None:
        return Done(bundle, future.result())
    if isinstance(error, Exception):
        return Done(bundle, error=error)
    raise error
