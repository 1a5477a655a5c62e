"""``logshed rejects``: lines that no format took, and a second try with them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from logshed.cli import output, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.cli.output import Format, FormatOption, OutputOption

MOST_LINES = 5
"""Lines of a rejected record that are shown."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "rejects", rejects, examples=("logshed rejects", "logshed rejects --replay"), logs=True)


def rejects(
    *,
    replay: Annotated[
        bool, typer.Option("--replay", help="Parse them again, after a format was added or corrected.")
    ] = False,
    lake: LakeOption = None,
    form: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    to: OutputOption = None,
) -> None:
    """Show the lines that no format took, with the reason."""
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    opened = Lake.open(lake)
    if replay:
        report = opened.replay_rejects()
        if as_json:
            import orjson  # noqa: PLC0415 - only for --json

            print(orjson.dumps(report.as_dict()).decode())
        else:
            left = report.tried - report.taken
            print(f"Tried {report.tried:,} lines again: {report.taken:,} stored now, {left:,} still rejected.")
            for format_name, lines in report.formats.items():
                print(f"  {format_name}: {lines:,} lines")
        return
    with opened.rejects() as result:
        wanted = Format.JSON if as_json else form
        if wanted is not Format.TABLE or to is not None:
            output.write(result, wanted, to)
        elif not terminal.page(line for row in result.pl().iter_rows(named=True) for line in reject_lines(row)):
            print("No line was rejected.")


def reject_lines(row: dict[str, Any]) -> list[str]:
    """What is told of one rejected record: where it stands, why, and how it begins."""
    text = row["text"].split("\n")
    more = [f"    … {len(text) - MOST_LINES} more lines"] if len(text) > MOST_LINES else []
    place = terminal.bold(f"{shown(row['source'])} at byte {row['offset']:,}")
    return [f"{place}: {shown(row['parse_error'])}", *(f"    {shown(line)}" for line in text[:MOST_LINES]), *more]
