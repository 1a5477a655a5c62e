"""What every ``logshed collect`` command does: run its feeds, show how each target stands, say what came of it."""

from __future__ import annotations

import functools
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import output
from logshed.cli.commands import FAILED
from logshed.cli.progress import SECONDS_BETWEEN_LINES, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from rich.table import Table

    from logshed.pipeline.collect_report import CollectReport
    from logshed.pipeline.planning import Options
    from logshed.settings import Settings
    from logshed.sources.feeds import Feed

IntoLakeOption = Annotated[
    bool, typer.Option("--into-lake", help="Empty the spool into the lake, every few seconds and at the end.")
]
FollowOption = Annotated[bool, typer.Option("--follow", help="Go on with what comes, until Ctrl-C.")]
CollectionOption = Annotated[
    str | None, typer.Option("--collection", metavar="ID", help="Collection of the records.", show_default=False)
]
SHOWN_TARGETS = 40
"""Targets in the panel; of more, those with the most lines."""


def run(
    feeds: Sequence[Feed],
    settings: Settings,
    options: Options,
    *,
    into_lake: bool,
    lake: Path | None,
    as_json: bool,
    save: Path | None = None,
) -> None:
    """Collect from feeds, and exit with 1 where nothing could be collected.

    Args:
        feeds: Where from.
        settings: Settings.
        options: As of an ingest.
        into_lake: Whether to empty the spool into the lake.
        lake: The lake; None takes the setting.
        as_json: Print the report as JSON.
        save: A file to empty the spool into, as JSON lines; its spool is its own, so that it gets all lines.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy
    from logshed.pipeline import saving  # noqa: PLC0415 - heavy
    from logshed.pipeline.collection import Collection  # noqa: PLC0415 - heavy

    if save is not None:
        settings = settings.model_copy(update={"spool": save.with_name(f"{save.name}.spool")})
    saved = None if save is None else functools.partial(saving.save, settings.spool, save)

    with _shown() as progress:
        report = (
            Lake.open(lake, create=True).collect(feeds, settings, options, progress)
            if into_lake
            else Collection(settings, options, None, progress, saved).run(feeds)
        )
    if as_json:
        output.document(report.as_dict())
    else:
        for text in told(report, into_lake=into_lake, spool=settings.spool, save=save):
            print(text, file=sys.stderr)
    if not report.ok:
        raise typer.Exit(FAILED)


def told(report: CollectReport, *, into_lake: bool, spool: Path, save: Path | None = None) -> Iterator[str]:
    """What came of a collection, in sentences."""
    where = f"the spool {spool}" if report.lake or not (into_lake or save) else str(save or "the lake")
    places = f"{len(report.targets):,} {'place' if len(report.targets) == 1 else 'places'}"
    yield f"{report.lines:,} lines of {places} are in {where}, {report.seconds:.1f} s."
    for feed, text in report.failed.items():
        yield f"error: {feed}: {text}"
    for (feed, name), target in report.targets.items():
        if target.state == "failed":
            yield f"error: {feed}: {name}: {target.text}"
    for text in (report.paused, report.lake):
        if text:
            yield f"warning: {text}"
    if not (into_lake or save) and report.lines:
        yield f"Take them into a lake with: logshed ingest spool:{spool}"


@contextmanager
def _shown() -> Iterator[Callable[[CollectReport], None]]:
    """What to call with each report: it draws a panel on a terminal, else a line now and then; on standard error."""
    if not sys.stderr.isatty():
        yield _plain()
        return
    from rich.console import Console  # noqa: PLC0415 - `--help` has no use for it
    from rich.live import Live  # noqa: PLC0415 - as above

    with Live(console=Console(stderr=True), refresh_per_second=4, transient=True) as live:
        yield lambda report: live.update(panel(report))


def panel(report: CollectReport) -> Table:
    """Each target with its state, lines, rate and what is wrong with it."""
    from rich.table import Table  # noqa: PLC0415 - `--help` has no use for it
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, caption=report.paused or report.lake or None)
    for name, right in (
        ("from", 0),
        ("what", 0),
        ("state", 0),
        ("lines", 1),
        ("lines/s", 1),
        ("bytes", 1),
        ("errors", 1),
    ):
        table.add_column(name, justify="right" if right else "left", overflow="ellipsis", no_wrap=True)
    table.add_column("", overflow="ellipsis", no_wrap=True)
    rows = sorted(report.targets.items(), key=lambda item: -item[1].lines)
    for (feed, name), one in sorted(rows[:SHOWN_TARGETS], key=lambda item: item[0]):
        figures = (f"{one.rested:,}", f"{one.rate:,.0f}", size(one.bytes), f"{one.errors:,}")
        table.add_row(*(Text(text) for text in (feed, name, one.state, *figures, one.text)))
    for feed, text in report.failed.items():
        table.add_row(Text(feed), Text(""), Text("failed"), *([Text("")] * 4), Text(text))
    return table


def _plain() -> Callable[[CollectReport], None]:
    last = time.monotonic()
    said: dict[object, str] = {}

    def update(report: CollectReport) -> None:
        nonlocal last
        for (feed, name), target in list(report.targets.items()):
            _say_once(said, (feed, name), f"{feed}: {name}: {target.state}. {target.text}" if target.text else "")
        _say_once(said, "paused", f"paused: {report.paused}" if report.paused else "")
        _say_once(said, "lake", f"warning: {report.lake}" if report.lake else "")
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LINES:
            last = now
            rate = sum(one.rate for one in report.targets.values())
            print(
                f"{report.lines:,} lines of {len(report.targets):,} places, {rate:,.0f} lines/s",
                file=sys.stderr,
                flush=True,
            )

    return update


def _say_once(said: dict[object, str], key: object, text: str) -> None:
    """Print a sentence when it is another than before."""
    if said.get(key, "") != text:
        said[key] = text
        if text:
            print(text, file=sys.stderr, flush=True)
