"""Scores the rules about requests on made payloads: how many are found, and how many ordinary values taken for one."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.truth_detect import payloads

from logshed.detections import registry
from logshed.detections.model import Case
from logshed.pipeline.rule_cases import CaseReader
from logshed.pipeline.rule_scan import Scan
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.truth_detect.payloads import Payload


@dataclass(slots=True)
class Score:
    """What came of the payloads of a kind.

    Attributes:
        total: How many there were.
        high: Found by a rule that alerts.
        either: Found by any rule.
        odd: Those that no rule found, or ordinary ones that some rule did, with the rules.
    """

    total: int = 0
    high: int = 0
    either: int = 0
    odd: list[tuple[Payload, tuple[str, ...]]] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Per cent found by any rule."""
        return 100 * self.either / self.total


def scores(each: int, benign: int) -> dict[str, Score]:
    """The scores by kind of payload; ``each`` and ``benign`` are how many of each family."""
    made = [one for kind in payloads.KINDS for one in payloads.attacks(kind, each)]
    return scored([*made, *payloads.benign(benign)])


def scored(made: Sequence[Payload]) -> dict[str, Score]:
    """The scores of these payloads by kind."""
    rules = [rule for rule in registry.load().rules.values() if rule.name.startswith("web_") and rule.predicate]
    sure = {rule.name for rule in rules if rule.confidence == "high"}
    scan = Scan(rules)
    rows = CaseReader(Settings.load()).rows(
        Case("payloads", holds=True, lines=tuple(payloads.lines(made)), format="apache_combined")
    )
    hits = scan.hits(rows.select(scan.columns))
    found: dict[int, set[str]] = {}
    for rule, offset in hits.select("rule", "offset").iter_rows():
        found.setdefault(offset, set()).add(rule)
    result: dict[str, Score] = {}
    for number, one in enumerate(made):
        score = result.setdefault(one.kind, Score())
        by = found.get(number, set())
        score.total += 1
        score.either += bool(by)
        score.high += bool(by & sure)
        if bool(by) == (one.kind == "benign"):
            score.odd.append((one, tuple(sorted(by))))
    return result


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")


def section(each: int = 2_000, ordinary: int = 3_000) -> list[str]:
    """How much is found of payloads that we make ourselves, as lines of a page."""
    rows = [
        f"| {kind} | {score.total:,} | {100 * score.high / score.total:.2f} % | {score.share:.2f} % |"
        for kind, score in scores(each, ordinary).items()
    ]
    head = [
        "## Payloads of web attacks",
        "",
        "Made by `tests/truth_detect/payloads.py`, on which the rules were tuned.",
        "",
    ]
    return [*head, "| kind | payloads | found by high confidence | by any rule |", "|---|--:|--:|--:|", *rows]


def main(each: int = 2_000, ordinary: int = 3_000) -> None:
    """Print how much is found of the payloads; so many of each family at most."""
    _tell(f"{'kind':12}{'payloads':>10}{'alerted':>10}{'found':>10}")
    for kind, score in scores(each, ordinary).items():
        _tell(f"{kind:12}{score.total:>10,}{100 * score.high / score.total:>9.2f}%{score.share:>9.2f}%")
        for payload, rules in score.odd[:10]:
            _tell(f"    {payload.family}: {payload.text!r:.100} {' '.join(rules)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
