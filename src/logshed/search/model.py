"""The tree of a search, and the error that points at a place in its text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from logshed.errors import SearchError

Operator = Literal[":", "=", "!=", ">", ">=", "<", "<=", "~"]

_SHOWN = 100
"""Characters of a long text that an error shows around the place."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Value:
    """What is looked for.

    Attributes:
        text: Its text, without quotes.
        quoted: Whether it stood in quotes: then ``*``, ``?`` and ``..`` mean themselves.
        at: Where it begins in the search's text.
        end: Where it ends.
    """

    text: str
    quoted: bool = False
    at: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Everything:
    """Every record: an empty search, or ``*``."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a phrase anywhere in the record's text.

    Attributes:
        value: The word.
        regex: Whether it is a regular expression.
    """

    value: Value
    regex: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """A field compared with values; one of several must match.

    Attributes:
        name: The field's name as it was written.
        operator: ``:`` without regard to letter case and with wildcards, ``~`` a regular expression, the others as in
            SQL.
        values: At least one.
        at: Where its name begins in the search's text.
        end: Where its name ends.
    """

    name: str
    operator: Operator
    values: tuple[Value, ...]
    at: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """What does not match."""

    of: Node


@dataclass(frozen=True, slots=True)
class And:
    """All of at least two; none of them is an ``And``."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of at least two; none of them is an ``Or``."""

    parts: tuple[Node, ...]


Node = Everything | Word | Match | Not | And | Or


class Mistake(Exception):  # noqa: N818 - it becomes the error once the search's text is known
    """Something wrong at a place of the text.

    Attributes:
        cause: What is wrong.
        advice: What to do.
        at: Where it begins.
        end: Where it ends.
    """

    def __init__(self, cause: str, advice: str, at: int, end: int) -> None:
        super().__init__(cause)
        self.cause, self.advice, self.at, self.end = cause, advice, at, end

    def told(self, text: str) -> SearchError:
        """The error, with the line of the text and a caret below the place."""
        begin = text.rfind("\n", 0, self.at) + 1
        line = text[begin:].split("\n", 1)[0]
        start = max(0, self.at - begin - _SHOWN // 2)
        shown = _CONTROL.sub("·", line[start : start + _SHOWN])
        place = self.at - begin - start
        carets = "^" * max(1, min(self.end - self.at, len(shown) - place))
        cause = _CONTROL.sub("·", self.cause)
        told = f"cannot search: {cause}; {self.advice}\n  {shown}\n  {' ' * place}{carets}"
        return SearchError(told, cause=cause, advice=self.advice, at=self.at, end=self.end)
