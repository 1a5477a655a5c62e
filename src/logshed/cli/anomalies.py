"""``logshed anomalies``: what stands out from what is usual, with its history as a line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import charts, output, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.cli.output import Format, FormatOption, OutputOption

if TYPE_CHECKING:
    from logshed.detections.anomalies.model import Detector
    from logshed.sql.result import Result

EXAMPLES = (
    "logshed anomalies",
    "logshed anomalies --since 7d --rule latency_jump",
    "logshed anomalies --since 2015-05-17 --until 2015-05-21 --format ndjson",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "anomalies", anomalies, examples=EXAMPLES)


def anomalies(
    *,
    since: Annotated[
        str, typer.Option(metavar="TIME", help="Judge from then on: 24h, 7d, today, 2026-11-01, all.")
    ] = "24h",
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Up to then.", show_default=False)] = None,
    rule: Annotated[str | None, typer.Option(metavar="NAME", help="Only this detector.", show_default=False)] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this collection.", show_default=False)
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List the detectors.")] = False,
    lake: LakeOption = None,
    form: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    to: OutputOption = None,
) -> None:
    """Show what stands out: errors, latency, volume, silence, clients far above the others. Nothing is written.

    Each bucket of time is judged beside the history before it; without history there is nothing to find.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    opened = Lake.open(lake, check=not list_all)
    if list_all:
        _list(opened.detectors())
        return
    with opened.anomalies(since=since, until=until, rule=rule, collection=collection) as result:
        if as_json or form is not Format.TABLE or to is not None:
            output.write(result, Format.JSON if as_json else form, to)
        elif not terminal.page(line for row in _rows(result) for line in finding_lines(row)):
            print(f"Nothing stands out since {since}.", file=sys.stderr)


def finding_lines(row: dict[str, Any]) -> list[str]:
    """What is told of one finding: its sentence, and the history behind it beside the expected range."""
    import orjson  # noqa: PLC0415 - not for `--help`

    told = row["attributes"]
    history = orjson.loads(told["history"])
    scope = f"{len(history['values'])} buckets of {told['bucket']}"
    return [
        terminal.bold(f"{row['timestamp']:%Y-%m-%d %H:%M}  {row['level']:<8}  {row['rule_name']}"),
        f"  {shown(row['explanation'])}",
        f"  {charts.sparkline(history['values'])}  {scope}, expected {told['expected_low']} to {told['expected_high']}",
    ]


def _rows(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = result.arrow().to_pylist(maps_as_pydicts="lossy")
    return found


def _list(detectors: dict[str, Detector]) -> None:
    size = max(map(len, detectors), default=0)
    for name, one in detectors.items():
        print(f"{terminal.bold(f'{name:<{size}}')}  {one.title} ({one.level})")
    print("\nAsk one with `logshed anomalies --rule NAME`.")
