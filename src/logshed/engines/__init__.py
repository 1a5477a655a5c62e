"""Ways to run work: one file per engine, each with ``run(task, items)`` and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logshed.engine_settings import EngineSettings
    from logshed.work import Split

Bundle = tuple["Split", ...]
"""Splits that one task takes together, so that small files share data files."""

Item = TypeVar("Item")
Result = TypeVar("Result")
_Taken_contra = TypeVar("_Taken_contra", contravariant=True)
_Given_co = TypeVar("_Given_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Done(Generic[Item, Result]):
    """What a task made of an item.

    Attributes:
        item: The item.
        result: What the task gave; None where it failed.
        error: The exception that ended the task, or None.
    """

    item: Item
    result: Result | None = None
    error: Exception | None = None


class Task(Protocol[_Taken_contra, _Given_co]):
    """What is done with an item: a bundle of splits, a group of files, a day. Picklable for engines elsewhere."""

    def __call__(self, item: _Taken_contra, /) -> _Given_co:
        """Do it; called from several threads or processes at once, and again where a worker was lost."""
        ...

    def stop(self) -> None:
        """Give up what is under way in this process, soon: nobody waits for it any more."""
        ...


class Engine(Protocol):
    """A way to run work.

    Attributes:
        elsewhere: Whether tasks run in other processes, perhaps on other machines.
        draws: Whether it draws its own progress on the terminal.
    """

    elsewhere: bool
    draws: bool

    def slots(self) -> int:
        """How many tasks run at once, now.

        Raises:
            logshed.errors.EngineError: As ``run``.
        """
        ...

    def run(self, task: Task[Item, Result], items: Iterable[Item]) -> Iterator[Done[Item, Result]]:
        """Run the task on every item, in any order; end early by closing the iterator.

        Raises:
            logshed.errors.EngineError: The engine cannot be reached, or its workers cannot do this work.
        """
        ...


def made(settings: EngineSettings, workers: int | None = None) -> Engine:
    """The engine that the settings name.

    Args:
        settings: Which, and how it is reached.
        workers: Threads of ``local``; None takes one per processor.

    Raises:
        logshed.errors.EngineError: A package that it needs is not installed.
    """
    engine: Engine = import_module(f"logshed.engines.{settings.name}").make(settings, workers)
    return engine
