"""Opens the catalog that the settings name, and says what is wrong with one that does not answer as it should."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from logshed.errors import LogshedError, StorageError
from logshed.lake import fileio
from logshed.lake.metadata import kept
from logshed.lake.names import CATALOG_FILE, WAREHOUSE
from logshed.storage_settings import secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pyiceberg.catalog import Catalog

    from logshed.storage_settings import Backing, CatalogSettings

PATIENCE = {
    "psycopg2": {
        "connect_timeout": "10",
        "keepalives_idle": "30",
        "keepalives_interval": "10",
        "keepalives_count": "3",
        "tcp_user_timeout": "30000",
    },
    "pymysql": {"connect_timeout": "10", "read_timeout": "60", "write_timeout": "60"},
}
"""By driver, how long a database that went without a word is waited for, unless the address says it; else for ever."""


def opened(root: Path, backing: Backing) -> Catalog:
    """The catalog of a lake.

    Raises:
        StorageError: It cannot be reached, or a package for it is not installed.
        SettingsError: Its address or a secret is wrong.
    """
    catalog, storage = backing.catalog, backing.storage
    properties = {name: secret(value, f"catalog.properties.{name}") for name, value in catalog.properties.items()}
    warehouse = storage.warehouse or f"file://{root / WAREHOUSE}"
    properties.setdefault("warehouse", warehouse)
    properties["py-io-impl"] = fileio.NAME
    uri = catalog.address
    if catalog.type == "sql":
        properties["uri"] = _database(catalog, uri) if uri else f"sqlite:///{root / CATALOG_FILE}"
        if uri:
            properties.setdefault("pool_pre_ping", "true")
    elif uri:
        properties["uri"] = uri
    name = str(root / CATALOG_FILE) if catalog.own else f"the catalog ({catalog})"
    with told(catalog, name):
        return _explained(_shared(kept(_loaded(catalog, properties))), catalog, name)


_MADE = re.compile(r"already exists|duplicate key|Duplicate entry|UNIQUE constraint", re.IGNORECASE)
"""What databases say where another made the same thing between the look for it and its making."""
_TABLES = 2
"""Tables of a database's catalog, each of which another may make at that moment."""


def _loaded(catalog: CatalogSettings, properties: dict[str, str]) -> Catalog:
    """The catalog; of several that open a new database at once, one makes its tables, the others find them made."""
    for _ in range(_TABLES):
        try:
            return load_catalog(catalog.name, type=catalog.type, **properties)
        except DBAPIError as error:
            if not _MADE.search(str(error)):
                raise
    return load_catalog(catalog.name, type=catalog.type, **properties)


_LOOKS = 5
"""How often a table is looked for whose metadata file is not there."""


def _shared(catalog: Catalog) -> Catalog:
    """The same catalog, which several use at once.

    Of those who make one namespace at once, who comes second is told that it is there. A table is looked for again
    where others have committed so often, since the catalog named its metadata file, that this file is gone.
    """
    create, load = catalog.create_namespace, catalog.load_table

    @wraps(create)
    def run(namespace: Any, *words: Any, **named: Any) -> None:
        try:
            create(namespace, *words, **named)
        except IntegrityError as error:
            raise NamespaceAlreadyExistsError(f"namespace {namespace} was made by another meanwhile") from error

    @wraps(load)
    def loaded(identifier: Any) -> Any:
        for _ in range(_LOOKS - 1):
            try:
                return load(identifier)
            except FileNotFoundError:
                continue
        return load(identifier)

    setattr(catalog, create.__name__, run)
    setattr(catalog, load.__name__, loaded)
    return catalog


def _database(catalog: CatalogSettings, uri: str) -> str:
    password = secret(catalog.password, "catalog.password")
    url = make_url(uri)
    patience = PATIENCE.get(url.get_driver_name(), {})
    url = url.update_query_dict({name: value for name, value in patience.items() if name not in url.query})
    return (url.set(password=password) if password else url).render_as_string(hide_password=False)


_CALLS = (
    "load_table",
    "table_exists",
    "create_table",
    "create_namespace",
    "namespace_exists",
    "list_tables",
    "list_namespaces",
    "commit_table",
)
_MEANT = (
    NoSuchTableError,
    NoSuchNamespaceError,
    NamespaceAlreadyExistsError,
    TableAlreadyExistsError,
    CommitFailedException,
    FileNotFoundError,
)
"""What a catalog raises that its callers wait for."""


def _explained(catalog: Catalog, settings: CatalogSettings, name: str) -> Catalog:
    """The same catalog, whose calls raise sentences: the tables that it gives call it too, so it is no other object."""

    def explained(call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def run(*words: Any, **named: Any) -> Any:
            with told(settings, name):
                return call(*words, **named)

        return run

    for one in _CALLS:
        setattr(catalog, one, explained(getattr(catalog, one)))
    return catalog


_OWN: tuple[tuple[str, str], ...] = (
    (r"locked", "another program keeps it locked; end that one, or try again later"),
    (r"readonly", "it may only be read; check the rights to it and to its folder"),
    (r"disk is full", "the disk is full, nothing was committed; free some space"),
    (r"unable to open", "it cannot be opened; check that its folder is there, and the rights to it"),
    (r"disk I/O", "the disk fails; check it, and run the same command again"),
)
"""What SQLite's words mean of a lake's own catalog, the first that fits."""

_CAUSES: tuple[tuple[str, str], ...] = (
    (
        (
            r"password authentication failed|Access denied for user|no password supplied|\b401\b|UnauthorizedError"
            r"|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|OAuthError"
        ),
        "it refuses the credentials; correct the user in uri, password or properties of [catalog]",
    ),
    (r"ExpiredToken|token.{0,20}expired|AuthorizationExpired|\b419\b", "the token has expired; get a new one"),
    (
        r"permission denied|command denied|AccessDenied|Forbidden|\b403\b",
        "the user lacks a right to it; docs/storage.md lists the rights that are needed",
    ),
    (
        r"database .* does not exist|Unknown database",
        "there is no such database; create it, or correct uri of [catalog]",
    ),
    (
        (
            r"Connection refused|could not connect|Can't connect|could not translate host|Name or service not known"
            r"|ConnectionError|ConnectTimeout|ReadTimeout|Max retries|EndpointConnectionError|TTransportException"
            r"|server closed the connection|Lost connection|connection timed out|timeout expired|terminating connection"
        ),
        "it does not answer; check uri of [catalog], and whether the server runs",
    ),
    (r"NoCredentials|Unable to locate credentials", "there are no credentials; set the cloud's own chain"),
    (
        (
            r"JSONDecodeError|ValidationError|Expecting value|NotFoundException|\b404\b|unable to open database"
            r"|file is not a database"
        ),
        "what answers there is no Iceberg catalog; correct uri and type of [catalog]",
    ),
    (r"ServerError|ServiceUnavailable|\b50[0-9]\b", "it has a fault of its own; look at its log, and try again later"),
)
"""What a catalog's words mean, the first that fits."""


_PASSING = re.compile(r"locked|does not answer|fault of its own|answered with")
"""Causes that may be gone when it is tried again soon."""


@contextmanager
def told(catalog: CatalogSettings, name: str = "") -> Iterator[None]:
    """Turn what a catalog's client raises into a sentence.

    Args:
        catalog: The catalog's settings.
        name: What it is called in the sentence.

    Raises:
        StorageError: It cannot be reached, or does not answer as a catalog does.
    """
    try:
        yield
    except (LogshedError, *_MEANT):
        raise
    except OSError as error:
        if error.errno is None:  # of a client, not of a file
            raise wrong(catalog, error, name) from error
        raise
    except Exception as error:
        raise wrong(catalog, error, name) from error


def wrong(catalog: CatalogSettings, error: BaseException, name: str = "") -> StorageError:
    """The sentence for an error of a catalog."""
    thing = name or f"the catalog ({catalog})"
    if catalog.own and isinstance(error, SQLAlchemyError):
        words = str(getattr(error, "orig", error))
        found = (cause for pattern, cause in _OWN if re.search(pattern, words))
        return _said(thing, next(found, f"it is damaged ({words}); restore it from a backup"))
    missing = getattr(error, "name", None) if isinstance(error, ImportError) else None
    if missing or "not installed" in str(error).lower():
        return StorageError(f"cannot use {thing}: {missing or 'a package'} is not installed; {_extra(catalog)}")
    words = f"{type(error).__name__} {error} {error.__cause__ or ''} {error.__context__ or ''}"
    for pattern, cause in _CAUSES:
        if re.search(pattern, words, re.IGNORECASE):
            return _said(thing, cause)
    return _said(thing, f"it answered with {type(error).__name__}; run `logshed doctor`")


def _said(thing: str, cause: str) -> StorageError:
    return StorageError(f"cannot use {thing}: {cause}", passing=bool(_PASSING.search(cause)))


_DRIVERS = (("sql postgresql", "postgres"), ("sql mysql", "mysql"), ("glue", "glue"), ("hive", "hive"))
"""Extra by what a catalog's kind and address begin with."""


def _extra(catalog: CatalogSettings) -> str:
    uri = catalog.address
    found = [extra for begin, extra in _DRIVERS if f"{catalog.type} {uri}".startswith(begin)]
    return f"pip install 'logshed[{found[0]}]'" if found else "install the driver that uri of [catalog] names"
