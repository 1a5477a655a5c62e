"""Looks for what is likely wrong in a rule: fields that nothing fills, conditions that never or always hold."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from logshed.detections import taxonomy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from logshed.detections.model import Rule

_EQUAL = re.compile(r'"(?:l|f):((?:[^"]|"")+)" (?:= (\'(?:[^\']|\'\')*\'|-?[0-9.]+)|IN \(([^()]*)\))')
_SHORT = 3
"""Letters below which a text that is looked for inside others says little."""


def lint(rule: Rule, extra: Iterable[Path] = ()) -> Iterator[str]:
    """What is likely wrong with a rule, a sentence each; whether it holds for every record is tried elsewhere."""
    for one in rule.bases or (rule,):
        yield from _fields(one, tuple(extra))
        yield from _impossible(one)
        yield from _vague(one)
    if not rule.cases and rule.author == "Logshed":
        yield "it has no cases; add finds and ignores under logshed"


def _fields(rule: Rule, extra: tuple[Path, ...]) -> Iterator[str]:
    """Fields that are neither columns, nor in a taxonomy, nor among what the formats give."""
    doubtful = [one.name for one in (rule.predicate.fields if rule.predicate else {}).values() if not one.known]
    if not doubtful:
        return
    source = dict(part.split("=", 1) for part in rule.logsource.split())
    known = taxonomy.find({key: source.get(key) for key in ("category", "product", "service")}, extra)
    given = taxonomy.attributes_of(known, extra)
    for name in doubtful:
        if given and name.removeprefix("attributes.") not in given:
            yield f"the field {name} is in no sample of {', '.join(known.formats)}; it is taken for an attribute"
        elif not known.formats and not known.fields:
            yield f"the field {name} is no column of logs; it is taken for an attribute"


def _impossible(rule: Rule) -> Iterator[str]:
    """A field that must equal two things at once, where the whole condition is one AND."""
    sql = rule.predicate.sql if rule.predicate else ""
    parts = sql.strip("()").split(" AND ")
    if " OR " in sql or "NOT " in sql:
        return
    wanted: dict[str, set[str]] = {}
    for part in parts:
        found = _EQUAL.fullmatch(part.strip("()"))
        if found:
            values = {found[2]} if found[2] else set(found[3].split(", "))
            wanted[found[1]] = wanted.get(found[1], values) & values
            if not wanted[found[1]]:
                yield f"the field {found[1]} would have to equal two texts at once: it can never hold"


def _vague(rule: Rule) -> Iterator[str]:
    if rule.predicate is None:
        return
    for name, text in sorted(pair for guard in rule.predicate.guards for pair in guard):
        if len(text) < _SHORT and text.isalnum() and f"contains(\"l:{name}\", '{text}')" in rule.predicate.sql:
            yield f"the field {name} is searched for {text!r}, which many texts hold"
