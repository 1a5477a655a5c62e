"""Scores the rules on panther-analysis' own tests: each event is found, or not found, by the rules of the same kind."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.detections import registry
from logshed.pipeline.rule_cases import CaseReader
from logshed.pipeline.rule_scan import Scan
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from logshed.detections.model import Rule

MAP = Path(__file__).with_name("panther.toml")
FORMATS = {
    "AWS.CloudTrail": "aws_cloudtrail",
    "AWS.S3ServerAccess": "aws_s3_access_json",
    "AWS.VPCFlow": "aws_vpc_flow_json",
    "Amazon.EKS.Audit": "kubernetes_audit",
    "Auth0.Events": "auth0",
    "Azure.Audit": "azure_activity",
    "Azure.MonitorActivity": "azure_activity",
    "Databricks.Audit": "databricks_audit",
    "Duo.Authentication": "duo",
    "GCP.AuditLog": "gcp_audit",
    "GitHub.Audit": "github_audit",
    "GitHub.Webhook": "github_webhook",
    "MongoDB.OrganizationEvent": "mongodb_atlas_event",
    "Okta.SystemLog": "okta",
    "OneLogin.Events": "onelogin",
    "OpenAI.Audit": "openai_audit",
    "Snyk.GroupAudit": "snyk_audit",
    "Zoom.Operation": "zoom_activity",
}
"""Panther's names of formats and ours. The events are told their format: many are cut down to a few fields."""


@dataclass(slots=True)
class Score:
    """What came of the events of one format.

    Attributes:
        cases: Events of any rule of this format.
        counts: ``found``, ``missed``, ``quiet`` and ``false`` of the events whose kind we ship.
        wrong: Names of events that were missed or found falsely.
    """

    cases: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str]] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Per cent of the events that must be found which are."""
        return _share(self.counts["found"], self.counts["missed"])

    @property
    def false_alerts(self) -> float:
        """Per cent of the events that must not be found which are."""
        return _share(self.counts["false"], self.counts["quiet"])

    @property
    def mapped(self) -> int:
        """Events whose kind we ship."""
        return sum(self.counts.values())


def score(path: Path, settings: Settings | None = None) -> dict[str, Score]:
    """Every format's score; ``total`` is all of them."""
    kinds = tomllib.loads(MAP.read_text(encoding="utf-8"))
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    events = [event for event in events if event["format"] in FORMATS]
    hits = _hits(events, kinds, settings or Settings.load())
    board = {name: Score() for name in FORMATS}
    for event in events:
        own = board[event["format"]]
        own.cases += 1
        ours = _ours(event, kinds)
        if ours is None:
            continue
        hit, holds = bool(hits.get(event["id"], set()) & set(ours)), event["expect"]["match"]
        outcome = {(True, True): "found", (False, True): "missed", (False, False): "quiet", (True, False): "false"}
        own.counts[outcome[hit, holds]] += 1
        if hit != holds:
            own.wrong.append((outcome[hit, holds], f"{event['id']} {event['name']}"))
    total = Score()
    for own in board.values():
        total.cases += own.cases
        total.counts += own.counts
    return {**board, "total": total}


def _ours(event: Mapping[str, Any], kinds: Mapping[str, Mapping[str, list[str]]]) -> list[str] | None:
    """Our rules of the event's kind; None where we ship none, or where the event is of another format than it says."""
    if "kube-audit" in str(event["input"].get("category")):
        return None  # audit logs of AKS: a text inside a record of Azure's
    return kinds.get(event["format"], {}).get(event["rule"])


def _hits(events: list[dict[str, Any]], kinds: Mapping[str, Any], settings: Settings) -> dict[str, set[str]]:
    """Which rules find which event; a correlation stands for the records that it counts."""
    rules = registry.load(settings.plugins).rules
    names = {name for mapped in kinds.values() for ours in mapped.values() for name in ours}
    wanted = {name: rules[name] for name in sorted(names)}
    plain: dict[str, Rule] = {}
    stands: dict[str, set[str]] = {}
    for name, rule in wanted.items():
        for one in rule.bases or (rule,):
            plain[one.name] = one
            stands.setdefault(one.name, set()).add(name)
    scan = Scan(list(plain.values()))
    rows = _rows(events, settings)
    hits = scan.hits(rows.select(scan.columns))
    found: dict[str, set[str]] = {}
    for key, rule_name in zip(hits["source"], hits["rule"], strict=True):
        found.setdefault(str(key), set()).update(stands[str(rule_name)])
    return found


def _rows(events: list[dict[str, Any]], settings: Settings) -> pl.DataFrame:
    """The events as an ingest would store them, all of a format at once; ``source`` is the event."""
    reader = CaseReader(settings)
    frames = []
    for name in sorted({_format(event) for event in events}):
        own = [event for event in events if _format(event) == name]
        lines = [json.dumps(event["input"], separators=(",", ":")) for event in own]
        ids = pl.DataFrame({"offset": range(len(own)), "id": [event["id"] for event in own]})
        rows = reader.parsed(lines, name)
        rows = rows.join(ids.cast({"offset": rows.schema["offset"]}), on="offset", how="left")
        frames.append(rows.with_columns(source=pl.col("id")).drop("id"))
    return pl.concat(frames)


def _format(event: Mapping[str, Any]) -> str:
    """Our format of an event; flow logs come in OCSF too, and events of Kubernetes among Google's audit logs."""
    if "protoPayload" in event["input"]:
        return "gcp_audit"
    return "ocsf" if "dst_endpoint" in event["input"] or "status_code" in event["input"] else FORMATS[event["format"]]


def section(board: Mapping[str, Score]) -> list[str]:
    """Its part of ``docs/truth-detect.md``."""
    lines = [
        "## Cloud and services: panther-analysis",
        "",
        "Each test of panther-analysis is an event that one of its rules must or must not match. Where we ship a rule",
        "for the same thing, it must find the one and leave the other. A rule that counts stands for the records that",
        "it counts; its threshold is proved by the cases in its file. Which rules are alike stands in",
        "`tests/truth_detect/panther.toml`.",
        "",
        "| format | events | of kinds that we ship | found | missed | recall | false alerts | of those to ignore |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [_row(name, own) for name, own in board.items()]
    return lines


def _row(name: str, own: Score) -> str:
    counts = own.counts
    quiet = counts["quiet"] + counts["false"]
    return (
        f"| {name} | {own.cases:,} | {own.mapped:,} | {counts['found']:,} | {counts['missed']:,} | {own.recall:.1f} % |"
        f" {counts['false']:,} ({own.false_alerts:.1f} %) | {quiet:,} |"
    )


def wrong(board: Mapping[str, Score]) -> Iterable[str]:
    """A line for each event that came out wrong."""
    for name, own in board.items():
        for outcome, event in own.wrong:
            yield f"{name}: {outcome}: {event}"


def _share(part: int, rest: int) -> float:
    return 100 * part / (part + rest) if part + rest else 0.0
