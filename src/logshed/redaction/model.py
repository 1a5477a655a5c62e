"""What a redaction rule and a policy are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

RuleClass = Literal["personal", "secret", "identifier", "address"]
"""What policies speak of: data about a person, what opens a door, names of users and orders, addresses of machines."""
Action = Literal["tag", "keep"]

OPEN, CLOSE = "\ufdd0", "\ufdd1"
"""Noncharacters that stand around a span while it is judged."""

_GROUP = re.compile(r"\(\?P<(skip|pre|value|post)([0-9]*)>")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that finds spans, and what is left of them.

    Attributes:
        regex: In the syntax of Rust's ``regex`` crate; the groups ``pre``, ``value``, ``post`` and ``skip`` may bear
            numbers (``pre1``, ``value1``); only ``value`` is replaced, and a match of ``skip`` is passed over,
            and ``quote`` is set around the tag, so that a bare number becomes a string.
        harmless: A value that this matches is left alone.
        check: A validator's name in ``checks.py``.
    """

    regex: str
    harmless: str | None = None
    check: str | None = None

    def template(self, tag: str) -> str:
        """What replaces a match: its surroundings with the tag between them."""
        return f"{self._around('pre', 'skip')}{self._quote}{tag}{self._quote}{self._around('post')}"

    @property
    def marked(self) -> str:
        """What replaces a match when its value is yet to be judged: the value and its quote between noncharacters."""
        return f"{self._around('pre', 'skip')}{OPEN}{self.value}{CLOSE}{self._quote}{CLOSE}{self._around('post')}"

    @property
    def value(self) -> str:
        """What replaces a match to leave its value alone."""
        return self._around("value") or "${0}"

    @property
    def _quote(self) -> str:
        return "${quote}" if "(?P<quote>" in self.regex else ""

    def _around(self, *kinds: str) -> str:
        return "".join(f"${{{kind}{number}}}" for kind, number in _GROUP.findall(self.regex) if kind in kinds)


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what it must become."""

    text: str
    redacted: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret or personal datum.

    Attributes:
        name: The file's stem.
        title: What it finds, for people.
        tag: What stands in its place, without the brackets.
        kind: The class that policies speak of.
        order: Rules go from the lowest to the highest; the surer one comes first.
        guard: A cheap expression that every text with a span matches.
        patterns: What finds the spans.
        keys: Names whose values are such data.
        harmless: What a value under such a name may be without being touched.
        source: Where the check comes from.
        true: Texts with such data and what they become.
        false: Texts that only look so.
    """

    name: str
    title: str
    tag: str
    kind: RuleClass
    order: int
    guard: str
    patterns: tuple[Pattern, ...]
    keys: tuple[str, ...]
    harmless: str
    source: str
    true: tuple[Example, ...]
    false: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What is done to each kind of datum.

    Attributes:
        name: The file's stem.
        title: What it is for.
        rules: The rules that replace something, in order.
        tags: The text that each of them leaves, such as ``[EMAIL]``, by the rule's name.
    """

    name: str
    title: str
    rules: tuple[Rule, ...]
    tags: Mapping[str, str] = field(default_factory=dict)
