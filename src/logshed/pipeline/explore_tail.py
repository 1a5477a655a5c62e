"""Looks for what arrives in a lake: the batches that are new, and of them the records that somebody looks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from logshed.pipeline.explore_places import BACKWARD
from logshed.pipeline.explore_raw import with_lines
from logshed.pipeline.explore_records import columns
from logshed.search import sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from logshed.pipeline.explore import Query
    from logshed.search.scope import Scope

LATE = timedelta(hours=1)
"""How much older than the newest a batch may be that appears later: ingests run beside each other."""
MOST = 500
"""Records of one arrival that are shown: nobody reads more in two seconds."""


class Arrived(NamedTuple):
    """What has arrived.

    Attributes:
        frame: The newest records that match, ``MOST`` at most, newest first.
        total: How many match.
    """

    frame: pl.DataFrame
    total: int


def batches(query: Query) -> set[str]:
    """The batches with records that were read lately; only new data files are opened for it."""
    return {row[0] for row in query(f"SELECT DISTINCT batch FROM logs WHERE {_lately()}").rows()}


def arrived(query: Query, scope: Scope, fresh: Sequence[str], fields: Sequence[str] = ()) -> Arrived:
    """Of some batches what matches.

    Args:
        query: Runs a statement.
        scope: Which records; their time is not regarded, since what arrives late counts too.
        fresh: The batches.
        fields: The records' fields; none are all columns.

    Raises:
        logshed.errors.UsageError: There is no such field.
    """
    listed = ", ".join(map(sql.literal, fresh))
    where = scope.within(None, None).and_(f"{_lately()} AND batch IN ({listed})").where
    ((total,),) = query(f"SELECT count(*) FROM logs WHERE {where}").rows()
    statement = f"SELECT {columns(fields)} FROM logs WHERE {where} ORDER BY {BACKWARD} LIMIT {MOST if total else 0}"
    return Arrived(with_lines(query, query(statement).pl()), total)


def _lately() -> str:
    return f"observed_timestamp >= {sql.time(datetime.now(UTC) - LATE)}"
