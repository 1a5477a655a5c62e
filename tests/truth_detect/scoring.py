"""Runs all rules over all cases at once, and compares what they find with what CrowdSec's own tests expect.

Every case is a collection of its own: findings never reach from one to another, so that one scan does for all.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.detections import registry
from logshed.detections.model import Case
from logshed.pipeline.rule_cases import CaseReader, find
from logshed.pipeline.rule_scan import KEY
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

FALLBACKS = frozenset(
    {"plain", "json", "jsonlines", "logfmt", "syslog_rfc3164", "syslog_rfc5424", "cri", "docker_json", "csv"}
)
"""Formats that take any line of a kind, without knowing what wrote it."""
PARSED = 0.5
"""Share of a case's records that a format of their own must have taken for its log type to count as parsed."""

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Truth:
    """A case of CrowdSec's tests.

    Attributes:
        name: Its id.
        format: CrowdSec's name of the log type.
        lines: Raw lines.
        expected: Classes and addresses; an empty address stands for attacks that have none, ``*`` for any.
    """

    name: str
    format: str
    lines: tuple[str, ...]
    expected: frozenset[Pair]


@dataclass(frozen=True, slots=True)
class Found:
    """A finding.

    Attributes:
        rule: The rule's name.
        confidence: ``high`` alerts.
        classes: What it may stand for.
        addresses: Whom it is about: the addresses of the records behind it.
    """

    rule: str
    confidence: str
    classes: tuple[str, ...]
    addresses: frozenset[str]

    def meets(self, pair: Pair) -> bool:
        """Whether this class and address are what was found."""
        name, address = pair
        return name in self.classes and (address in {"", "*"} or address in self.addresses)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a case.

    Attributes:
        truth: The case.
        found: What was found in it.
        parsed: Whether a format that knows the log type took its lines.
        formats: The formats that did.
    """

    truth: Truth
    found: tuple[Found, ...]
    parsed: bool
    formats: tuple[str, ...]

    @property
    def hit(self) -> frozenset[Pair]:
        """What was expected and found."""
        return frozenset(pair for pair in self.truth.expected if any(one.meets(pair) for one in self.found))

    @property
    def alerted(self) -> frozenset[Pair]:
        """What was expected and found with high confidence."""
        alerts = [one for one in self.found if one.confidence == "high"]
        return frozenset(pair for pair in self.truth.expected if any(one.meets(pair) for one in alerts))

    @property
    def missed(self) -> frozenset[Pair]:
        """What was expected and not found."""
        return self.truth.expected - self.hit


@dataclass(frozen=True, slots=True)
class Score:
    """What came of all cases.

    Attributes:
        verdicts: One a case.
        attacks: For cases without an expected alert: classes that are right there all the same, and why.
    """

    verdicts: tuple[Verdict, ...]
    attacks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def recall(self, *, parsed: bool) -> tuple[int, int]:
        """How many expected pairs were found, of how many; of the cases alone whose log type is parsed, or of all."""
        counted = [one for one in self.verdicts if one.parsed or not parsed]
        return sum(len(one.hit) for one in counted), sum(len(one.truth.expected) for one in counted)

    def alerted(self, *, parsed: bool) -> int:
        """How many of these alerted."""
        return sum(len(one.alerted) for one in self.verdicts if one.parsed or not parsed)

    def by_class(self, *, parsed: bool) -> dict[str, tuple[int, int]]:
        """The same of each class."""
        hit: Counter[str] = Counter()
        of: Counter[str] = Counter()
        for one in self.verdicts:
            if one.parsed or not parsed:
                hit.update(name for name, _ in one.hit)
                of.update(name for name, _ in one.truth.expected)
        return {name: (hit[name], of[name]) for name in sorted(of)}

    @property
    def false_alerts(self) -> list[tuple[str, Found]]:
        """Alerts in cases of which no alert is expected, but for those whose lines are attacks."""
        return [
            (one.truth.name, found)
            for one in self.verdicts
            if not one.truth.expected
            for found in one.found
            if found.confidence == "high" and not set(found.classes) & set(self.attacks.get(one.truth.name, ()))
        ]

    @property
    def excused_alerts(self) -> list[tuple[str, Found]]:
        """Alerts in such cases whose lines are attacks."""
        false = self.false_alerts
        return [
            (one.truth.name, found)
            for one in self.verdicts
            if not one.truth.expected
            for found in one.found
            if found.confidence == "high" and (one.truth.name, found) not in false
        ]


def load_map() -> dict[str, Any]:
    """The classes of scenarios and rules."""
    return tomllib.loads((Path(__file__).parent / "crowdsec.toml").read_text(encoding="utf-8"))


def truths(folder: Path, said: Mapping[str, Any]) -> list[Truth]:
    """The cases of the truth file in a folder."""
    with (folder / "truth" / "crowdsec.jsonl").open(encoding="utf-8") as lines:
        return [_truth(json.loads(line), said) for line in lines]


def _truth(data: Mapping[str, Any], said: Mapping[str, Any]) -> Truth:
    name = data["id"].partition("/")[2]
    expected = set()
    for alert in data["expect_alerts"]:
        scenario = alert.get("scenario", "")
        found = class_of(scenario, said["scenarios"]) if scenario else said["unnamed"][name]
        expected |= {(found, plain(address)) for address in alert.get("ips") or ["*"]}
    lines = tuple(line for line in data["lines"] if line.strip())
    return Truth(name, str(data["format"]), lines, frozenset(expected))


def class_of(scenario: str, patterns: Mapping[str, str]) -> str:
    """The class of a scenario.

    Raises:
        KeyError: None is said.
    """
    name = scenario.rpartition("/")[2]
    for pattern, result in patterns.items():
        if found := re.search(pattern, name):
            return found[1].lower().replace("_", "-") if result == "$1" else result
    raise KeyError(scenario)


def plain(address: str) -> str:
    """An address in one way of writing it."""
    return address.lower().removeprefix("::ffff:") if "." in address else address.lower()


def measured(folder: Path, names: Iterable[str] = ()) -> Score:
    """Run all rules over the cases in a folder.

    Args:
        folder: Where ``truth/crowdsec.jsonl`` is.
        names: Only these cases.
    """
    said = load_map()
    wanted = set(names)
    cases = [one for one in truths(folder, said) if not wanted or one.name in wanted]
    reader = CaseReader(Settings())
    frames = {one.name: _rows(reader, one, said["places"]) for one in cases}
    rules = registry.load().rules
    findings = find(list(rules.values()), pl.concat(frames.values()))
    by_case: dict[str, list[Found]] = defaultdict(list)
    addresses = {name: _addresses(frame) for name, frame in frames.items()}
    for row in findings.iter_rows(named=True):
        by_case[row["collection"]].append(_found(row, addresses[row["collection"]], said["rules"]))
    verdicts = [_verdict(one, frames[one.name], by_case[one.name]) for one in cases]
    return Score(tuple(verdicts), said.get("attacks", {}))


def _rows(reader: CaseReader, truth: Truth, places: Mapping[str, Mapping[str, Any]]) -> pl.DataFrame:
    rows = reader.rows(Case(title=truth.name, holds=True, lines=truth.lines))
    rows = rows.with_columns(collection=pl.lit(truth.name), source=pl.lit(truth.name))
    for prefix, values in places.items():
        here = pl.col("client_address").str.starts_with(prefix)
        filled = [
            pl.when(here).then(pl.lit(value).cast(rows.schema[name])).otherwise(pl.col(name)).alias(name)
            for name, value in values.items()
        ]
        rows = rows.with_columns(filled)
    return rows


def _addresses(rows: pl.DataFrame) -> dict[str, str]:
    """The address of each record, by the name that findings give it."""
    keyed = rows.select(
        "client_address", key=pl.concat_str([pl.col(one).cast(pl.String) for one in KEY], separator="|")
    )
    return {
        hashlib.md5(key.encode(), usedforsecurity=False).hexdigest(): plain(address)
        for address, key in keyed.iter_rows()
        if address
    }


def _found(row: Mapping[str, Any], addresses: Mapping[str, str], classes: Mapping[str, Sequence[str]]) -> Found:
    behind = {addresses[one] for one in json.loads(row["evidence"]) if one in addresses}
    own = {plain(row["client_address"])} if row["client_address"] else set()
    return Found(row["rule_name"], row["confidence"], tuple(classes.get(row["rule_name"], ())), frozenset(behind | own))


def _verdict(truth: Truth, rows: pl.DataFrame, found: Iterable[Found]) -> Verdict:
    formats = rows["log_format"].to_list()
    known = sum(one is not None and one not in FALLBACKS for one in formats)
    named = tuple(sorted({str(one) for one in formats}))
    return Verdict(truth, tuple(found), known >= PARSED * max(len(formats), 1), named)
