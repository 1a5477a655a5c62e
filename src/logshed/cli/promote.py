"""``logshed promote``: a frequent attribute becomes a typed column."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import tables, terminal
from logshed.cli.cells import shown
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.pipeline.promote import Attribute

COLUMNS = ("attribute", "records", "type", "column")
EXAMPLES = (
    "logshed promote --list --since 7d",
    "logshed promote tenant.id",
    "logshed promote retries --type int --dry-run",
    "logshed promote order.total --type double --name order_total",
)


class Type(StrEnum):
    """Of what type the column is."""

    STRING = "string"
    INT = "int"
    DOUBLE = "double"
    BOOL = "bool"
    TIMESTAMP = "timestamp"


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "promote", promote, examples=EXAMPLES, logs=True)


def promote(
    key: Annotated[str | None, typer.Argument(help="The attribute.", show_default=False)] = None,
    *,
    listed: Annotated[bool, typer.Option("--list", help="Show the columns made so, and frequent attributes.")] = False,
    since: Annotated[str, typer.Option(help="With --list: of records since then: 24h, 7d, 2026-01-01, all.")] = "all",
    kind: Annotated[Type, typer.Option("--type", help="Of what type; other values stay attributes.")] = Type.STRING,
    name: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column's name, else made of the key.", show_default=False)
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be in it.")] = False,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Turn a frequent attribute into a typed column of logs, which is quicker to ask; older records have it, too."""
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    if (key is None) != listed:
        raise UsageError("cannot tell what to do: give an attribute, or --list to see which there are")
    opened = Lake.open(lake)
    found = opened.attributes(since) if key is None else [opened.promote(key, kind.value, name=name, dry_run=dry_run)]
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        told = [one.as_dict() for one in found]
        print(orjson.dumps({"dry_run": dry_run, "attributes": told}, option=orjson.OPT_INDENT_2).decode())
    elif listed:
        _show(found)
    else:
        (one,) = found
        would = "would be" if dry_run else "is"
        print(
            f"{shown(one.key)} {would} the column {one.column} ({one.type}): {one.fit:,} of {one.records:,} records "
            "that have it fit."
        )


def _show(found: Sequence[Attribute]) -> None:
    rows = [[one.key, one.records, one.type, one.column] for one in found]
    if not terminal.page(tables.table(COLUMNS, rows, terminal.width()) if rows else ()):
        print("No record has an attribute.")
