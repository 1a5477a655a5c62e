"""What people do with incidents: close, mute, open, take on, write on them; each time a new version is written."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import polars as pl

from logshed.errors import MissingError, UsageError
from logshed.lake.batch import new_batch
from logshed.lake.commit import commit_follower
from logshed.lake.held import held
from logshed.lake.names import CASES
from logshed.lake.writing import FileWriter
from logshed.pipeline.switches import FOLDER
from logshed.pipeline.tables import LakeTables
from logshed.schema import INCIDENTS, polars_schema
from logshed.sql.duckdb import DuckDB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from logshed.lake.store import Store
    from logshed.sql.sight import Sight

SHORTEST = 6
"""Characters of an id that are enough if only one incident begins so."""
STATUSES = ("open", "muted", "closed")
_NAMED = """
SELECT * FROM incidents WHERE list_bool_or(list_transform($names, lambda name: starts_with(incident_id, name)))
"""


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to an incident; what is not given is left.

    Attributes:
        status: ``open``, ``muted`` or ``closed``; empty leaves it.
        note: A text to add.
        muted_until: Until when it is silent.
        assignee: Who works on it; empty is nobody, None leaves it.
        by: Who does it; empty is who runs this process.
    """

    status: str = ""
    note: str = ""
    muted_until: datetime | None = None
    assignee: str | None = None
    by: str = ""

    def told(self) -> dict[str, str]:
        """It as the audit trail tells it."""
        until = None if self.muted_until is None else self.muted_until.isoformat()
        named = {"status": self.status, "note": self.note, "assignee": self.assignee, "until": until}
        return {name: value for name, value in named.items() if value or (name == "assignee" and value is not None)}


def find(store: Store, names: Sequence[str], sight: Sight | None = None) -> list[dict[str, Any]]:
    """The incidents whose ids begin so, in the order of the names.

    Args:
        store: The lake.
        names: Their ids, or how those begin.
        sight: What of the lake is seen; None is all.

    Raises:
        MissingError: One of them is none, or several.
    """
    engine = DuckDB(LakeTables(lambda: store), sight=sight)
    asked = [name for name in names if len(name) >= SHORTEST]
    rows = engine.query(_NAMED, {"names": asked}).pl().to_dicts() if asked else []
    return [_only(name, rows) for name in dict.fromkeys(names)]


def _only(name: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    found = [row for row in rows if len(name) >= SHORTEST and row["incident_id"].startswith(name)]
    if len(found) != 1:
        cause = "several begin so" if found else "there is none"
        advice = f"give at least {SHORTEST} characters of an id that `logshed incidents list` shows"
        raise MissingError(f"cannot find incident {name}: {cause}; {advice}")
    return found[0]


def change(
    store: Store,
    names: Sequence[str],
    done: Change,
    sight: Sight | None = None,
    noted: Callable[[Mapping[str, Any]], None] | None = None,
) -> list[dict[str, Any]]:
    """Write new versions of incidents, all in one commit.

    Args:
        store: The lake.
        names: Their ids, or how those begin.
        done: What is done to each.
        sight: What of the lake is seen; None is all.
        noted: Writes down that each is about to be changed; what it raises leaves them all as they are.

    Returns:
        The new versions.

    Raises:
        MissingError: One of them is not there, and none was changed.
        UsageError: There is no such status.
    """
    if done.status not in {"", *STATUSES}:
        raise UsageError(f"cannot set the status {done.status!r}: there is none; take {', '.join(STATUSES)}")
    with held(store.root / FOLDER):  # a version that another writes meanwhile would hide this one's notes
        batch, now = new_batch(), datetime.now(UTC)
        found = {row["incident_id"]: row for row in find(store, names, sight)}
        if noted is not None:
            for row in found.values():
                noted(row)
        rows = [_changed(row, done, now, batch) for row in found.values()]
        if rows:
            frame = pl.DataFrame(rows, schema=polars_schema(INCIDENTS), orient="row").sort("timestamp")
            files = FileWriter.of(CASES, store.to_write(CASES)).write(frame, f"{batch}-{uuid4().hex[:8]}")
            commit_follower(store, CASES.short, batch, files)
    return rows


def _changed(row: Mapping[str, Any], done: Change, now: datetime, batch: str) -> dict[str, Any]:
    by, status = done.by or _who(), done.status
    said = [{"text": f"status: {status}", "status": status}] if status else []
    if done.assignee is not None and done.assignee != (row.get("assignee") or ""):
        said += [{"text": f"assignee: {done.assignee or 'nobody'}", "assignee": done.assignee}]
    said += [{"text": done.note}] if done.note else []
    head = {"time": now.isoformat(timespec="seconds"), "author": by}
    notes = [*orjson.loads(row["notes"] or "[]"), *(head | one for one in said)]
    return {
        **row,
        "status": status or row["status"],
        "muted_until": done.muted_until if status == "muted" else row["muted_until"] if not status else None,
        "assignee": row.get("assignee") if done.assignee is None else done.assignee or None,
        "notes": orjson.dumps(notes).decode(),
        "updated_timestamp": now,
        "batch": batch,
    }


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a container without a name for its user
