"""``logshed live import``: logs straight into the hot store."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import collect_tail, following, hot, output, progress, reading
from logshed.cli.commands import FAILED, JsonOption, add, let_interrupts_through

if TYPE_CHECKING:
    from logshed.pipeline.live_import import ImportReport

EXAMPLES = (
    "tail -n0 -F /var/log/nginx/access.log | logshed live import --collection-from ' ([0-9]+)$'",
    "logshed live import access.log --collection shop",
    "logshed live import spool:./logshed-spool --redis redis://127.0.0.1:6379/1",
)


def register(group: typer.Typer) -> None:
    """Add the command."""
    add(group, "import", import_logs, examples=EXAMPLES)


def import_logs(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Files, folders, globs, `spool:DIR`; standard input unless given."),
    ] = None,
    *,
    redis: hot.RedisOption = None,
    collection_from: collect_tail.CollectionFromOption = None,
    keep_unmatched: collect_tail.KeepUnmatchedOption = None,
    match: collect_tail.MatchOption = None,
    where: collect_tail.WhereOption = None,
    format: reading.FormatNameOption = "auto",  # noqa: A002 - the option's name
    collection: Annotated[
        str | None, typer.Option(metavar="ID", help="Collection of the records.", show_default=False)
    ] = None,
    service: Annotated[
        str | None, typer.Option(metavar="NAME", help="Service that wrote them.", show_default=False)
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Zone of timestamps that name none.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Redact, parse and count logs in the hot store, and keep the newest lines there. A file counts once."""
    from logshed.pipeline.live_import import Choosing, LiveImport  # noqa: PLC0415 - heavy
    from logshed.pipeline.planning import Options  # noqa: PLC0415 - heavy
    from logshed.sources.sorting import Sorting  # noqa: PLC0415 - heavy

    let_interrupts_through()
    Sorting(match or "", collection_from or "", keep_unmatched or "").check()
    settings = hot.settings_for(redis)
    settings = collect_tail.selecting(settings, where, [""]) if where else settings
    options = Options(
        format=reading.chosen(format, None, None, None),
        collection=collection or settings.collection,
        service=service,
        timezone=timezone,
    )
    choosing = Choosing(match or "", collection_from or "", keep_unmatched or "")
    stop = following.stopped_by_signals()
    with hot.opened(settings) as store:
        report = LiveImport(store, settings, options, choosing, progress.now_and_then(line)).run(paths or ["-"], stop)
    if as_json:
        output.document(report.as_dict())
    else:
        print(line(report), file=sys.stderr)
        for text in report.problems:
            print(f"error: {text}", file=sys.stderr)
    if report.problems and not report.counts.read:
        raise typer.Exit(FAILED)


def line(report: ImportReport) -> str:
    """What came of it, as one line."""
    dropped = report.counts.dropped | report.dropped
    told = "".join(f", {count:,} dropped: {why}" for why, count in dropped.items())
    rate = report.counts.read / max(report.seconds, 1e-3)
    return (
        f"Took {report.counts.read:,} lines in {report.seconds:,.1f} s ({rate:,.0f} lines/s): "
        f"{report.counted:,} records counted now, {report.counts.rejected:,} of no known format{told}."
    )
