"""``logshed erase``: takes what the lake holds of a person out of every place, and proves it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import output, tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, LakeOption, add
from logshed.cli.progress import size
from logshed.errors import UsageError

if TYPE_CHECKING:
    from logshed.pipeline.erasing import Erased

EXAMPLES = (
    "logshed erase --user u-4711 --dry-run",
    "logshed erase --user -                                # the id is read from standard input",
    "logshed erase --column client_address --value 192.0.2.7",
    "logshed erase --column user_id --value ada@example.com --anywhere",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "erase", erase, examples=EXAMPLES, logs=True)


def erase(
    *,
    user: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The user's id as the logs had it, or - for stdin.", show_default=False),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A column of logs, or the key of an attribute.", show_default=False),
    ] = None,
    value: Annotated[
        str | None, typer.Option(metavar="VALUE", help="Its value, or - for stdin.", show_default=False)
    ] = None,
    anywhere: Annotated[
        bool, typer.Option("--anywhere", help="Look for the plain value in all texts too, as a whole word.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be erased.")] = False,
    alone: Annotated[
        bool, typer.Option("--alone", help="Nothing else uses the lake: young files of no table go too.")
    ] = False,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase every record with a value, or a pseudonym of it, from every table, old state and the hot store.

    Only files that hold it are rewritten. In the end every file is read to see that none holds it, and a signed receipt
    is written; what could not be cleaned is named, and the exit code is 1 then. Stopped at any moment, the same command
    goes on. A value on the command line is in the list of processes: with - it is read from standard input.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    done = Lake.open(lake).erase(
        user=_given(user),
        column=column,
        value=_given(value),
        anywhere=anywhere,
        dry_run=dry_run,
        alone=alone,
        progress=_progress if sys.stderr.isatty() else None,
    )
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    output.document(done.as_dict()) if as_json else _show(done)
    if not done.ok:
        raise typer.Exit(FAILED)


def _given(text: str | None) -> str | None:
    if text != "-":
        return text
    lines = [line.strip() for line in sys.stdin if line.strip()]
    if len(lines) != 1:
        raise UsageError(f"cannot erase: standard input has {len(lines)} lines; give one value")
    return lines[0]


def _show(done: Erased) -> None:
    rows = [[name, count] for name, count in sorted(done.rows.items())]
    if rows:
        terminal.page(tables.table(("table", "rows"), rows, terminal.width()))
    would = "would be " if done.dry else ""
    whole = f", {done.dropped:,} of them as a whole" if done.dropped else ""
    print(f"{sum(done.rows.values()):,} rows {would}erased from {done.files:,} files ({size(done.bytes)}){whole}.")
    if not done.dry:
        print(
            f"{done.days:,} days of gold tables computed anew, {done.hot:,} lines out of the hot store, "
            f"{done.removed:,} old files removed, {done.checked:,} files read to check."
        )
    if done.unkeyed:
        print(f"Pseudonyms were not looked for: {done.unkeyed}")
    if done.mentions:
        print(
            f"{done.mentions:,} more rows have the value as a word in some text, perhaps as somebody else's: "
            "--anywhere erases these, too."
        )
    for begun in done.unfinished:
        print(f"An erasure that was begun {begun} was not finished: run it again.")
    for path, why in sorted(done.left.items()):
        print(f"{terminal.bold('not clean')} {shown(path)}: {why}")
    if done.receipt:
        print(f"receipt {done.receipt}")


def _progress(text: str) -> None:
    sys.stderr.write(f"\r\x1b[K{text} …")
    sys.stderr.flush()
