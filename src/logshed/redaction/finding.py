"""Finds without changing: rules run as they do for ``redact`` and leave marks by which each value is known again."""

from __future__ import annotations

import re
import secrets
import string
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from logshed.redaction.treatments import Treatment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.redaction.model import Policy

SHOWN = 2
"""Last characters that a masked example leaves."""
LEAST = 8
"""Characters that a value must have for any of them to be left."""
LONGEST = 40
"""Stars in a masked example; the length of a longer value is told in words."""
SCHEMA = {"row": pl.UInt32(), "line": pl.UInt32(), "rule": pl.String(), "value": pl.String()}
"""The text's place, the line feeds before the value in it, the rule's name, the value masked."""

_LETTERS = string.ascii_uppercase[:16]


def masked(value: str) -> str:
    """A value that can be shown: a star for each character, the last two left where there are eight or more."""
    shown = SHOWN if len(value) >= LEAST else 0
    stars = "*" * min(len(value) - shown, LONGEST)
    length = f" ({len(value):,} characters)" if len(value) - shown > LONGEST else ""
    tail = value[len(value) - shown :]
    return f"{stars}{tail if tail.isprintable() else '*' * shown}{length}"


@dataclass(slots=True)
class Notes:
    """The values that the rules found, each under a mark that has the form of a tag."""

    nonce: str = field(default_factory=lambda: _lettered(secrets.randbits(32)))
    values: list[tuple[str, str]] = field(default_factory=list)
    places: dict[tuple[str, str], int] = field(default_factory=dict)

    def mark(self, rule: str, value: str) -> str:
        """The mark of a value, the same whenever the rule finds it."""
        key = (rule, value)
        if key not in self.places:
            self.places[key] = len(self.values)
            self.values.append(key)
        return f"[FOUND_{self.nonce}_{_lettered(self.places[key])}]"

    @property
    def pattern(self) -> str:
        """An expression for the marks."""
        return rf"\[FOUND_{self.nonce}_([A-P]+)\]"

    def policy(self, policy: Policy) -> Policy:
        """The same policy with marks for what it would put there."""
        treatments = {name: Noting.of_rule(name, one, self) for name, one in policy.treatments.items()}
        allowed = "|".join(filter(None, (policy.allowed, f"^{self.pattern}$")))
        return replace(policy, treatments=treatments, columns={}, allowed=allowed, overrides=())

    def found(self, text: pl.Series) -> pl.DataFrame:
        """What the marks in these texts stand for, one row each."""
        rows = text.str.contains(self.pattern).fill_null(value=False).arg_true()
        mark = re.compile(self.pattern)
        found = [
            (row, line, rule, masked(self._plain(value, mark)))
            for row, marked in zip(rows.to_list(), text.gather(rows).to_list(), strict=True)
            for line, rule, value in self._expanded(marked, mark)
        ]
        return pl.DataFrame(found, schema=SCHEMA, orient="row")

    def _expanded(self, text: str, mark: re.Pattern[str]) -> Iterator[tuple[int, str, str]]:
        """The values in a text and those inside them, with the line feeds before each."""
        line = place = 0
        for match in mark.finditer(text):
            line += text.count("\n", place, match.start())
            place = match.end()
            rule, value = self.values[_number(match[1])]
            yield line, rule, value
            yield from ((line + inner, name, one) for inner, name, one in self._expanded(value, mark))
            line += self._plain(value, mark).count("\n")

    def _plain(self, value: str, mark: re.Pattern[str]) -> str:
        """A value without marks in it."""
        return mark.sub(lambda match: self._plain(self.values[_number(match[1])][1], mark), value)


@dataclass(frozen=True, slots=True)
class Noting(Treatment):
    """Leaves a mark in place of each value and notes what it stands for.

    Attributes:
        rule: The rule's name.
        notes: Where to note.
    """

    rule: str = ""
    notes: Notes = field(default_factory=Notes)

    @classmethod
    def of_rule(cls, rule: str, treatment: Treatment, notes: Notes) -> Noting:
        """The same treatment, which is still known where it was applied before, with marks in place of values."""
        return cls(treatment.tag, pseudonyms=treatment.pseudonyms, rule=rule, notes=notes)

    @property
    def constant(self) -> bool:
        """Marks differ."""
        return False

    def of(self, values: pl.Series) -> pl.Series:
        """The marks of values."""
        return pl.Series([self.notes.mark(self.rule, value) for value in values.to_list()], dtype=pl.String)

    def of_whole(self, text: str) -> str:
        """The mark of an array or object."""
        return self.notes.mark(self.rule, text)


def _lettered(number: int) -> str:
    """A number in letters: digits might be taken for those of a card or a telephone."""
    return "".join(_LETTERS[int(digit, 16)] for digit in f"{number:x}")


def _number(letters: str) -> int:
    return int("".join(f"{_LETTERS.index(letter):x}" for letter in letters), 16)
