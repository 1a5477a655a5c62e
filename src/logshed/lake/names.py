"""The tables of a lake: their names, partitions, and the folders and properties that Logshed keeps beside them."""

from __future__ import annotations

from dataclasses import dataclass

from logshed.schema import AUDIT, BRONZE, FINDINGS, INCIDENTS, SILVER, Column

LAKE_VERSION = 1
"""Layout of the folder; a lake with a higher one is refused."""

MARKER = "logshed-lake.json"
CATALOG_FILE = "catalog.db"
WAREHOUSE = "warehouse"
LEDGER = "ledger"

LAKE_PROPERTY = "logshed.lake"
"""On ``bronze.lines``: the id of the lake, where its files lie in a warehouse that several machines reach."""

LEDGER_PROPERTY = "logshed.ledger"
"""On ``bronze.lines``: the ledger's root file."""

TRAIL_PROPERTY = "logshed.trail"
"""On ``ops.audit``: sequence and hash of the newest entry, and how far each local trail is in it."""

BATCHES_PROPERTY = "logshed.batches"
"""On every table that follows another: the file with the batches done."""

CHANGES_PROPERTY = "logshed.changes"
"""On ``silver.logs``: the file with the days whose records were changed after they were committed."""

CHANGES_SEEN_PROPERTY = "logshed.changes-seen"
"""On every table that follows it: the number of the last change that it has taken."""

PROMOTED_PROPERTY = "logshed.promoted"
"""On ``silver.logs``: the attributes that are columns, a JSON list of key, column and kind."""

ERASED_PROPERTY = "logshed.erased"
"""On ``silver.logs``: another value whenever an erasure has taken records out of it."""

VERSION_PROPERTY = "logshed.version"
"""On every table: the version of the lake's layout that it was made with or brought to."""

FILES_PROPERTY = "logshed.files"
"""On ``bronze.lines``: the root file of its files' checksums."""

FILE_PROPERTIES = frozenset({LEDGER_PROPERTY, BATCHES_PROPERTY, CHANGES_PROPERTY, FILES_PROPERTY})
"""Properties that name a file in the ledger's folder."""


RETAINED_PROPERTY = "logshed.retained"
"""On a table from which rows have aged: by collection (``*``: any other) the moment before which rows are gone."""

AGED_PROPERTY = "logshed.aged"
"""On ``silver.logs``: the days (of events) from which rows have aged."""


@dataclass(frozen=True, slots=True)
class TableDef:
    """A table as it is created.

    Attributes:
        name: Namespace and name, ``silver.logs``.
        short: What SQL calls it.
        columns: Its columns.
        partition_column: The column whose day or month partitions it.
        partition_by: ``day`` or ``month``.
        order: What compaction sorts the rows of a day by.
        closed: Whether only who sees all collections may see it: it tells of people and of the whole lake.
    """

    name: str
    short: str
    columns: tuple[Column, ...]
    partition_column: str
    partition_by: str
    order: tuple[str, ...] = ("collection", "timestamp")
    closed: bool = False


LINES = TableDef(
    "bronze.lines",
    "lines",
    BRONZE,
    "observed_timestamp",
    "day",
    ("collection", "observed_timestamp", "source", "offset"),
)
LOGS = TableDef("silver.logs", "logs", SILVER, "timestamp", "month", ("collection", "service_name", "timestamp"))
FOUND = TableDef("security.findings", "findings", FINDINGS, "timestamp", "month")
CASES = TableDef("security.incidents", "incidents", INCIDENTS, "timestamp", "month")
TRAIL = TableDef("ops.audit", "audit", AUDIT, "timestamp", "month", ("sequence",), closed=True)
TABLES: dict[str, TableDef] = {table.short: table for table in (LINES, LOGS, FOUND, CASES, TRAIL)}
FIRST = (LINES, LOGS)
"""Tables that every lake has; the others are made when they are first wanted, also in a lake of an older version."""

GOLD = "gold"
"""Namespace of the tables that SQL files define."""


SPACES = ("bronze", "silver", GOLD, "security", "ops")
"""Namespaces of a lake."""


def gold(name: str, columns: tuple[Column, ...]) -> TableDef:
    """A gold table."""
    return TableDef(f"{GOLD}.{name}", name, columns, "timestamp", "month")


TABLE_PROPERTIES = {
    VERSION_PROPERTY: str(LAKE_VERSION),
    # PyIceberg's own rebase keeps rows and loses ledger entries: the committer reloads and redoes instead.
    "commit.retry.num-retries": "0",
    # Commits stay quick only if the metadata files, the manifests and the snapshots stay few.
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "20",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
    # A batch's id is read from a file's bounds, so they must not be cut.
    "write.metadata.metrics.column.batch": "full",
    "write.parquet.compression-codec": "zstd",
}
