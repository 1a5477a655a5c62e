"""Runs work that takes long in a few threads, so that many who ask do not hinder each other."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from logshed.errors import OverloadedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.web.who import Person

T = TypeVar("T")
MOST_WAITING = 64
"""Of one person, running or waiting: above it they are told to come again."""
AGAIN_SECONDS = 2.0


class Pool:
    """Threads for statements.

    Args:
        threads: At most so many run at once; None takes two more than there are processors.
    """

    def __init__(self, threads: int | None = None) -> None:
        self._threads = ThreadPoolExecutor(threads or (os.cpu_count() or 1) + 2, "logshed-web")
        self._asked: Counter[str] = Counter()

    async def run(self, person: Person, work: Callable[..., T], *words: object) -> T:
        """What work comes to.

        Args:
            person: For whom.
            work: Runs in a thread.
            words: What it is called with.

        Raises:
            OverloadedError: They ask for too much at once.
        """
        if self._asked[person.name] >= MOST_WAITING:
            raise OverloadedError(
                f"cannot answer: {MOST_WAITING} questions of yours are running; wait for them", after=AGAIN_SECONDS
            )
        self._asked[person.name] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, partial(_done, work, *words))
        finally:
            self._asked[person.name] -= 1
            if not self._asked[person.name]:
                del self._asked[person.name]

    def close(self) -> None:
        """Take nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _done(work: Callable[..., T], *words: object) -> T:
    """What work comes to; a future cannot hold a ``StopIteration``, and who waits for it would wait for good."""
    try:
        return work(*words)
    except StopIteration as error:
        raise RuntimeError("an iterator had no more") from error
