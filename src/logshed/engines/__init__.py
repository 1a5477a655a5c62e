"""Ways to run work: one file per engine, each with ``run(task, bundles)`` and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logshed.work import Split, Written

Bundle = tuple["Split", ...]
"""Splits that one task takes together, so that small files share data files."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a task made of a bundle.

    Attributes:
        bundle: The bundle.
        written: What was written, one a split; empty where the task failed.
        error: The exception that ended the task, or None.
    """

    bundle: Bundle
    written: tuple[Written, ...] = ()
    error: Exception | None = None


class Task(Protocol):
    """What is done with a bundle."""

    def __call__(self, bundle: Bundle) -> tuple[Written, ...]:
        """Do it; called from several threads or processes at once."""
        ...

    def stop(self) -> None:
        """Give up what is under way in this process, soon: nobody waits for it any more."""
        ...


class Engine(Protocol):
    """A way to run work."""

    def run(self, task: Task, bundles: Iterable[Bundle]) -> Iterator[Done]:
        """Run the task on every bundle, in any order, each exactly once; end early by closing the iterator."""
        ...
