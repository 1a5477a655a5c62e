"""How old what a data file holds is: by its bounds, by its notes, by when it was written."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pyarrow.parquet as pq
from pyiceberg.conversions import from_bytes
from pyiceberg.types import TimestamptzType

from logshed.lake import parquet, storage
from logshed.lake.compact_plan import moment
from logshed.lake.scan import iceberg_files, paths
from logshed.schema import AUDIT, polars_schema

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile as IcebergFile
    from pyiceberg.table import Table

_ENTRY = polars_schema(AUDIT)
COMPUTED = "logshed.computed"
"""A gold file's note: when it was computed, ISO 8601 UTC."""


def bounds(table: Table, file: IcebergFile, column: str) -> tuple[datetime | None, datetime | None]:
    """The first and the last moment of a column of time in a file; None where the file does not say."""
    field = table.schema().find_field(column).field_id
    found = [(one or {}).get(field) for one in (file.lower_bounds, file.upper_bounds)]
    first, last = (None if one is None else moment(int(from_bytes(TimestamptzType(), one))) for one in found)
    return first, last


def computed(file: IcebergFile) -> datetime:
    """When a gold file was computed; of one that does not say, when it was written."""
    path = paths([file])[0]
    with storage.opened(path) as opened:
        noted = (pq.read_metadata(opened).metadata or {}).get(COMPUTED.encode())
    if noted:
        return datetime.fromisoformat(noted.decode())
    age = max((one.age_s for one in storage.found([path])), default=0.0)
    return datetime.fromtimestamp(time.time() - age, UTC)


def last_before(table: Table, column: str, cut: datetime | None) -> int | None:
    """The number of the last entry of a trail before the first that is not old; None where there is none."""
    files = paths(iceberg_files(table))
    if not files or cut is None:
        return None
    rows = parquet.scan(files, _ENTRY, insert=True, extra=True).select("sequence", column).collect()
    young = rows.filter(pl.col(column) >= cut)["sequence"].min()
    old = rows.filter(pl.col("sequence") < young)["sequence"] if young is not None else rows["sequence"]
    return int(old.max()) if len(old) else None  # type: ignore[arg-type]
