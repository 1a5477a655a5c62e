"""Lets whoever begins a statement end it before it gives its first row, which one that sums up much does late."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    End = Callable[[], None]
    Progress = Callable[[], float | None]
    Told = Callable[[End, Progress], None]

_TOLD: ContextVar[Told | None] = ContextVar("told", default=None)


@contextmanager
def telling(told: Told) -> Iterator[None]:
    """What is begun in the block is told.

    Args:
        told: Is given what ends a statement, from any thread, and what tells how much of it is done.
    """
    token = _TOLD.set(told)
    try:
        yield
    finally:
        _TOLD.reset(token)


def begun(end: End, progress: Progress = lambda: None) -> None:
    """Tell that a statement is begun, if somebody wants to know."""
    told = _TOLD.get()
    if told is not None:
        told(end, progress)
