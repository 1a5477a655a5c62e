"""What travels between the driver and workers elsewhere, as bytes: a task, its items, and what came of them."""

from __future__ import annotations

import logging
import os
import pickle
import platform
import re
import socket
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from logshed.engines import Done
from logshed.engines.reach import MOST
from logshed.errors import EngineError, WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from logshed.engines import Item, Result, Task

log = logging.getLogger(__name__)


POLARS_THREADS = "POLARS_MAX_THREADS"
"""Is read when Polars is imported, which a worker does with its first task."""
Fields = tuple[str, str, int, bytes]
UNFIT = re.compile(r"(?:No module named|\[PYTHON_VERSION_MISMATCH\]|Cannot run program).*")
"""What Ray or Spark say of workers that cannot even open a task: they lack a package, or this Python."""
TOLD = re.compile(r"^[: ]*[\w.$]*(?:Error|Exception)\b.*", re.MULTILINE)
"""The line of a trace that says what went wrong."""


class Parcel(NamedTuple):
    """A task on its way to workers.

    Attributes:
        python: Version of Python that packed it, ``3.11``.
        logshed: Version of Logshed that packed it.
        threads: Processors that a task takes.
        task: The task, pickled.
    """

    python: str
    logshed: str
    threads: int
    task: bytes


def packed(task: object, threads: int) -> Parcel:
    """A task for workers of the same versions."""
    return Parcel(*versions(), threads, pickle.dumps(task))


def perform(parcel: Fields, item: bytes) -> bytes:
    """Do the task in a worker; what goes wrong comes back as what came of it.

    Args:
        parcel: The fields of a ``Parcel``.
        item: The item, pickled.

    Returns:
        The result and the exception, one of them None, pickled.
    """
    try:
        python, version, threads, task = parcel
        assert_same(python, version)
        os.environ.setdefault(POLARS_THREADS, str(threads))
        return pickle.dumps((_task(task)(pickle.loads(item)), None))  # noqa: S301 - from our own driver
    except Exception as error:  # noqa: BLE001 - the driver judges it
        return _failure(error)


def run(
    task: Task[Item, Result],
    items: Iterable[Item],
    together: Callable[[Parcel, dict[int, bytes]], Iterator[tuple[int, bytes]]],
    lost: Callable[[Exception], bool],
    threads: int = 1,
) -> Iterator[Done[Item, Result]]:
    """Run a task on items elsewhere. Where a worker is lost again and again, each item that is left runs alone.

    Args:
        task: The task.
        items: The items.
        together: Performs numbered items on the engine, and gives what came of each, by its number.
        lost: Whether an exception of ``together`` says that a worker was lost.
        threads: Processors that a task takes.

    Raises:
        EngineError: Workers cannot do this work at all.
    """
    parcel, every = packed(task, threads), dict(enumerate(items))
    rounds = [every] if every else []
    while rounds:
        left = rounds.pop(0)
        try:
            yield from _arrived(left, together(parcel, {number: pickle.dumps(item) for number, item in left.items()}))
        except Exception as error:
            if not lost(error):
                raise
            if UNFIT.search(str(error)):
                raise _unfit(error, parcel) from error
            if len(left) == 1:
                yield Done(left.popitem()[1], error=_lost(error))
                continue
            log.warning("a worker was lost again and again: each of the %d tasks left runs alone", len(left))
            rounds = [{number: item} for number, item in left.items()]


def _unfit(error: Exception, parcel: Parcel) -> EngineError:
    return EngineError(
        f"cannot work on the cluster: {_told(error)}; "
        f"install Python {parcel.python} and Logshed {parcel.logshed}, which the driver has, on every node "
        "(Spark's workers take the Python that PYSPARK_PYTHON names)"
    )


def _lost(error: Exception) -> WorkerLostError:
    return WorkerLostError(
        f"cannot finish a task: the worker that ran it was lost each time ({_told(error)}); "
        "out of memory perhaps: let fewer tasks run on a machine at once (--task-memory)"
    )


def _told(error: Exception) -> str:
    """What went wrong, of a long trace the line that says so."""
    text = str(error).strip()
    found = UNFIT.search(text) or TOLD.search(text)
    told = found.group() if found else (text.splitlines() or [type(error).__name__])[0]
    return told.strip(" :.")[:MOST]


def _arrived(left: dict[int, Item], results: Iterator[tuple[int, bytes]]) -> Iterator[Done[Item, Any]]:
    for number, data in results:
        result, error = pickle.loads(data)  # noqa: S301 - from our own worker
        if isinstance(error, EngineError) and not isinstance(error, WorkerLostError):
            raise error
        yield Done(left.pop(number), result, error)


def versions() -> tuple[str, str]:
    """Those of Python and of Logshed in this process."""
    # Not by an import: the package's front stands above the engines.
    return ".".join(platform.python_version_tuple()[:2]), str(sys.modules["logshed"].__version__)


def assert_same(python: str, version: str) -> None:
    """Refuse a driver of other versions.

    Raises:
        EngineError: They are others; both are named.
    """
    own = versions()
    if own != (python, version):
        raise EngineError(
            f"cannot work on {socket.gethostname()}: it has Python {own[0]} and Logshed {own[1]}, the driver has "
            f"Python {python} and Logshed {version}; install the same versions on both"
        )


@lru_cache(maxsize=2)
def _task(data: bytes) -> Callable[[Any], Any]:
    """The task, the same for all items that a process gets, so that what it opens stays open."""
    return cast("Callable[[Any], Any]", pickle.loads(data))  # noqa: S301 - from our own driver


def _failure(error: Exception) -> bytes:
    try:
        data = pickle.dumps((None, error))
        pickle.loads(data)  # noqa: S301 - our own; some exceptions cannot be made again of what they were pickled to
    except Exception:  # noqa: BLE001 - any library's exception may be so
        return pickle.dumps((None, RuntimeError(f"{type(error).__name__}: {error}")))
    return data
