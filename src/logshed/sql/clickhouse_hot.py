"""Statements of a copy of the newest days in ClickHouse's own tables, and those that bring it up to date."""

from __future__ import annotations

from logshed.errors import UsageError
from logshed.sql.views import quoted

HOT, DONE = "logs_hot", "logs_hot_batches"
"""The copy, and the batches that are wholly in it."""
MOST_DAYS = 90
"""A block that is put in may be of 100 partitions at most unless a server says otherwise, and a partition is a day."""
SYNC = "SETTINGS mutations_sync = 2, lightweight_deletes_sync = 2"
"""A statement that deletes ends when it has deleted: the next one relies on it."""


def tables(database: str, days: int) -> list[str]:
    """The tables of the copy; they are empty until ``refresh`` is run, and forget what is older by themselves.

    Args:
        database: That of the views; the copy is made of its view ``logs``.
        days: How many days back records are copied, by their own time.

    Raises:
        UsageError: There are too few days, or too many.
    """
    _check(days)
    hot, done, logs = (f"{quoted(database)}.{quoted(name)}" for name in (HOT, DONE, "logs"))
    copy = (
        f"CREATE TABLE IF NOT EXISTS {hot} ENGINE = MergeTree PARTITION BY toDate(timestamp, 'UTC') "
        "ORDER BY (collection, ifNull(service_name, ''), timestamp) "
        f"TTL toDateTime(timestamp, 'UTC') + INTERVAL {days + 1} DAY SETTINGS ttl_only_drop_parts = 1 "
        f"EMPTY AS SELECT * FROM {logs}"
    )
    # A record is of the day after its batch at most: when a batch is forgotten here, none of it is new enough.
    batches = (
        f"CREATE TABLE IF NOT EXISTS {done} (batch String, taken DateTime DEFAULT now()) ENGINE = MergeTree "
        f"ORDER BY batch TTL taken + INTERVAL {days + 2} DAY"
    )
    return [copy, batches]


def refresh(database: str, days: int) -> list[str]:
    """What brings the copy up to date: each batch is in it once, wherever an earlier run was ended.

    First goes what a run left that did not come to its end, then come the batches that are not noted, then they are.

    Args:
        database: That of the views.
        days: How many days back.

    Raises:
        UsageError: There are too few days, or too many.
    """
    _check(days)
    hot, done, logs = (f"{quoted(database)}.{quoted(name)}" for name in (HOT, DONE, "logs"))
    new = f"batch NOT IN (SELECT batch FROM {done})"
    return [
        f"DELETE FROM {hot} WHERE {new} {SYNC}",
        f"INSERT INTO {hot} SELECT * FROM {logs} WHERE timestamp >= now() - INTERVAL {days} DAY AND {new}",
        f"INSERT INTO {done} (batch) SELECT DISTINCT batch FROM {hot} WHERE {new}",
    ]


def _check(days: int) -> None:
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(f"cannot keep a copy of {days} days: 1 to {MOST_DAYS} can be kept; give another --hot-days")
