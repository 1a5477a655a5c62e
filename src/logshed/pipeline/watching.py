"""One round of watching: rules over what is new, saved queries, and alerts of what was found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from logshed.detections.anomalies import registry
from logshed.pipeline import alert_queries, anomalies, decisions, objective_findings, template_findings
from logshed.pipeline.alerting import Alerting
from logshed.pipeline.detect import Detect, moment_in_sql
from logshed.pipeline.switches import named
from logshed.pipeline.tables import LakeTables
from logshed.pipeline.turns import Turns
from logshed.sql.duckdb import DuckDB

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from logshed.lake.store import Store
    from logshed.pipeline.away import Runner
    from logshed.pipeline.detect_report import DetectReport
    from logshed.settings import Settings
    from logshed.sql.result import Result

EVERY = timedelta(minutes=1)
"""Least time between two looks of the anomaly detectors, which read weeks of history."""
ALERTED = """
SELECT * FROM findings WHERE observed_timestamp >= {since}
"""
KNOWN = (
    "SELECT finding_id, rule_id, collection, actor, timestamp, end_timestamp FROM findings WHERE rule_kind = 'anomaly'"
)
MUTED = "SELECT DISTINCT collection, actor FROM incidents WHERE status = 'muted' AND muted_until > now()"


def watch(
    store: Store,
    settings: Settings,
    rules: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
    since: datetime | None = None,
    runner: Runner | None = None,
) -> DetectReport:
    """Look at what is new, keep what is found, and tell those who are to be told.

    Args:
        store: The lake.
        settings: Settings; a destination that does not fit is refused before anything is read.
        rules: Globs on rules' names; none takes all that are not disabled.
        progress: Is told the records looked at so far.
        since: Look again at all records from then on, and not only at what is new.
        runner: Runs what looks at the records; None does it here.

    Raises:
        LakeError: The lake cannot be read or written.
        SettingsError: A destination of alerts does not fit.
    """
    alerting = Alerting(settings.alert, store.root, settings.plugins)
    verb = Detect(store, settings, rules, progress, runner)
    report = verb.run() if since is None else verb.again(since)
    now = datetime.now(UTC)
    lake = _Lake(store)
    verb.keep(partial(alert_queries.evaluate, lake, now), now)
    _anomalies(verb, lake, settings, rules, now)
    _templates(verb, lake, rules, now)
    _objectives(verb, lake, settings, rules, now)
    report.decisions = decisions.decide(store.root, report.incidents, settings.detect, now)
    report.alerts = alerting.deliver(_to_tell(lake, report.findings, alerting.since()), now)
    return report


def _anomalies(verb: Detect, lake: _Lake, settings: Settings, rules: Sequence[str], now: datetime) -> None:
    """Judge the time of new records, if enough has passed since the last look."""
    turns = Turns(lake.root, "anomalies", EVERY)
    since = turns.due(verb.first, now)
    detectors = [
        one
        for name, one in registry.load(settings.plugins).items()
        if named(name, rules or ("*",)) and (rules or verb.switches.on(name))
    ]
    if since is None or not detectors:
        return

    def find() -> pl.DataFrame:
        return anomalies.find(lake.frame, detectors, since, now, now, known=lake.query(KNOWN).pl())

    verb.keep(find, now)
    turns.done(now)


def _templates(verb: Detect, lake: _Lake, rules: Sequence[str], now: datetime) -> None:
    """Judge which templates of messages are new or have vanished, each if it is time to look."""
    for change, (name, *_, every) in template_findings.KINDS.items():
        if not (named(name, rules or ("*",)) and (rules or verb.switches.on(name))):
            continue
        turns = Turns(lake.root, name, every)
        if (since := turns.due(verb.first, now)) is not None:
            verb.keep(partial(template_findings.find, lake.ask, change, since, now), now)
            turns.done(now)


def _objectives(verb: Detect, lake: _Lake, settings: Settings, rules: Sequence[str], now: datetime) -> None:
    """Look how objectives stand; windows move on also where nothing new came."""
    turns = Turns(lake.root, "objectives", EVERY)
    names = {name for name, *_ in objective_findings.KINDS.values()}
    wanted = {name for name in names if named(name, rules or ("*",))}
    if not rules:
        wanted = {name for name in wanted if verb.switches.on(name)}
    if not settings.objective or not wanted or turns.due(now, now) is None:
        return

    def find() -> pl.DataFrame:
        found = objective_findings.find(lake.frame, settings.objective, now)
        return found.filter(pl.col("rule_name").is_in(sorted(wanted)))

    verb.keep(find, now)
    turns.done(now)


def _to_tell(lake: _Lake, new: pl.DataFrame, since: datetime | None) -> pl.DataFrame:
    """New findings, those of a delivery that was cut short, and none of muted incidents."""
    found = new
    if since is not None:
        again = lake.query(ALERTED.format(since=moment_in_sql(since))).pl().select(new.columns).cast(new.schema)
        found = pl.concat([new, again]).unique("finding_id", keep="first", maintain_order=True)
    muted = lake.query(MUTED).pl()
    return found.join(muted, on=["collection", "actor"], how="anti")


@dataclass(frozen=True, slots=True)
class _Lake:
    """What saved queries and detectors ask; each statement sees the lake as it is then."""

    store: Store

    @property
    def root(self) -> Path:
        return self.store.root

    def query(self, sql: str, *, params: dict[str, object] | None = None) -> Result:
        return DuckDB(LakeTables(lambda: self.store)).query(sql, params)

    def frame(self, sql: str, params: Mapping[str, object]) -> pl.DataFrame:
        return self.query(sql, params=dict(params)).pl()

    def ask(self, sql: str, params: dict[str, object]) -> Result:
        return self.query(sql, params=params)
