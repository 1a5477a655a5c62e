"""``logshed capacity``: how much each service will have to do."""

from __future__ import annotations

from typing import Annotated

import typer

from logshed.cli import chart_lines, output, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.cli.output import Format, FormatOption, OutputOption
from logshed.errors import UsageError

EXAMPLES = (
    "logshed capacity",
    "logshed capacity --horizon 90d --limit-rate 500 --per-replica 40",
    "logshed capacity --service shop --limit-bytes 100MB --chart",
    "logshed capacity --hours --output forecast.csv",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "capacity", capacity, examples=EXAMPLES)


def capacity(
    *,
    since: Annotated[str, typer.Option(metavar="TIME", help="The history begins then.")] = "84d",
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="The history ends then.", show_default=False)
    ] = None,
    horizon: Annotated[str, typer.Option(metavar="LENGTH", help="How far to look ahead.")] = "28d",
    limit_rate: Annotated[
        float | None, typer.Option(metavar="N", help="Requests a second that are too many.", show_default=False)
    ] = None,
    limit_bytes: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Bytes a second that are too many: 100MB.", show_default=False)
    ] = None,
    per_replica: Annotated[
        float | None, typer.Option(metavar="N", help="Requests a second that a replica takes.", show_default=False)
    ] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this collection.", show_default=False)
    ] = None,
    service: Annotated[str | None, typer.Option(metavar="NAME", help="Only this service.", show_default=False)] = None,
    hours: Annotated[bool, typer.Option("--hours", help="Give every hour of the forecast.")] = False,
    chart: Annotated[bool, typer.Option("--chart", help="Draw what was, and what is expected.")] = False,
    lake: LakeOption = None,
    form: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    to: OutputOption = None,
) -> None:
    """Forecast requests and bytes a second of each service: trend, peaks, when a limit is reached, replicas.

    The rate of an hour is its mean: what happens inside an hour is not seen.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    result = Lake.open(lake).capacity(
        since=since,
        until=until,
        horizon=horizon,
        limit_rate=limit_rate,
        limit_bytes=None if limit_bytes is None else _size(limit_bytes),
        per_replica=per_replica,
        collection=collection,
        service=service,
        hours=hours or chart,
    )
    if not chart:
        output.write(result, output.chosen(form, to, as_json=as_json), to)
        return
    for key, own in result.pl().group_by("collection", "service", "metric", maintain_order=True):
        print(terminal.bold(" · ".join(shown(part) for part in key)))
        drawn = own["actual"].fill_null(own["expected"])
        begin = own.filter(own["actual"].is_null())["time"].min()
        for line in chart_lines.line(own["time"].to_list(), drawn.to_list(), width=terminal.width() or 80):
            print(line)
        print(f"expected from {shown(begin)} on\n" if begin is not None else "no forecast: the history is too short\n")


def _size(text: str) -> float:
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - heavy

    from logshed.sizes import Size  # noqa: PLC0415 - heavy

    try:
        return float(TypeAdapter(Size).validate_python(text))
    except ValidationError:
        raise UsageError(f"cannot read the size {text!r}: it is none; write bytes a second as 100MB or 65536") from None
