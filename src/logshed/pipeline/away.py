"""Runs tasks by an engine; where that is elsewhere, workers first look whether they reach the lake."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, cast
from uuid import uuid4

from logshed import buckets
from logshed.engines import Item, Result, made
from logshed.engines.local import LocalEngine
from logshed.errors import EngineError, StorageError
from logshed.kafka_settings import KafkaAccess
from logshed.lake import remote, storage
from logshed.lake.pinned import Pinned
from logshed.pipeline.tables import LakeTables
from logshed.sources import kafka_client

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logshed.buckets import Access
    from logshed.engines import Done, Engine, Task
    from logshed.lake.store import Store
    from logshed.settings import Settings
    from logshed.sql.duckdb import Limits
    from logshed.storage_settings import StorageSettings

PROBE = "worker-check-"
"""What the file is called by which workers see that the driver's warehouse is theirs. It lies in the ledger's folder,
from which upkeep removes what a driver that was killed has left."""


@dataclass(frozen=True, slots=True)
class Site:
    """What a process needs to know before it works on a lake.

    Attributes:
        storage: How the lake's files are reached.
        objects: How object stores are reached that logs are read from.
        probe: A file that the driver has put into the warehouse; empty where nothing is written.
        token: What is in it.
        kafka: How clusters of Kafka are reached.
    """

    storage: StorageSettings
    objects: Access
    probe: str = ""
    token: str = ""
    kafka: KafkaAccess = field(default_factory=KafkaAccess)


class Sited(Generic[Item, Result]):
    """A task that works only where the lake is in reach.

    Args:
        task: The task.
        site: The lake.
    """

    def __init__(self, task: Task[Item, Result], site: Site) -> None:
        self._task = task
        self._site = site

    def __call__(self, item: Item, /) -> Result:
        """Do the task.

        Raises:
            EngineError: This machine does not reach the lake.
        """
        site = self._site
        kafka_client.use(site.kafka)
        buckets.use(site.objects)  # each time: a worker may serve several lakes in turn
        remote.use(site.storage)
        if site.probe:
            _assert_reached(site.probe, site.token)
        return self._task(item)

    def stop(self) -> None:
        """Give up what is under way."""
        self._task.stop()


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs a verb's tasks.

    Attributes:
        engine: By what.
        settings: How lakes and object stores are reached.
    """

    engine: Engine
    settings: Settings

    @classmethod
    def here(cls, settings: Settings) -> Runner:
        """One task after another, in this process."""
        return cls(LocalEngine(1), settings)

    @classmethod
    def of(cls, settings: Settings, workers: int = 1) -> Runner:
        """By the engine of the settings; here so many at once, since most tasks fill the processors by themselves.

        Raises:
            EngineError: A package that it needs is not installed.
        """
        return cls(made(settings.engine, workers), settings)

    @property
    def elsewhere(self) -> bool:
        """Whether tasks run in other processes."""
        return self.engine.elsewhere

    def tables(self, store: Store) -> LakeTables:
        """A lake's tables for tasks that ask them: for those elsewhere, as they are at this moment.

        Raises:
            LakeError: The lake cannot be read.
        """
        return LakeTables(Pinned.of(store)) if self.elsewhere else LakeTables(lambda: store)

    @property
    def limits(self) -> Limits:
        """What a statement of a task may take."""
        engine = self.settings.engine
        if not self.elsewhere:
            return {}
        memory: Limits = {"memory_limit": f"{engine.task_memory}B"} if engine.task_memory else {}
        return {"threads": engine.task_cpus or 1, **memory}

    def run(self, store: Store | None, task: Task[Item, Result], items: Iterable[Item]) -> Iterator[Done[Item, Result]]:
        """Run a task on every item.

        Args:
            store: The lake that is read or written; None in a dry run.
            task: The task.
            items: The items.

        Raises:
            EngineError: The engine cannot be reached, or its workers do not reach the lake.
        """
        if not self.elsewhere:
            yield from self.engine.run(task, items)
            return
        with _marked(self.settings, store) as site:
            yield from self.engine.run(Sited(task, site), items)

    def results(self, store: Store | None, task: Task[Item, Result], items: Iterable[Item]) -> Iterator[Result]:
        """What a task gives for each item, in any order; the first failure ends it.

        Raises:
            Exception: What a task raised.
            EngineError: As ``run``.
        """
        for done in self.run(store, task, items):
            if done.error is not None:
                raise done.error
            yield cast("Result", done.result)


@contextmanager
def _marked(settings: Settings, store: Store | None) -> Iterator[Site]:
    objects, kafka = settings.objects.access(settings.storage), settings.kafka.access()
    if store is None:
        yield Site(settings.storage, objects, kafka=kafka)
        return
    token = uuid4().hex
    site = Site(store.backing.storage, objects, f"{store.ledger_folder()}/{PROBE}{token}", token, kafka)
    storage.write(site.probe, token.encode())
    try:
        yield site
    finally:
        storage.remove(site.probe)


@lru_cache(maxsize=4)
def _assert_reached(probe: str, token: str) -> None:
    """Look whether the driver's warehouse is in reach, once a run.

    Raises:
        EngineError: It is not.
    """
    try:
        same = storage.read(probe) == token.encode()
        cause = "another file lies there"
    except (OSError, StorageError) as error:
        same, cause = False, str(error)
    if not same:
        folder = probe.rpartition("/")[0]
        raise EngineError(
            f"cannot reach the lake's warehouse {folder} from the worker on {socket.gethostname()}: {cause}; "
            "let every machine mount it at this path, or set [storage] warehouse to a place that all reach"
        )
