"""How a lake stands: what each table holds, in how many files, when it last changed; and who did what to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from logshed.lake.compact_plan import Sizes
from logshed.lake.scan import iceberg_files
from logshed.pipeline.retaining import why

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from logshed.lake.store import Store
    from logshed.settings import Settings
    from logshed.sql.result import Result

    Query = Callable[[str, Mapping[str, object]], Result]

TRAIL = """
SELECT sequence, timestamp, actor, verb, target, outcome, collection, details
FROM audit
WHERE timestamp >= $since
  AND ($until IS NULL OR timestamp < $until)
  AND ($actor IS NULL OR contains(lower(actor), lower($actor)))
  AND ($verb IS NULL OR contains(lower(verb), lower($verb)))
  AND ($outcome IS NULL OR outcome = $outcome)
ORDER BY sequence DESC
LIMIT $limit OFFSET $skip
"""
Rows = list[dict[str, Any]]


def tables(store: Store, settings: Settings) -> Rows:
    """Each table: rows, files and bytes, files that compaction would take, snapshots, when it changed, how long kept.

    Args:
        store: The lake.
        settings: How long rows are kept.

    Raises:
        logshed.errors.LakeError: The lake cannot be read.
    """
    small = Sizes().small
    found = []
    for name in store.names():
        table = store.load(name)
        files = iceberg_files(table)
        last = table.current_snapshot()
        found.append(
            {
                "table": name,
                "rows": sum(file.record_count for file in files),
                "files": len(files),
                "bytes": sum(file.file_size_in_bytes for file in files),
                "small": sum(file.file_size_in_bytes < small for file in files),
                "snapshots": len(table.metadata.snapshots),
                "changed": None if last is None else datetime.fromtimestamp(last.timestamp_ms / 1000, UTC),
                "kept": why(store, name, settings.retain)[0],
            }
        )
    return found


def trail(
    query: Query,
    *,
    since: datetime,
    until: datetime | None = None,
    actor: str | None = None,
    verb: str | None = None,
    outcome: str | None = None,
    limit: int = 100,
    skip: int = 0,
) -> Rows:
    """Entries of the audit trail, the newest first.

    Args:
        query: Runs a statement.
        since: First moment.
        until: First moment after; None takes all.
        actor: Only of those who have this in their name.
        verb: Only verbs that have this in them.
        outcome: ``ok``, ``refused`` or ``failed``.
        limit: Rows.
        skip: Rows before them.

    Raises:
        logshed.errors.QueryError: The lake cannot be asked, or shows no trail to the one who asks.
    """
    asked = {"since": since, "until": until, "actor": actor, "verb": verb, "outcome": outcome}
    with query(TRAIL, {**asked, "limit": limit, "skip": skip}) as result:
        rows: Rows = result.pl().to_dicts()
    return rows
