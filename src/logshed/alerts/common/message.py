"""A message: one or several findings on their way to a destination, with every text of them made harmless."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import orjson

from logshed.alert_settings import LEVELS
from logshed.alerts.common.text import clean, cut
from logshed.schema import FINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MessageKind = Literal["finding", "summary", "test"]

EVIDENCE = 3
"""Record ids of a finding that go into a message."""

ATTRIBUTES, ATTRIBUTE = 32, 512
"""Attributes that go into a message, and characters of each."""

LONGEST = {"explanation": 4096, "rule_title": 256}
_TIMES = frozenset(column.name for column in FINDINGS if column.kind == "timestamptz")
_NUMBERS = frozenset(column.name for column in FINDINGS if column.kind in {"long", "int", "double"})
NO_AUTHOR = "not named"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding, its texts cleaned and cut.

    Attributes:
        values: The columns of ``findings`` that have a value.
    """

    values: Mapping[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Finding:
        """A finding from a row of ``findings``, or from what ``plain`` gave."""
        return cls({name: found for name, value in row.items() if (found := _value(name, value)) is not None})

    def plain(self) -> dict[str, Any]:
        """The same for JSON: times as text."""
        return {name: iso(value) if isinstance(value, datetime) else value for name, value in self.values.items()}

    def text(self, name: str) -> str:
        """A column as text; empty where it has no value."""
        value = self.values.get(name)
        return iso(value) if isinstance(value, datetime) else "" if value is None else str(value)

    @property
    def id(self) -> str:
        """Its id."""
        return self.text("finding_id")

    @property
    def level(self) -> str:
        """Its level, by Sigma's names."""
        level = self.text("level")
        return level if level in LEVELS else "medium"

    @property
    def rank(self) -> int:
        """Its level as a number, 0 to 4."""
        return LEVELS.index(self.level)

    @property
    def title(self) -> str:
        """The rule's title, else its name."""
        return self.text("rule_title") or self.text("rule_name") or "finding"

    @property
    def author(self) -> str:
        """The rule's author."""
        return self.text("rule_author") or NO_AUTHOR

    @property
    def start(self) -> datetime:
        """When the first of its records happened."""
        return self._time("timestamp")

    @property
    def end(self) -> datetime:
        """When the last of its records happened."""
        return self._time("end_timestamp") if "end_timestamp" in self.values else self.start

    @property
    def observed(self) -> datetime:
        """When it was found."""
        return self._time("observed_timestamp")

    @property
    def count(self) -> int:
        """Records that it is made of."""
        return int(self.values.get("event_count") or 0)

    @property
    def score(self) -> float:
        """0 to 100."""
        return float(self.values.get("score") or 0.0)

    @property
    def techniques(self) -> list[str]:
        """MITRE ATT&CK techniques."""
        return self.text("technique").split()[:16]

    @property
    def evidence(self) -> list[str]:
        """The ids of at most three of its records."""
        return list(self.values.get("evidence") or ())

    @property
    def attributes(self) -> Mapping[str, str]:
        """What matched."""
        found: Mapping[str, str] = self.values.get("attributes") or {}
        return found

    @property
    def actor(self) -> tuple[str, str]:
        """The column that names the actor, and who it is."""
        return self.text("actor_type"), self.text("actor")

    def _time(self, name: str) -> datetime:
        value = self.values.get(name)
        return value if isinstance(value, datetime) else datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent in one go.

    Attributes:
        kind: ``finding``, ``summary`` (of what a rate held back) or ``test``.
        key: The same when the same findings are sent again.
        findings: At least one, the gravest first.
    """

    kind: MessageKind
    key: str
    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Iterable[Finding], kind: MessageKind = "finding") -> Message:
        """A message of these findings."""
        ordered = tuple(sorted(findings, key=lambda one: (-one.rank, one.start, one.id)))
        digest = hashlib.sha256("|".join(sorted(one.id for one in ordered)).encode()).hexdigest()
        return cls(kind, digest[:32], ordered)

    @property
    def first(self) -> Finding:
        """The gravest finding."""
        return self.findings[0]

    @property
    def level(self) -> str:
        """The highest level."""
        return self.first.level

    @property
    def title(self) -> str:
        """A line that says what it is."""
        titles = distinct(one.title for one in self.findings)
        more = len(self.findings) - 1
        text = titles[0] if not more else f"{len(self.findings)} findings: {', '.join(titles[:3])}"
        before = "[TEST] " if self.kind == "test" else ""
        return cut(before + text + (", …" if len(titles) > 3 else ""), 256)  # noqa: PLR2004 - as above

    @property
    def explanations(self) -> list[str]:
        """What was seen, at most five sentences."""
        said = distinct(one.text("explanation") for one in self.findings)
        return said[:5] + ([f"and {len(said) - 5} more"] if len(said) > 5 else [])  # noqa: PLR2004 - five

    def facts(self) -> list[tuple[str, str]]:
        """What people want to know, with its label; what is not known is left out."""
        found = self.findings
        start, end = min(one.start for one in found), max(one.end for one in found)
        actors = distinct(f"{name} ({kind})" if kind else name for kind, name in (one.actor for one in found))
        pairs = [
            ("Level", self.level),
            ("Rule", listed(one.text("rule_name") for one in found)),
            ("Actor", listed(actors)),
            ("When", iso(start) if start == end else f"{iso(start)} to {iso(end)}"),
            ("Records", str(sum(one.count for one in found))),
            ("Score", f"{max(one.score for one in found):.0f} of 100"),
            ("ATT&CK", listed(name for one in found for name in one.techniques)),
            ("Collection", listed(one.text("collection") for one in found)),
            ("Evidence", ", ".join(self.first.evidence)),
            ("Rule author", listed((one.author for one in found), 10)),
        ]
        return [(label, cut(value, 512)) for label, value in pairs if value]


def distinct(values: Iterable[str]) -> list[str]:
    """Each value once, in order, without empty ones."""
    return [value for value in dict.fromkeys(values) if value]


def listed(values: Iterable[str], limit: int = 5) -> str:
    """Values in a line: at most ``limit``, and how many more there are."""
    found = distinct(values)
    return ", ".join(found[:limit]) + (f" and {len(found) - limit} more" if len(found) > limit else "")


def iso(moment: datetime) -> str:
    """A moment in UTC to the second, ISO 8601."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _TIMES:
        return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if name in _NUMBERS:
        return value
    if name == "evidence":
        return _evidence(value)
    if name == "attributes":
        return _attributes(value)
    return clean(value, LONGEST.get(name, 1024))


def _evidence(value: Any) -> list[str]:
    try:
        ids = orjson.loads(value) if isinstance(value, str) else value
    except orjson.JSONDecodeError:
        ids = [value]
    return [clean(one, 64) for one in (ids if isinstance(ids, list) else [ids])[:EVIDENCE]]


def _attributes(value: Any) -> dict[str, str]:
    pairs = value.items() if isinstance(value, dict) else ((one["key"], one["value"]) for one in value)
    kept = [(clean(key, 128), clean(text, ATTRIBUTE)) for key, text in pairs if text is not None]
    return dict(kept[:ATTRIBUTES])
