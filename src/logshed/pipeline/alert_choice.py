"""Decides which findings a destination gets, and which of them come together or wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import polars as pl

from logshed.alert_settings import LEVELS
from logshed.alerts.common.message import Finding, Message, iso, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from logshed.alert_settings import Alert
    from logshed.alerts.common.message import MessageKind
    from logshed.pipeline.alert_state import Held, State

QUERY, TO = "query", "alert.to"
"""Findings of saved queries may name their destinations in this attribute, separated by blanks."""

CRITICAL = LEVELS.index("critical")


@dataclass(slots=True)
class Plan:
    """What is to become of findings.

    Attributes:
        messages: To send, the gravest first.
        quiet: Findings that wait for the end of the quiet hours.
        grouped: Findings that wait because their actor was alerted just now.
    """

    messages: list[Message] = field(default_factory=list)
    quiet: list[Finding] = field(default_factory=list)
    grouped: list[Finding] = field(default_factory=list)


def chosen(findings: pl.DataFrame, alert: Alert) -> list[Finding]:
    """The findings that a destination wants, by level, confidence, rule and collection.

    A saved query that names its destinations goes to those whatever their level and rules, and to no other.
    """
    levels = list(LEVELS[LEVELS.index(alert.level) :])
    allowed = findings.filter(pl.col("collection").is_in(_matching(findings["collection"], alert.collections)))
    wanted = (
        pl.col("level").is_in(levels)
        & ((pl.lit(alert.confidence) == "low") | (pl.col("confidence") == "high"))
        & pl.col("rule_name").is_in(_matching(findings["rule_name"], alert.rules))
    )
    rows = allowed.filter(wanted | (pl.col("rule_kind") == QUERY)).with_columns(wanted.alias("wanted"))
    found = []
    for row in rows.iter_rows(named=True):
        by_level = row.pop("wanted")
        finding = Finding.of(row)
        named = finding.attributes.get(TO, "").split() if finding.text("rule_kind") == QUERY else []
        if alert.name in named or (by_level and not named):
            found.append(finding)
    return found


def plan(findings: Iterable[Finding], alert: Alert, batch: int, state: State, now: datetime) -> Plan:
    """What is to be sent now of findings that are new, and what waits.

    Args:
        findings: New ones, and those that waited.
        alert: The destination's settings.
        batch: Findings that come in one message where they are not grouped.
        state: What it has been sent.
        now: The present.
    """
    made = Plan()
    quiet = alert.quiet is not None and alert.quiet.holds(now)
    due: list[Finding] = []
    for one in findings:
        if quiet and one.rank < CRITICAL:
            made.quiet.append(one)
        elif alert.group and _just_alerted(one, alert.group, state, now):
            made.grouped.append(one)
        else:
            due.append(one)
    due.sort(key=lambda one: (-one.rank, one.start, one.id))
    parts = _groups(due, alert.group) if alert.group else _batches(due, batch if alert.rate is None else 1)
    made.messages = sorted(map(Message.of, parts), key=lambda one: (-one.first.rank, one.first.start, one.key))
    return made


def actor_key(finding: Finding) -> str:
    """What tells one actor of one collection from another; empty where nobody is known."""
    kind, actor = finding.actor
    return "|".join((finding.text("collection"), kind, actor)) if actor else ""


def summary(held: Held, alert: Alert, rate: str, now: datetime) -> Message:
    """The message that sums up what a rate held back."""
    rules = sorted(held.rules.items(), key=lambda one: (-LEVELS.index(one[1]["level"]), -one[1]["findings"]))
    level = rules[0][1]["level"]
    told = ", ".join(f"{one['findings']} of {one['title']} ({one['level']})" for _, one in rules[:20])
    more = f" and of {len(rules) - 20} more rules" if len(rules) > 20 else ""  # noqa: PLR2004 - as above
    row = {
        "finding_id": f"{alert.name}-{held.first}-{held.findings}-{now.timestamp():.0f}",
        "timestamp": held.first, "end_timestamp": held.last, "observed_timestamp": now,
        "collection": " ".join(held.collections), "rule_id": "", "rule_name": "logshed_rate",
        "rule_title": f"{held.findings} more findings held back by the rate of {rate}",
        "rule_kind": "summary", "level": level, "confidence": "high", "event_count": held.findings, "score": 0.0,
        "rule_author": listed((one["author"] for _, one in rules), 20),
        "explanation": f"More than {rate}: these findings got no alert of their own and are in the lake's findings: "
        f"{told}{more}. The first began {iso(_time(held.first))}.",
    }  # fmt: skip
    return Message.of([Finding.of(row)], "summary")


def example(kind: MessageKind, now: datetime) -> Message:
    """A message that shows what an alert looks like."""
    row = {
        "finding_id": f"test-{now.timestamp():.0f}", "timestamp": now, "end_timestamp": now, "observed_timestamp": now,
        "collection": "default", "rule_id": "00000000-0000-0000-0000-000000000000", "rule_name": "logshed_test",
        "rule_title": "Test alert from Logshed", "rule_version": "1", "rule_author": "Logshed", "rule_kind": "event",
        "level": "informational", "confidence": "high", "technique": "T1110.003", "actor_type": "client_address",
        "actor": "192.0.2.1", "client_address": "192.0.2.1", "event_count": 1, "score": 0.0,
        "explanation": "This is a test: nothing happened, and there is nothing to do.", "evidence": "[]",
    }  # fmt: skip
    return Message.of([Finding.of(row)], kind)


def _time(text: str) -> datetime:
    return Finding.of({"timestamp": text}).start


def _matching(values: pl.Series, globs: Sequence[str]) -> list[str]:
    return [name for name in values.unique().drop_nulls() if any(fnmatchcase(name, glob) for glob in globs)]


def _just_alerted(finding: Finding, group: int, state: State, now: datetime) -> bool:
    """Whether its actor was alerted within the time of grouping, at its level or above: what is graver is told now."""
    before = state.actors.get(actor_key(finding))
    if before is None:
        return False
    when, level = before
    return now < when + timedelta(seconds=group) and finding.rank <= LEVELS.index(level)


def _groups(findings: list[Finding], group: int) -> list[list[Finding]]:
    """Findings of one actor that begin within the time of grouping come together; without an actor each is alone."""
    found: list[list[Finding]] = []
    latest: dict[str, list[Finding]] = {}
    for one in sorted(findings, key=lambda one: (one.start, one.id)):
        key = actor_key(one)
        part = latest.get(key) if key else None
        if part is None or one.start > part[0].start + timedelta(seconds=group):
            found.append(latest.setdefault(key, [])) if key not in latest else found.append([])
            latest[key] = part = found[-1]
        part.append(one)
    return found


def _batches(findings: list[Finding], size: int) -> list[list[Finding]]:
    return [findings[begin : begin + size] for begin in range(0, len(findings), size)]
