"""Looks anew at days whose records were changed after the rules had looked: what is known is not told twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

import polars as pl

from logshed.lake.changes import Changes, seen_by
from logshed.lake.names import CHANGES_SEEN_PROPERTY, FOUND, LOGS
from logshed.pipeline import findings
from logshed.pipeline.aggregate import runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from logshed.detections.model import Rule
    from logshed.lake.store import Store


class Looking(Protocol):
    """What looks at records with rules."""

    rules: dict[str, Rule]

    def hits(self, where: str) -> pl.DataFrame:
        """Hits in some records."""

    def known(self, hits: pl.DataFrame) -> pl.DataFrame:
        """Findings of before that they may belong to."""

    def keep(self, find: Callable[[], pl.DataFrame], now: datetime, noted: Mapping[str, str] | None = None) -> None:
        """Keep findings."""


def look_again(store: Store, looking: Looking) -> None:
    """Look at what was changed since the last time.

    Raises:
        LakeError: The lake cannot be read or written.
    """
    changes = Changes.of(store.table(LOGS))
    if not changes.days or not (days := changes.after(seen_by(store.table(FOUND)))):
        return
    now = datetime.now(UTC)
    for run in runs(days):
        looking.keep(partial(_found, looking, run, now), now)
    nothing = findings.make({}, pl.DataFrame(), findings.none(), now)
    looking.keep(lambda: nothing, now, {CHANGES_SEEN_PROPERTY: str(changes.last)})


def _found(looking: Looking, days: Sequence[date], now: datetime) -> pl.DataFrame:
    """Findings of some days that are new or have grown; a series is seen whole where it goes beyond the days."""
    first = datetime.combine(days[0], datetime.min.time(), UTC)
    end = datetime.combine(days[-1], datetime.min.time(), UTC) + timedelta(days=1)
    spans = [max(one.timespan_s, one.reach_s) for rule in looking.rules.values() if (one := rule.correlation)]
    near = timedelta(seconds=max([findings.GAP_S, *spans]))
    begin, until = (f"TIMESTAMPTZ '{moment.isoformat()}'" for moment in (first - near, end + near))
    hits = looking.hits(f"timestamp >= {begin} AND timestamp < {until}")
    known = looking.known(hits)
    # The hits are all that there are, so what was counted before is among them.
    found = findings.make(looking.rules, hits, known.with_columns(event_count=pl.lit(0, pl.Int64)), now)
    found = found.filter((pl.col("timestamp") < end) & (pl.col("end_timestamp") >= first))
    found = found.sort("event_count").unique("finding_id", keep="last", maintain_order=True)
    before = known.select("finding_id", before="event_count")
    grown = found.join(before, on="finding_id", how="left", maintain_order="left")
    return grown.filter(pl.col("before").is_null() | (pl.col("event_count") > pl.col("before"))).drop("before")
