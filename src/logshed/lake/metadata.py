"""Keeps what was last read of each table's metadata: its file never changes, and reading it takes most of a load."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from logshed.lake import storage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyiceberg.catalog import Catalog
    from pyiceberg.table import CommitTableResponse
    from pyiceberg.table.metadata import TableMetadata

Stamp = tuple[str, int, int, int]
"""A file: where it lies, its inode, its size, when it was written."""


def kept(catalog: Catalog) -> Catalog:
    """The same catalog; one in SQL reads a metadata file of this machine once.

    Which file a table's metadata is in is asked of the catalog each time, and whether that file is still as it was.
    """
    if not isinstance(catalog, SqlCatalog):
        return catalog
    known: dict[str, tuple[Stamp, TableMetadata]] = {}
    read, commit = catalog._convert_orm_to_iceberg, catalog.commit_table  # noqa: SLF001 - where a row becomes a table

    def keep(name: str, stamp: Stamp | None, metadata: TableMetadata) -> None:
        if stamp is not None:
            known[name] = stamp, metadata

    def loaded(row: Any) -> Table:
        location, name = row.metadata_location, f"{row.table_namespace}.{row.table_name}"
        stamp = _stamp(location)
        found = known.get(name)
        if found is None or stamp is None or found[0] != stamp:
            table = read(row)
            keep(name, stamp, table.metadata)
            return table
        io = catalog._load_file_io(found[1].properties, location)  # noqa: SLF001 - as where a row becomes a table
        return Table((*catalog.identifier_to_tuple(name),), found[1], location, io, catalog)

    def committed(table: Table, requirements: Sequence[Any], updates: Sequence[Any]) -> CommitTableResponse:
        response = commit(table, tuple(requirements), tuple(updates))
        keep(".".join(table.name()), _stamp(response.metadata_location), response.metadata)
        return response

    vars(catalog).update(_convert_orm_to_iceberg=loaded, commit_table=committed)
    return catalog


def _stamp(location: str | None) -> Stamp | None:
    """What tells a file of this machine from one that was put in its place; None of others, and where there is none."""
    if not location or storage.is_remote(location):
        return None
    try:
        found = os.stat(storage.local(location))  # noqa: PTH116 - a path that is a text
    except OSError:
        return None  # who reads it says what is wrong
    return location, found.st_ino, found.st_size, found.st_mtime_ns
