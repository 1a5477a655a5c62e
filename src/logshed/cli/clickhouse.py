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
    from collections.abc import Mapping, Sequence

    from logshed.sql.tables import Stored
    from logshed.storage_settings import CatalogSettings

EXAMPLES = (
    "logshed clickhouse ddl | clickhouse-client --multiquery",
    "logshed clickhouse ddl --pin       # where several processes write to the lake at once",
    "logshed clickhouse ddl --as tables --table logs",
    "logshed clickhouse ddl --cluster analytics     # all servers of a cluster read",
    "logshed clickhouse ddl --hot-days 7            # and a copy of the newest days, brought up to date by:",
    "logshed clickhouse ddl --hot-days 7 --refresh",
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
    cluster: Annotated[
        str, typer.Option(metavar="NAME", help="Cluster whose servers read together.", show_default=False)
    ] = "",
    hot_days: Annotated[
        int | None,
        typer.Option(metavar="DAYS", help="Also a copy of the newest days of logs: logs_hot.", show_default=False),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Only what brings the copy up to date; one run at a time.")
    ] = False,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the statements that let a ClickHouse server read the lake: its tables, and iceberg.`analytics.logs`.

    They hold no secret: what an administrator has to set up first stands in comments, with places for secrets.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy
    from logshed.sql.clickhouse_ddl import Wanted, needed, statements  # noqa: PLC0415 - heavy

    _check((database, collection, *([cluster] if cluster else ())), way, pin=pin, cluster=cluster)
    if refresh:
        _printed(_refresh(database, hot_days), [], as_json=as_json)
        return
    there = Lake.open(lake)
    kind, address = _catalog(there.settings.catalog, catalog, uri)
    tables = there.stored(table or ())
    wanted = Wanted(way.value, database, collection, kind, address, warehouse, pin, cluster)
    server = there.settings.storage.endpoint if endpoint is None else endpoint
    found = statements(tables, wanted) + _hot(tables, database, hot_days)
    _printed(found, needed(tables, wanted, server), as_json=as_json)


def _check(names: Sequence[str], way: As, *, pin: bool, cluster: str) -> None:
    """Refuse what is no name, and what only views can."""
    for name in names:
        if re.fullmatch("[A-Za-z_][A-Za-z0-9_]{0,63}", name) is None:
            raise UsageError(f"cannot call it {name!r}: take letters, digits and `_`; begin with a letter")
    for word, given, verb in (("--pin", pin, "pin"), ("--cluster", bool(cluster), "read by a cluster")):
        if given and way is not As.VIEWS:
            raise UsageError(f"cannot {verb}: only --as views can; leave {word} out")


def _hot(tables: Mapping[str, Stored], database: str, days: int | None) -> list[str]:
    from logshed.sql import clickhouse_hot  # noqa: PLC0415 - only where a copy is asked for

    if days is None:
        return []
    if "logs" not in tables:
        raise UsageError("cannot make a copy of the newest days: it is one of logs; add --table logs")
    return clickhouse_hot.tables(database, days)


def _refresh(database: str, days: int | None) -> list[str]:
    from logshed.sql import clickhouse_hot  # noqa: PLC0415 - only where a copy is asked for

    if days is None:
        raise UsageError("cannot bring a copy up to date: how many days it has is missing; give --hot-days")
    return clickhouse_hot.refresh(database, days)


def _printed(found: Sequence[str], first: Sequence[str], *, as_json: bool) -> None:
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
