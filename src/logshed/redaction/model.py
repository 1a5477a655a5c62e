"""What a redaction rule and a policy are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.redaction.treatments import Treatment

RuleClass = Literal["personal", "secret", "identifier", "address", "trace"]
"""What policies speak of: data about a person, what opens a door, names of users and orders, addresses of machines,
stack traces."""
Action = Literal["tag", "mask", "pseudonym", "drop", "keep"]
"""Put a tag, leave a part, put a pseudonym, leave nothing, leave all."""

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
        guard: A cheap expression that every text with a span matches: the next two and the names together.
        needles: Texts of which one is in a text with a span, in this letter case.
        own_guard: An expression instead of needles.
        patterns: What finds the spans.
        keys: Names whose values are such data.
        others: An expression for names that end like one of these and hold no such data.
        harmless: What a value under such a name may be without being touched.
        mask: What the action ``mask`` leaves of a value, one of ``masks.KINDS``.
        pseudonym: What its pseudonyms are of, such as ``user``.
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
    needles: tuple[str, ...]
    own_guard: str
    patterns: tuple[Pattern, ...]
    keys: tuple[str, ...]
    others: str
    harmless: str
    mask: str
    pseudonym: str
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
        treatments: What each of them leaves, by the rule's name.
        columns: What stands in columns of ``logs`` whatever their values are like, by the column's name.
        allowed: An expression for values that stay in any case.
        covers: What the policy covers and leaves out, for people.
        source: The file's text, by which a report knows it.
        overrides: What holds for some collections and sources instead; the first that fits.
    """

    name: str
    title: str
    rules: tuple[Rule, ...]
    treatments: Mapping[str, Treatment] = field(default_factory=dict)
    columns: Mapping[str, Treatment] = field(default_factory=dict)
    allowed: str = ""
    covers: str = ""
    source: str = field(default="", repr=False)
    overrides: tuple[Override, ...] = ()

    def of(self, collection: str, source: str) -> Policy:
        """The policy for the records of one source in one collection."""
        return next(
            (one.policy for one in self.overrides if one.applies(collection, source)),
            self,
        )


@dataclass(frozen=True, slots=True)
class Override:
    """A policy that holds for some records instead.

    Attributes:
        collection: Glob on the collection.
        source: Glob on the source.
        policy: What holds for them.
    """

    collection: str
    source: str
    policy: Policy

    def applies(self, collection: str, source: str) -> bool:
        """Whether it holds for the records of a source in a collection."""
        return fnmatchcase(collection, self.collection) and fnmatchcase(source, self.source)
