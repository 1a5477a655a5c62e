"""``logshed patterns``: the templates of messages."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import asked, output, pattern_table, terminal
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.cli.output import Format, FormatOption, OutputOption
from logshed.errors import UsageError
from logshed.queries.times import EARLIEST

if TYPE_CHECKING:
    from datetime import datetime

    from logshed.api import Lake
    from logshed.pipeline.patterns import Change, Patterns

EXAMPLES = (
    "logshed patterns --since 24h",
    "logshed patterns --since 7d --service checkout --where 'severity_number >= 17'",
    "logshed patterns --new",
    "logshed patterns --new --since 2026-11-01T10:00 --until 2026-11-01T11:00 --baseline 14d",
    "logshed patterns --vanished --since 24h --examples",
    "logshed patterns --since all --output patterns.parquet",
)
WHOLE_MESSAGES = 128


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "patterns", patterns, examples=EXAMPLES, served=True)


def patterns(
    *,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="From then on: 24h, 7d, 2026-11-01, all; 7d by default, 24h for changes.",
            show_default=False,
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Up to then.", show_default=False)] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this collection.", show_default=False)
    ] = None,
    service: Annotated[str | None, typer.Option(metavar="NAME", help="Only this service.", show_default=False)] = None,
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="Only records that this condition holds for.", show_default=False)
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Only templates that do not occur in the time before.")] = False,
    vanished: Annotated[
        bool, typer.Option("--vanished", help="Only templates of the time before that occur no more.")
    ] = False,
    baseline: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="How long the time before is; 7d by default.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", help="Show so many templates; 0 shows all.", min=0)] = 50,
    examples: Annotated[bool, typer.Option("--examples", help="Show a message below each template.")] = False,
    lake: LakeOption = None,
    form: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    to: OutputOption = None,
) -> None:
    """Show what the messages say, with their values taken out: how often, since when, rising or falling.

    Values that are told by their form stay as their kind, such as <NUM>, <IP>, <PATH> or <STR>; <*> is any value,
    <LIST> several. Records without a body, such as requests in access logs, have no message.
    """
    from logshed.sql.result import Result  # noqa: PLC0415 - heavy

    change = _change(baseline, new=new, vanished=vanished)
    opened = asked.opened(lake)
    found = opened.patterns(
        since=since,
        until=until,
        collection=collection,
        service=service,
        where=where,
        change=change,
        baseline=baseline,
    )
    frame = found.frame.head(limit) if limit and to is None else found.frame
    chosen = output.chosen(form, to, as_json=as_json)
    if chosen is Format.TABLE and to is None:
        if frame.height:
            terminal.page(pattern_table.lines(frame, terminal.width(), examples=examples))
    else:
        table = frame.to_arrow()
        output.write(Result(table.schema, table.to_batches()), chosen, to)
    print(_told(opened, found, change, frame.height), file=sys.stderr)


def _change(baseline: str | None, *, new: bool, vanished: bool) -> Change | None:
    if new and vanished:
        raise UsageError("cannot show new and vanished templates at once: they are of two times; give one of both")
    if baseline and not (new or vanished):
        raise UsageError("cannot use --baseline: nothing is compared; give --new or --vanished with it")
    return "new" if new else "vanished" if vanished else None


def _told(lake: Lake, found: Patterns, change: Change | None, shown: int) -> str:
    """What was looked at, in a sentence or two."""
    if not found.messages and not found.before:
        return _nothing(lake)
    some = found.frame.height
    told = f"{some:,} {change + ' ' if change else ''}template{'' if some == 1 else 's'}"
    if found.baseline is None:
        told += f" of {found.messages:,} messages"
    else:
        begun = "before" if found.baseline <= EARLIEST else f"from {_time(found.baseline)} on"
        told += f": {found.messages:,} messages since {_time(found.since)}, compared with the {found.before:,} {begun}"
        if some and not (found.before and found.messages):
            told += f". Where there are none, all are {change}: look at another time with --since or --baseline"
    if shown < some:
        told += f"; {shown:,} shown, --limit 0 shows all"
    if found.tokens < WHOLE_MESSAGES:
        told += f". Too many messages differ: they were compared by their first {found.tokens} words; narrow it down"
    return told + "."


def _nothing(lake: Lake) -> str:
    """Why there is nothing, and what to do: old logs lie before the default window, access logs have no messages."""
    sql = "SELECT min(timestamp), max(timestamp), count(*) FROM logs WHERE body IS NOT NULL"
    first, last, messages = lake.query(sql).rows()[0]
    if not messages:
        return "No messages: no record of the lake has a body; requests of access logs are told by `logshed run`."
    return (
        "No messages are as asked for. The lake holds messages from "
        f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC: try --since {first:%Y-%m-%d}, or --since all."
    )


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
