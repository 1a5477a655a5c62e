"""``logshed slo``: how service level objectives stand."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from logshed.cli import charts, output, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.cli.output import Format, FormatOption, OutputOption

EXAMPLES = (
    "logshed slo",
    "logshed slo --json",
    "logshed slo --at 2026-11-01T12:00:00Z --chart",
)
ADVICE = "No objectives: write [[objective]] with name and target into logshed.toml, or ask `logshed run slo`."


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "slo", slo, examples=EXAMPLES)


def slo(
    *,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="As it stood then; now unless given.", show_default=False)
    ] = None,
    chart: Annotated[bool, typer.Option("--chart", help="Draw what is left of the budgets.")] = False,
    lake: LakeOption = None,
    form: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    to: OutputOption = None,
) -> None:
    """Show how the objectives of logshed.toml stand: good requests, error budget, burn rates, when it will be used up.

    `logshed detect` makes findings of those that burn too fast, so alerts tell of them.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    opened = Lake.open(lake)
    result = opened.slo(now=None if at is None else opened.moment(at))
    if not len(result):
        print(ADVICE, file=sys.stderr)
        return
    if not chart:
        output.write(result, output.chosen(form, to, as_json=as_json), to)
        return
    frame = result.pl()
    labels = [f"{one['objective']} · {shown(one['service'])}" for one in frame.iter_rows(named=True)]
    print(terminal.bold("Error budget left, in percent"))
    for line in charts.bars(labels, frame["budget_left_percent"].round(1).to_list(), width=terminal.width() or 80):
        print(line)
