"""Shows how far an ingest is: a bar on a terminal, else a plain line every few seconds; on standard error."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.pipeline.outcome import Progress

SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def shown() -> Iterator[Callable[[Progress], None]]:
    """What to call with each progress, for as long as it lasts."""
    if sys.stderr.isatty():
        with _bar() as update:
            yield update
    else:
        yield now_and_then(line)


def size(count: float) -> str:
    """A number of bytes with its unit."""
    for unit, one in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= one:
            return f"{count / one:,.1f} {unit}"
    return f"{count:.0f} B"


def left(progress: Progress) -> str:
    """The time that it will still take, if it goes on like this."""
    if not progress.bytes_total or not progress.bytes_done:
        return "?"
    seconds = progress.elapsed_s * max(0, progress.bytes_total - progress.bytes_done) / progress.bytes_done
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def line(progress: Progress) -> str:
    """Where it is, as one line."""
    total = f" of {size(progress.bytes_total)}" if progress.bytes_total else ""
    return (
        f"{size(progress.bytes_done)}{total}, {progress.lines:,} lines, {_rate(progress):,.0f} lines/s, "
        f"{progress.rejected:,} rejected, {left(progress)} left, {progress.current}"
    )


def _rate(progress: Progress) -> float:
    return progress.lines / max(progress.elapsed_s, 1e-3)


def now_and_then(text: Callable[..., str]) -> Callable[..., None]:
    """What to call with each progress where there is no terminal: it prints what ``text`` makes of it, seldom."""
    last = time.monotonic()

    def update(*progress: object) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            last = now
            print(text(*progress), file=sys.stderr, flush=True)

    return update


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console  # noqa: PLC0415 - `--help` has no use for it
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn  # noqa: PLC0415 - as above
    from rich.progress import Progress as Bar  # noqa: PLC0415 - as above

    columns = (BarColumn(bar_width=24), TaskProgressColumn(), TextColumn("{task.description}", markup=False))
    bar = Bar(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=None)

    def update(progress: Progress) -> None:
        bar.start()  # only now: an engine that draws its own never comes here
        total = progress.bytes_total or None
        bar.update(task, completed=progress.bytes_done, total=total, description=line(progress))

    try:
        yield update
    finally:
        bar.stop()
