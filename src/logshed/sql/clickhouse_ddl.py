"""Statements that let a ClickHouse server read a lake: by table functions, by tables, or by the lake's own catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from logshed.errors import UsageError
from logshed.sql import dialect
from logshed.sql.views import quoted, views

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from logshed.sql.tables import Stored

Way = Literal["views", "tables", "catalog"]
TABLES = "iceberg_tables"
"""The database of the tables as Iceberg names them: ``silver.logs``."""
OLDER = "iceberg"
"""The database of ``iceberg.analytics.logs``; ClickHouse has no third level, so it is a name with a dot in it."""
SOURCE = "logshed_source"
"""Stands for what a view reads while its statement is translated: the translator does not know all that goes there."""
VIEW_SETTINGS = "SETTINGS cast_keep_nullable = 1, prefer_column_name_to_alias = 1"
"""Views mean what they do in DuckDB, whatever a session has set."""
S3, AZURE = ("s3", "s3a", "gs"), ("abfss", "abfs")
"""Schemes that ClickHouse reads as S3, Google's by its interoperability keys, and as Azure."""
CATALOGS = {
    "rest": ("allow_database_iceberg", "catalog_credential = '<client>:<secret>'"),
    "glue": ("allow_database_glue_catalog", "aws_access_key_id = '<key>', aws_secret_access_key = '<secret>'"),
}
"""Kinds of catalogs that ClickHouse knows: the setting that allows it, and the settings that let it in."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        way: ``views`` over table functions, views over ``tables``, or views over the database of a ``catalog``.
        database: The database of the views.
        collection: The named collection that holds the address of a bucket and what opens it.
        catalog: The kind of a catalog: ``rest`` or ``glue``.
        uri: Its address.
        warehouse: What the catalog calls the warehouse; of Glue its region.
        pinned: Views show the tables as they are now, whatever is committed later.
        cluster: The cluster whose servers share the reading of files; empty lets the server that is asked read all.
    """

    way: Way = "views"
    database: str = "logshed"
    collection: str = "logshed_lake"
    catalog: str = "rest"
    uri: str = ""
    warehouse: str = ""
    pinned: bool = False
    cluster: str = ""


def statements(tables: Mapping[str, Stored], wanted: Wanted) -> list[str]:
    """The statements in their order, without semicolons; none holds a secret.

    Args:
        tables: The lake's tables by short name.
        wanted: What is asked for.

    Raises:
        UsageError: The catalog is of no kind that ClickHouse knows, or its address is missing.
    """
    columns = {short: stored.columns for short, stored in tables.items()}
    databases = [wanted.database, *([OLDER] if "logs" in tables else ())]
    found = [f"CREATE DATABASE IF NOT EXISTS {quoted(name)}" for name in databases]
    found += _tables(tables, wanted)

    for short in tables:
        source = _from(tables[short], wanted)
        for view in views(short):
            target = f"{OLDER}.{quoted(f'{view.schema}.{view.name}')}" if view.schema else None
            own = target or f"{quoted(wanted.database)}.{quoted(view.name)}"
            tree = dialect.parsed(f"SELECT * FROM {view.path}")
            select = dialect.to_clickhouse(tree, {}, columns, lambda _: SOURCE).replace(SOURCE, source)
            found.append(f"CREATE OR REPLACE VIEW {own} AS {select} {VIEW_SETTINGS}")
    return found


def _from(stored: Stored, wanted: Wanted) -> str:
    """What a view reads."""
    if wanted.way != "views":
        return f"{TABLES}.{quoted(stored.name)}"
    source = _source(stored.location, wanted.collection, "iceberg", wanted.cluster)
    if not wanted.pinned:
        return source
    path = stored.metadata.removeprefix(f"{stored.location.rstrip('/')}/")
    return f"{source[:-1]}, SETTINGS iceberg_metadata_file_path = {_text(path)})"


def needed(tables: Mapping[str, Stored], wanted: Wanted, endpoint: str = "") -> list[str]:
    """What an administrator sets up first, with places for secrets instead of secrets; nothing where it is not needed.

    Args:
        tables: The lake's tables.
        wanted: What is asked for.
        endpoint: Address of an S3 server that is not AWS's own.
    """
    if wanted.way == "catalog" or not tables:
        return []
    scheme, bucket, _ = _parts(next(iter(tables.values())).location)
    start = f"CREATE NAMED COLLECTION {wanted.collection} AS"
    if scheme in AZURE:
        container, _, account = bucket.partition("@")
        address = f"https://{account.replace('.dfs.', '.blob.')}"
        given = f"storage_account_url = {_text(address)}, container = {_text(container)}"
        return [f"{start} {given}, account_name = {_text(account.partition('.')[0])}, account_key = '<key>'"]
    if scheme not in S3:
        return []
    own = (
        f"https://storage.googleapis.com/{bucket}/"
        if scheme == "gs"
        else f"https://{bucket}.s3.<region>.amazonaws.com/"
    )
    address = f"{endpoint.rstrip('/')}/{bucket}/" if endpoint else own
    return [f"{start} url = {_text(address)}, access_key_id = '<key>', secret_access_key = '<secret>'"]


def _tables(tables: Mapping[str, Stored], wanted: Wanted) -> Iterator[str]:
    """The database of tables under their own names, where views do not read the files themselves."""
    if wanted.way == "views":
        return
    if wanted.way == "catalog":
        yield from _catalog(wanted)
        return
    yield f"CREATE DATABASE IF NOT EXISTS {TABLES}"
    for stored in tables.values():
        source = _source(stored.location, wanted.collection, "Iceberg")
        yield f"CREATE TABLE IF NOT EXISTS {TABLES}.{quoted(stored.name)} ENGINE = {source}"


def _catalog(wanted: Wanted) -> Iterator[str]:
    if wanted.catalog not in CATALOGS:
        raise UsageError(
            f"cannot write statements for a catalog of kind {wanted.catalog}: ClickHouse does not know it; "
            "take --as views or --as tables"
        )
    allow, credentials = CATALOGS[wanted.catalog]
    if wanted.catalog == "rest" and not wanted.uri:
        raise UsageError("cannot write statements for a catalog: its address is missing; give --uri")
    place = f"({_text(wanted.uri)})" if wanted.uri else ""
    named = f"{'region' if wanted.catalog == 'glue' else 'warehouse'} = {_text(wanted.warehouse or '<name>')}"
    yield f"SET {allow} = 1"
    yield (
        f"CREATE DATABASE IF NOT EXISTS {TABLES} ENGINE = DataLakeCatalog{place} "
        f"SETTINGS catalog_type = {_text(wanted.catalog)}, {named}, {credentials}"
    )


def _source(location: str, collection: str, kind: str, cluster: str = "") -> str:
    """A table function (``iceberg``) or an engine (``Iceberg``) that reads the table in a folder."""
    shared, first = ("Cluster", f"{_text(cluster)}, ") if cluster else ("", "")
    scheme, _, path = _parts(location)
    if set(path) & set("*?{}"):
        raise UsageError(f"cannot let ClickHouse read {location}: it holds one of * ? {{ }}; move the lake")
    if scheme == "file":
        return f"{kind}Local{shared}({first}{_text(f'/{path}')})"
    if scheme in S3:
        return f"{kind}S3{shared}({first}{collection}, filename = {_text(path)})"
    if scheme in AZURE:
        return f"{kind}Azure{shared}({first}{collection}, blob_path = {_text(path)})"
    raise UsageError(f"cannot let ClickHouse read {location}: it reads file, s3, gs and abfss; move the warehouse")


def _parts(location: str) -> tuple[str, str, str]:
    """Scheme, bucket and path of an address; the path ends with a slash and begins without."""
    scheme, separator, rest = location.partition("://")
    if not separator or scheme == "file":
        return "file", "", f"{(rest or location).strip('/')}/"
    bucket, _, path = rest.partition("/")
    return scheme, bucket, f"{path.strip('/')}/"


def _text(text: str) -> str:
    """A text as ClickHouse writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
