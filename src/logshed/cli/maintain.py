"""``logshed maintain``: retention, compaction, expiry, removal of what nothing names."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import tables, terminal
from logshed.cli.commands import FAILED, EngineOptions, JsonOption, LakeOption, add
from logshed.cli.progress import size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.pipeline.maintain import Upkeep

COLUMNS = ("task", "table", "done", "seconds")
EXAMPLES = (
    "logshed maintain                       # all of it; once a day is enough",
    "logshed maintain --dry-run",
    "logshed maintain retain --dry-run      # what [retain] in logshed.toml would take away",
    "logshed maintain compact --table logs",
    "logshed maintain orphans --grace 7d",
)


class Task(StrEnum):
    """What to do."""

    ALL = "all"
    RETAIN = "retain"
    COMPACT = "compact"
    REWRITE_MANIFESTS = "rewrite-manifests"
    EXPIRE = "expire"
    ORPHANS = "orphans"


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "maintain", maintain, examples=EXAMPLES, logs=True)


def maintain(
    task: Annotated[Task, typer.Argument(help="What to do.")] = Task.ALL,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this table, or ledger; may be repeated.", show_default=False),
    ] = None,
    grace: Annotated[
        str, typer.Option(metavar="SPAN", help="How long that stays which is no longer, or not yet, in a table.")
    ] = "24h",
    alone: Annotated[
        bool, typer.Option("--alone", help="Nothing else uses the lake: --grace may be shorter than 12h.")
    ] = False,
    lake: LakeOption = None,
    run_by: EngineOptions,
    as_json: JsonOption = False,
) -> None:
    """Keep a lake quick and small: take away what is old, make large files of small ones, remove what nothing names.

    It may run beside anything that reads or writes the lake, and be stopped at any moment: the next run goes on.
    Rows that were kept for longer than [retain] in logshed.toml says, or its defaults, go: --dry-run tells which.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    done = Lake.open(lake, engine=run_by).maintain(
        () if task is Task.ALL else (task.value,),
        tables=table or (),
        grace=grace,
        dry_run=dry_run,
        alone=alone,
        progress=_progress if sys.stderr.isatty() else None,
    )
    _end(done, dry=dry_run, as_json=as_json)


def _end(done: Sequence[Upkeep], *, dry: bool, as_json: bool) -> None:
    """Say what came of it."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        shown = {"dry_run": dry, "did": [one.as_dict() for one in done]}
        print(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(done, dry=dry)
    for one in done:
        if one.error:
            print(f"error: {one.error}", file=sys.stderr)
    if any(one.error for one in done):
        raise typer.Exit(FAILED)


def _show(done: Sequence[Upkeep], *, dry: bool) -> None:
    rows = [[one.task, one.table, _told(one, dry=dry), one.seconds] for one in done if not one.idle]
    if rows:
        terminal.page(tables.table(COLUMNS, rows, terminal.width()))
    else:
        print("Nothing to do.")
    first = [one for one in done if one.first]
    if first:
        print(_first(first, dry=dry))
    kept = sum(one.kept for one in done)
    if kept:
        print(f"{kept:,} files that nothing names are younger than the grace period and stay for now.")


def _first(done: Sequence[Upkeep], *, dry: bool) -> str:
    """What somebody should know who never heard of retention."""
    rows, tables_of = sum(one.rows for one in done), ", ".join(one.table for one in done)
    now = "would go" if dry else "went"
    return (
        f"NOTE: {rows:,} rows of {tables_of} {now} because they are older than [retain] in logshed.toml keeps them, "
        f"the first ones of {'this table' if len(done) == 1 else 'these tables'}. `retain = false` keeps all."
    )


def _told(one: Upkeep, *, dry: bool) -> str:
    would = "would be " if dry else ""
    told = f"{one.files:,} files ({size(one.bytes)}) {would}removed"
    if one.error:
        told = "failed"
    elif one.task == "retain":
        rewritten = f", {one.made:,} of them rewritten" if one.made else ""
        told = f"{one.rows:,} rows {would}removed from {one.files:,} files ({size(one.bytes)}){rewritten}"
        told += f", by {one.setting}"
    elif one.task == "compact" and dry:
        told = f"{one.files:,} files ({size(one.bytes)}) would be compacted"
    elif one.task == "compact":
        beaten = f"; {one.beaten:,} groups changed meanwhile, run it again" if one.beaten else ""
        told = f"{one.files:,} files ({size(one.bytes)}) became {one.made:,} ({size(one.made_bytes)}){beaten}"
    elif one.task == "rewrite-manifests":
        told = f"{one.files:,} manifests {'would become' if dry else 'became'} {one.made:,}"
    elif one.task == "expire":
        told = f"{one.snapshots:,} snapshots {would}expired, {told}"
    return told


def _progress(text: str) -> None:
    sys.stderr.write(f"\r\x1b[K{text} …")
    sys.stderr.flush()
