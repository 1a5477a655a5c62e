"""Tries out what a lake rests on, its storage and its catalog, and leaves nothing behind: for ``logshed doctor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField

from logshed.errors import LogshedError, StorageError
from logshed.lake import catalogs, remote, storage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyiceberg.catalog import Catalog

    from logshed.storage_settings import Backing

T = TypeVar("T")

SKEW_S = 300
"""S3 refuses requests whose time is 15 minutes off; a third of that is worth a word."""


def storage_works(backing: Backing) -> str:
    """Write, read, list and remove an object in the warehouse.

    Returns:
        What was found, in a sentence.

    Raises:
        LogshedError: Something of that cannot be done; the text says what and why.
    """
    remote.use(backing.storage)
    warehouse = storage.local(backing.storage.warehouse)
    folder, text = f"{warehouse}/probe-{uuid4().hex}", uuid4().hex.encode()
    path = f"{folder}/probe"
    _tried("write to", warehouse, lambda: _written(path, text))
    try:
        if _tried("read", path, lambda: storage.read(path)) != text:
            raise StorageError(f"cannot use {warehouse}: what was written reads otherwise; check [storage] endpoint")
        there = _tried("list", folder, lambda: storage.listing(folder))
        if [one.path for one in there] != [path]:
            raise StorageError(
                f"cannot use {warehouse}: an object that was written is not listed; take a storage that is consistent"
            )
    finally:
        _tried("remove", path, lambda: storage.remove(path))
        storage.remove_folder(folder)
    if abs(there[0].age_s) > SKEW_S:
        raise StorageError(
            f"cannot trust the clock: {backing.storage.warehouse} is {abs(there[0].age_s):,.0f} s "
            f"{'behind' if there[0].age_s > 0 else 'ahead of'} this machine; set the clock (by NTP)"
        )
    return f"{backing.storage.warehouse} takes, gives, lists and removes objects"


def catalog_works(root: Path, backing: Backing) -> str:
    """List namespaces, make a table, commit to it and drop it, in a namespace of its own.

    Returns:
        What was found, in a sentence.

    Raises:
        LogshedError: Something of that cannot be done; the text says what and why.
    """
    remote.use(backing.storage)
    catalog = catalogs.opened(root, backing)
    space = f"{backing.catalog.namespace or 'logshed'}_probe_{uuid4().hex[:12]}"
    place = f"{backing.storage.warehouse or f'file://{root}'}/{space}"
    catalog.list_namespaces()
    catalog.create_namespace(space)
    try:
        _commit(catalog, space, place)
    finally:
        with catalogs.told(backing.catalog):
            if catalog.table_exists(f"{space}.probe"):
                catalog.drop_table(f"{space}.probe")
            catalog.drop_namespace(space)
        for one in storage.listing(storage.local(place)):
            storage.remove(one.path)
        storage.remove_folder(storage.local(place))
    return f"the catalog ({backing.catalog}) lists, makes and drops tables, and takes commits"


def _commit(catalog: Catalog, space: str, place: str) -> None:
    schema = Schema(NestedField(1, "probe", LongType()))
    table = catalog.create_table(f"{space}.probe", schema, location=f"{place}/probe")
    with table.transaction() as transaction:
        with transaction.update_snapshot().fast_append():
            pass
        transaction.set_properties({"logshed.probe": "done"})
    if catalog.load_table(f"{space}.probe").properties.get("logshed.probe") != "done":
        raise StorageError("cannot use the catalog: a commit that it took is not there; it is none for several writers")


def _written(path: str, text: bytes) -> None:
    storage.make_folder(path.rpartition("/")[0])
    storage.write(path, text)


def _tried(verb: str, what: str, call: Callable[[], T]) -> T:
    try:
        return call()
    except OSError as error:
        raise StorageError(f"cannot {verb} {what}: {error.strerror or error}; check [storage] warehouse") from error
    except LogshedError as error:
        raise StorageError(f"cannot {verb} {what}: {str(error).partition(': ')[2]}") from error
