"""``logshed ingest --follow``: runs it until it is told to stop, with a line that says how it stands."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING, Any

from logshed.cli import output
from logshed.cli.cells import shown
from logshed.cli.progress import SECONDS_BETWEEN_LINES, size
from logshed.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from logshed.api import Lake
    from logshed.pipeline.following import FollowReport


def run(lake: Lake, paths: Sequence[str], given: dict[str, Any], *, as_json: bool) -> None:
    """Follow files until SIGINT or SIGTERM comes, then say what came of it.

    Args:
        lake: The lake.
        paths: Files, folders and globs.
        given: The options of ``Lake.follow`` that were given.
        as_json: Print the report as JSON.
    """
    stop = stopped_by_signals()
    with _shown() as update:
        report = lake.follow(paths, stop, progress=update, **given)
    if as_json:
        output.document(report.as_dict())
    if report.waiting:
        raise LakeError(f"{report.waiting}; what was not read yet is taken by the next run")
    if as_json:
        return
    print(
        f"Took {report.counts.read:,} lines ({size(report.bytes)}) of {len(report.sources):,} sources in "
        f"{report.batches:,} batches: {report.counts.stored:,} stored, {report.counts.rejected:,} rejected, "
        f"{report.counts.dropped_lines:,} dropped. Everything that was read is in the lake."
    )
    for text in report.lost.values():
        print(shown(text))


def line(report: FollowReport) -> str:
    """How it stands, as one line."""
    said = (
        f"{report.files:,} files followed, {report.counts.read:,} lines, {report.rate:,.0f} lines/s, "
        f"{report.counts.rejected:,} rejected, {report.batches:,} batches, the last in {report.took:.2f} s"
    )
    said += ", waiting for the lake" if report.waiting else ""
    said += f", of {len(report.lost):,} sources something was gone" if report.lost else ""
    return f"{said}, {len(report.failed):,} files cannot be read" if report.failed else said


def stopped_by_signals() -> Event:
    """What the first SIGINT or SIGTERM sets; the second SIGINT ends the program at once."""
    stop = Event()

    def asked(number: int, frame: FrameType | None) -> None:
        del frame
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked)
    return stop


@contextmanager
def _shown() -> Iterator[Callable[[FollowReport], None]]:
    """What to call with each report: a line that changes on a terminal, else one now and then; on standard error."""
    if not sys.stderr.isatty():
        yield _plain()
        return
    from rich.console import Console  # noqa: PLC0415 - `--help` has no use for it
    from rich.live import Live  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    told = _problems()
    with Live(console=Console(stderr=True), refresh_per_second=2, transient=True) as live:

        def update(report: FollowReport) -> None:
            told(report)
            live.update(Text(line(report), no_wrap=True, overflow="ellipsis"))

        yield update


def _plain() -> Callable[[FollowReport], None]:
    last, told, said = time.monotonic(), _problems(), ""

    def update(report: FollowReport) -> None:
        nonlocal last, said
        told(report)
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES and (text := line(report)) != said:
            last, said = now, text
            print(text, file=sys.stderr, flush=True)

    return update


def _problems() -> Callable[[FollowReport], None]:
    """Prints what goes wrong, each thing once."""
    said: set[str] = set()

    def update(report: FollowReport) -> None:
        texts = [f"error: {text}" for text in report.failed.values()]
        texts += [f"drift: {source}: {text}" for source, text in report.drift.items()]
        texts += [f"warning: {told}" for told in (report.live, report.waiting) if told]
        for text in texts:
            if text not in said:
                said.add(text)
                print(text, file=sys.stderr, flush=True)

    return update
