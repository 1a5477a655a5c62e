"""What the long runs on this machine say of themselves: receivers, collectors, and what follows files."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from logshed.pipeline import standing
from logshed.spool.dead import DEAD, DeadLetters

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from logshed.doors.receive_counts import Counts
    from logshed.pipeline.collect_report import CollectReport
    from logshed.pipeline.following import FollowReport
    from logshed.pipeline.receive_report import ReceiveReport
    from logshed.pipeline.standing import Standing

MOST_SHOWN = 20
"""Collections whose figures are told, the busiest first."""
_TOTALS = {
    "records": "logshed_receive_records",
    "bytes": "logshed_receive_bytes",
    "stored": "logshed_ingest_stored_records",
    "rejected": "logshed_ingest_rejected_records",
    "refused": "logshed_receive_refused_records",
    "dropped": "logshed_receive_dropped_records",
    "duplicates": "logshed_receive_duplicate_records",
    "throttled": "logshed_receive_throttled_requests",
}
"""What of a receiver only grows, by what it is called here and to Prometheus."""
METRICS = {name: f"{metric}_total" for name, metric in _TOTALS.items()}
GAUGES = {
    "spool_bytes": "logshed_spool_bytes",
    "spool_limit_bytes": "logshed_spool_limit_bytes",
    "backlog_bytes": "logshed_ingest_waiting_bytes",
    "lag_seconds": "logshed_ingest_lag_seconds",
    "connections": "logshed_receive_connections",
}
"""What of a receiver is as it is, likewise."""


def of_receiver(standing: Standing, report: ReceiveReport, counts: Counts, backlog: Callable[[], int]) -> None:
    """Tell how a receiver stands, if it is time.

    Args:
        standing: Tells it.
        report: How it stands.
        counts: What was counted.
        backlog: Bytes of records that are not in the lake yet.
    """
    if not standing.due():
        return
    now = {
        "spool_bytes": report.spool,
        "spool_limit_bytes": report.limit,
        "backlog_bytes": backlog(),
        "lag_seconds": round(counts.lag(), 3),
        "waiting_bytes": report.waiting,
    }
    by: dict[str, float] = {}
    for (_, collection), records in counts.by("logshed_receive_records").items():
        by[collection] = by.get(collection, 0) + records
    busiest = dict(islice(sorted(by.items(), key=lambda one: -one[1]), MOST_SHOWN))
    totals = {name: counts.total(metric) for name, metric in _TOTALS.items()}
    standing.tell(totals, now, report.lake, doors=report.addresses, collections=busiest)


def of_collector(standing: Standing, report: CollectReport) -> None:
    """Tell how a collector stands, if it is time."""
    if not standing.due():
        return
    states = [one.state for one in report.targets.values()]
    totals = {
        "records": report.lines,
        "bytes": sum(one.bytes for one in report.targets.values()),
        "errors": sum(one.errors for one in report.targets.values()),
    }
    now = {
        "targets": len(states),
        "following": states.count("following"),
        "waiting": states.count("waiting"),
        "failed": states.count("failed") + len(report.failed),
    }
    standing.tell(totals, now, report.paused or report.lake or next(iter(report.failed.values()), ""))


def of_follower(standing: Standing, report: FollowReport) -> None:
    """Tell how a following of files stands, if it is time."""
    if not standing.due():
        return
    totals = {
        "records": report.counts.read,
        "bytes": report.bytes,
        "stored": report.counts.stored,
        "rejected": report.counts.rejected,
        "batches": report.batches,
    }
    now = {
        "files": report.files,
        "sources": len(report.sources),
        "failed": len(report.failed),
        "lost": len(report.lost),
        "batch_seconds": round(report.took, 3),
    }
    standing.tell(totals, now, report.waiting or report.live or next(iter(report.failed.values()), ""))


def here(spool: Path, lake: Path) -> dict[str, Any]:
    """The runs that a spool and a lake tell of, and dead letters of the spool, which nobody has brought in again.

    Args:
        spool: The spool's folder, which need not be there.
        lake: The lake's folder.
    """
    waiting = DeadLetters(spool / DEAD).waiting()
    dead = {"files": len(waiting), "letters": sum(map(_lines, waiting))}
    return {"items": standing.read([spool, lake]), "dead": dead}


def _lines(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(piece.count(b"\n") for piece in iter(lambda: file.read(2**20), b""))
    except FileNotFoundError:  # it was replayed just now
        return 0
