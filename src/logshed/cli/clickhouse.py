"""``logshed clickhouse``: what a ClickHouse server needs to read the lake."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit, urlunsplit

import typer

from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.errors import UsageError

if TYPE_CHECKING:
    from logshed.storage_settings import CatalogSettings

EXAMPLES = (
    "logshed clickhouse ddl | clickhouse-client --multiquery",
    "logshed clickhouse ddl --pin       # where several processes write to the lake at once",
    "logshed clickhouse ddl --as tables --table logs",
    "logshed clickhouse ddl --as catalog --uri https://catalog.example.org/iceberg --warehouse lake",
)


class As(StrEnum):
    """How the server comes to the tables."""

    VIEWS = "views"
    TABLES = "tables"
    CATALOG = "catalog"


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        name="clickhouse",
        help="Let a ClickHouse server read the lake.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    add(group, "ddl", ddl, examples=EXAMPLES)
    app.add_typer(group)


def ddl(
    *,
    way: Annotated[
        As, typer.Option("--as", help="Views over table functions, over tables, or over the database of a catalog.")
    ] = As.VIEWS,
    table: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this table; may be repeated.", show_default=False)
    ] = None,
    database: Annotated[str, typer.Option(metavar="NAME", help="Database of the views.")] = "logshed",
    collection: Annotated[
        str, typer.Option(metavar="NAME", help="Named collection with a bucket's address and keys.")
    ] = "logshed_lake",
    endpoint: Annotated[
        str | None,
        typer.Option(metavar="URL", help="S3 server that is not AWS's; the setting unless given.", show_default=False),
    ] = None,
    catalog: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="Kind of the catalog: rest or glue; the setting.", show_default=False),
    ] = None,
    uri: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Address of the catalog; the setting unless given.", show_default=False),
    ] = None,
    warehouse: Annotated[
        str, typer.Option(metavar="NAME", help="What the catalog calls it; of Glue the region.", show_default=False)
    ] = "",
    pin: Annotated[bool, typer.Option("--pin", help="Show the tables as they are now; run it again later.")] = False,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the statements that let a ClickHouse server read the lake: its tables, and iceberg.`analytics.logs`.

    They hold no secret: what an administrator has to set up first stands in comments, with places for secrets.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy
    from logshed.sql.clickhouse_ddl import Wanted, needed, statements  # noqa: PLC0415 - heavy

    for name in (database, collection):
        if re.fullmatch("[A-Za-z_][A-Za-z0-9_]{0,63}", name) is None:
            raise UsageError(f"cannot call it {name!r}: take letters, digits and `_`; begin with a letter")
    if pin and way is not As.VIEWS:
        raise UsageError("cannot pin: only --as views can; leave --pin out")
    there = Lake.open(lake)
    kind, address = _catalog(there.settings.catalog, catalog, uri)
    tables = there.stored(table or ())
    wanted = Wanted(way.value, database, collection, kind, address, warehouse, pin)
    server = there.settings.storage.endpoint if endpoint is None else endpoint
    found, first = statements(tables, wanted), needed(tables, wanted, server)
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps({"needed": first, "statements": found}, option=orjson.OPT_INDENT_2).decode())
        return
    for text in first:
        print(f"-- first, by an administrator: {text};")
    for text in found:
        print(f"{text};")


def _catalog(own: CatalogSettings, kind: str | None, uri: str | None) -> tuple[str, str]:
    """Kind and address of the catalog: what is given, else what the settings say, without what lets one in."""
    if uri is not None:
        return kind or ("rest" if own.type == "sql" else own.type), uri
    if (kind or own.type) != own.type or own.own:
        return kind or own.type, ""
    parts = urlsplit(own.address)
    return own.type, urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
