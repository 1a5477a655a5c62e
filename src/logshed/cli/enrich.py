"""``logshed enrich``: the databases and lists that records are looked up in, and how old they are."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from logshed.cli import tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import FAILED, JsonOption, add

if TYPE_CHECKING:
    from logshed.enrichment.sources import State

HEADER = ("file", "what", "name", "holds", "entries", "of", "days old")
EXAMPLES = ("logshed enrich status", "logshed enrich status --json")


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(
        help="Show what records are looked up in: databases of places, threat lists.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    add(group, "status", status, examples=EXAMPLES)
    app.add_typer(group, name="enrich")


def status(*, as_json: JsonOption = False) -> None:
    """Show each database and threat list that is set: what it holds, how old it is, what is wrong with it.

    A database is stale after 30 days, a list after 7. Exits with 1 if one cannot be used.
    """
    from logshed.enrichment.sources import states  # noqa: PLC0415 - heavy
    from logshed.settings import Settings  # noqa: PLC0415 - heavy

    found = states(Settings.load().enrichment)
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps([asdict(one) for one in found], option=orjson.OPT_INDENT_2).decode())
    elif not found:
        print("Nothing is set; name databases and lists under [enrichment] in logshed.toml.")
    else:
        rows = [_row(one) for one in found if one.dated]
        terminal.page([*(tables.table(HEADER, rows, terminal.width()) if rows else []), *_remarks(found)])
    if any(one.error for one in found):
        raise typer.Exit(FAILED)


def _row(one: State) -> list[object]:
    return [one.file, one.what, one.name, one.kind, one.entries, one.dated[:10], one.age_days]


def _remarks(found: list[State]) -> list[str]:
    remarks = [f"error: {shown(one.error)}" for one in found if one.error]
    remarks += [f"warning: {shown(one.warning)}" for one in found if one.warning]
    stale = [f"stale: {shown(one.file)} is {one.age_days} days old; get a newer one" for one in found if one.stale]
    return [*remarks, *stale]
