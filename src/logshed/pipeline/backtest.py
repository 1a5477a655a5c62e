"""Tries a rule on what the lake holds already: how often, on which days, by whom, in which records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.pipeline import findings
from logshed.pipeline.correlate import correlate
from logshed.pipeline.detect import Detect
from logshed.sql.views import literal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from logshed.detections.model import Rule
    from logshed.lake.store import Store
    from logshed.settings import Settings
    from logshed.sql.sight import Sight

SAMPLES = 5
"""Records that are shown."""
TOP = 10
"""Actors that are shown."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a rule would have found.

    Attributes:
        rule: Its name.
        rows: Records that were looked at.
        hits: Records that meet its condition, or its rules' conditions.
        findings: Findings that they would have become.
        days: Hits of each day, with the day.
        actors: Who made the most hits, with their number.
        samples: Records that met it: their time, actor, and the fields that it looks at.
    """

    rule: str
    rows: int
    hits: int
    findings: int
    days: tuple[tuple[str, int], ...]
    actors: tuple[tuple[str, int], ...]
    samples: tuple[dict[str, Any], ...]

    @property
    def share(self) -> float:
        """Hits by records looked at."""
        return self.hits / self.rows if self.rows else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "rule": self.rule,
            "rows": self.rows,
            "hits": self.hits,
            "share": self.share,
            "findings": self.findings,
            "days": [{"day": day, "hits": hits} for day, hits in self.days],
            "actors": [{"actor": actor, "hits": hits} for actor, hits in self.actors],
            "samples": list(self.samples),
        }


def backtest(
    store: Store,
    settings: Settings,
    rule: Rule,
    since: datetime,
    until: datetime,
    *,
    sight: Sight | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Try a rule on the records of some time.

    Args:
        store: The lake.
        settings: Settings.
        rule: The rule.
        since: First moment.
        until: First moment after.
        sight: What of the lake is looked at; None is all.
        progress: Is told the records looked at so far, and how many there are; what it raises ends the run.

    Raises:
        LakeError: The lake cannot be read.
    """
    verb = Detect(store, settings, [rule.name], sight=sight)
    first, after = literal(since.isoformat()), literal(until.isoformat())
    where = f"timestamp >= TIMESTAMPTZ {first} AND timestamp < TIMESTAMPTZ {after}"
    rows = int(verb.ask(f"SELECT count(*) FROM logs WHERE {where}").item())
    hits = verb.hits(where, None if progress is None else lambda done: progress(done, rows))
    if rule.correlation is not None:
        own = correlate(rule, hits)
        shown = own.filter("fires")
    else:
        own = shown = hits
    found = findings.make({rule.name: rule}, hits, findings.none(), until)
    actor = findings.actor_of(rule)
    by_day = own.group_by(day=pl.col("timestamp").dt.strftime("%Y-%m-%d")).len().sort("day")
    by_actor = own.group_by(actor=actor).len().sort("len", "actor", descending=[True, False]).head(TOP)
    return Backtest(
        rule=rule.name,
        rows=rows,
        hits=own.height,
        findings=found.height,
        days=tuple(by_day.iter_rows()),
        actors=tuple((who or "nobody", count) for who, count in by_actor.iter_rows()),
        samples=tuple(_samples(verb, rule, shown.head(SAMPLES))),
    )


def _samples(verb: Detect, rule: Rule, hits: pl.DataFrame) -> list[dict[str, Any]]:
    """Records that were hit, with the fields that the rule looks at and their values."""
    fields = [one for one in rule.fields.values() if one.sql]
    if hits.is_empty():
        return []
    listed = ", ".join([f'{one.sql} AS "{one.raw}"' for one in fields] + ['"timestamp"', "client_address", "user_id"])
    places = " OR ".join(
        f"(source = {literal(row['source'])} AND generation = {literal(row['generation'])} "
        f'AND "offset" = {row["offset"]} AND item = {row["item"]})'
        for row in hits.iter_rows(named=True)
    )
    rows = verb.ask(f"SELECT {listed} FROM logs WHERE {places}")
    return [
        {key.removeprefix("f:"): value for key, value in row.items() if value is not None}
        for row in rows.iter_rows(named=True)
    ]
