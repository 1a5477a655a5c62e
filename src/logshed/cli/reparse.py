"""``logshed reparse``: records made anew from the lines that rest, after a format was mended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import EngineOptions, JsonOption, LakeOption, add

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logshed.pipeline.reparse_report import Reparsed

COLUMNS = ("read on", "records", "before", "rejected", "before", "joined", "seconds")
MOST_COLUMNS = 12
"""Columns of ``logs`` that are named with what they gained or lost."""
EXAMPLES = (
    "logshed reparse --since 7d --dry-run",
    "logshed reparse --since 2026-11-01 --until 2026-11-08 --collection shop",
    "logshed reparse --since all --source 'file:*/app.log' --format java",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "reparse", reparse, examples=EXAMPLES, logs=True)


def reparse(
    *,
    since: Annotated[str, typer.Option(help="Lines that were read since then: 24h, 7d, 2026-01-01, all.")],
    until: Annotated[
        str | None, typer.Option(help="Lines that were read before; without it all.", show_default=False)
    ] = None,
    form: Annotated[
        str, typer.Option("--format", metavar="CHOICE", help="A format for all of them; auto looks at each source.")
    ] = "auto",
    collection: Annotated[
        list[str] | None, typer.Option(help="Only of this collection; may be repeated.", show_default=False)
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="GLOB", help="Only of sources that this matches.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    lake: LakeOption = None,
    run_by: EngineOptions,
    as_json: JsonOption = False,
) -> None:
    """Make the records of lines that rest anew, after a format was added or mended, and say what changed.

    What was read on a day is replaced at once. It may run beside anything else, and be stopped: days before are done.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    done = Lake.open(lake, engine=run_by).reparse(
        since,
        until,
        format=form,
        collections=collection or (),
        source=source,
        dry_run=dry_run,
        progress=_progress if sys.stderr.isatty() else None,
    )
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        told = {"dry_run": dry_run, "days": [one.as_dict() for one in done]}
        print(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode())
    elif not terminal.page(_lines(done, dry=dry_run)):
        print("No line was read in that time.")


def _lines(done: Sequence[Reparsed], *, dry: bool) -> Iterator[str]:
    if not done:
        return
    rows = [[one.day, one.rows[1], one.rows[0], one.errors[1], one.errors[0], one.joined, one.seconds] for one in done]
    yield from tables.table(COLUMNS, rows, terminal.width())
    formats: dict[tuple[str, str], int] = {}
    columns: dict[str, list[int]] = {}
    for one in done:
        for key, lines in one.formats.items():
            formats[key] = formats.get(key, 0) + lines
        for name, (before, after) in one.columns.items():
            columns[name] = [own + more for own, more in zip(columns.get(name, [0, 0]), (before, after), strict=True)]
    for (was, now), lines in sorted(formats.items()):
        if was != now:
            yield f"{lines:,} lines of {shown(was) or 'no format'} are read as {shown(now) or 'no format'}."
    most = sorted(columns.items(), key=lambda item: -abs(item[1][1] - item[1][0]))
    for name, (before, after) in most[:MOST_COLUMNS]:
        yield f"{name}: {after:,} values, {before:,} before."
    if len(most) > MOST_COLUMNS:
        yield f"… and {len(most) - MOST_COLUMNS} more columns; --json names all."
    yield "Nothing was changed." if dry else "Run `logshed aggregate` and `logshed detect` to bring it there, too."


def _progress(text: str) -> None:
    sys.stderr.write(f"\r\x1b[K{text} …")
    sys.stderr.flush()
