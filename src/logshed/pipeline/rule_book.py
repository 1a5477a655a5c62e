"""All that detection looks for, in one list: rules, anomaly detectors, new and vanished messages, objectives."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logshed.detections import registry
from logshed.detections.anomalies import registry as anomalies
from logshed.errors import DetectionError
from logshed.pipeline import objective_findings, template_findings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.detections.model import Rule
    from logshed.settings import Settings

CHECKS = (
    *(("template", name, title, level) for name, _, title, level, _ in template_findings.KINDS.values()),
    *(("objective", name, title, level) for name, _, title, level, _ in objective_findings.KINDS.values()),
)
"""What is looked for without a file: kind, name, title, level."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that is looked for.

    Attributes:
        name: Its name, by which it is switched.
        title: What it finds.
        level: How bad a find is.
        confidence: ``high`` alerts, ``low`` counts towards scores only.
        kind: ``event``, a correlation's kind, ``anomaly``, ``template`` or ``objective``.
        source: Sigma's log source; of detectors empty.
        tags: Sigma's tags.
        technique: ATT&CK's techniques, separated by blanks.
        author: Who wrote it.
        cases: How many cases prove it.
    """

    name: str
    title: str
    level: str
    confidence: str
    kind: str
    source: str = ""
    tags: tuple[str, ...] = ()
    technique: str = ""
    author: str = ""
    cases: int = 0


def entries(settings: Settings) -> list[Entry]:
    """All that is looked for, by name.

    Raises:
        DetectionError: A detector's file is wrong.
    """
    return sorted(_all(settings), key=lambda one: one.name)


def _all(settings: Settings) -> Iterator[Entry]:
    yield from map(of_rule, registry.load(settings.plugins).rules.values())
    for one in anomalies.load(settings.plugins).values():
        yield Entry(
            one.name,
            one.title,
            one.level,
            one.confidence,
            "anomaly",
            technique=one.technique,
            author=one.author,
            cases=len(one.cases),
        )
    for kind, name, title, level in CHECKS:
        yield Entry(name, title, level, "low" if kind == "template" else "high", kind)


def of_rule(rule: Rule) -> Entry:
    """A rule as the list has it."""
    return Entry(
        rule.name,
        rule.title,
        rule.level,
        rule.confidence,
        kind_of(rule),
        rule.logsource,
        rule.tags,
        rule.techniques,
        rule.author,
        len(rule.cases),
    )


def kind_of(rule: Rule) -> str:
    """``event``, or the kind of its correlation."""
    return "event" if rule.correlation is None else rule.correlation.kind


def assert_known(name: str, settings: Settings) -> None:
    """Refuse a name that nothing has.

    Raises:
        DetectionError: There is nothing of this name; the text names the nearest.
    """
    known = [one.name for one in _all(settings)]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        meant = f"did you mean {near[0]}?" if near else "`logshed rules list` shows them"
        raise DetectionError(f"cannot find rule {name}: there is none; {meant}")
