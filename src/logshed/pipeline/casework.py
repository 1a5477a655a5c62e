"""What people do with incidents: close, mute, open again, write on them; each time a new version is written."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import polars as pl

from logshed.errors import UsageError
from logshed.lake.batch import new_batch
from logshed.lake.commit import commit_follower
from logshed.lake.names import CASES
from logshed.lake.writing import FileWriter
from logshed.pipeline.tables import LakeTables
from logshed.schema import INCIDENTS, polars_schema
from logshed.sql.duckdb import DuckDB

if TYPE_CHECKING:
    from logshed.lake.store import Store

SHORTEST = 6
"""Characters of an id that are enough if only one incident begins so."""


def find(store: Store, name: str) -> dict[str, Any]:
    """The incident whose id begins so.

    Raises:
        UsageError: There is none, or there are several.
    """
    engine = DuckDB(LakeTables(lambda: store))
    sql = "SELECT * FROM incidents WHERE starts_with(incident_id, $name) LIMIT 2"
    rows = engine.query(sql, {"name": name}).pl() if len(name) >= SHORTEST else pl.DataFrame()
    if rows.height != 1:
        cause = "several begin so" if rows.height else "there is none"
        advice = f"give at least {SHORTEST} characters of an id that `logshed incidents list` shows"
        raise UsageError(f"cannot find incident {name}: {cause}; {advice}")
    return rows.row(0, named=True)


def change(
    store: Store, name: str, *, status: str = "", note: str = "", muted_until: datetime | None = None
) -> dict[str, Any]:
    """Write a new version of an incident.

    Args:
        store: The lake.
        name: Its id, or how that begins.
        status: ``open``, ``muted`` or ``closed``; empty leaves it.
        note: A text to add.
        muted_until: Until when it is silent.

    Returns:
        The new version.

    Raises:
        UsageError: There is no such incident.
    """
    row = find(store, name)
    now = datetime.now(UTC)
    notes = orjson.loads(row["notes"] or "[]")
    said = [*([f"status: {status}"] if status else []), *([note] if note else [])]
    notes += [{"time": now.isoformat(timespec="seconds"), "author": _who(), "text": text} for text in said]
    row |= {
        "status": status or row["status"],
        "muted_until": muted_until if status == "muted" else row["muted_until"] if not status else None,
        "notes": orjson.dumps(notes).decode(),
        "updated_timestamp": now,
        "batch": new_batch(),
    }
    frame = pl.DataFrame([row], schema=polars_schema(INCIDENTS), orient="row")
    files = FileWriter.of(CASES, store.to_write(CASES)).write(frame, f"{row['batch']}-{uuid4().hex[:8]}")
    commit_follower(store, CASES.short, row["batch"], files)
    return row


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a container without a name for its user
