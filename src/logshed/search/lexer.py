"""Cuts a search's text into brackets, operators, words and fields with their values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from logshed.search.model import Match, Mistake, Value, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.search.model import Operator

LONGEST = 10_000
"""Characters of a search."""

FIELD = re.compile(r'(?P<name>attributes\."(?:[^"\\]|\\.)*"|[^\W\d][\w@./-]*?|@[\w@./-]*?)(?P<op>!=|>=|<=|:|=|>|<|~)')
_AFTER_COLON = re.compile(r">=|<=|>|<|~")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
_BARE = re.compile(r'[^\s()"]+')
_ITEM = re.compile(r'[^\s(),"]+')
_KEYWORD = re.compile(r"(AND|OR|NOT)(?=[\s()]|$)")
_UNREADABLE = re.compile(r"[\x00\ud800-\udfff]")
LISTS = {":", "=", "!="}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a search.

    Attributes:
        kind: ``(``, ``)``, ``AND``, ``OR``, ``NOT`` or ``term``.
        at: Where it begins.
        end: Where it ends.
        term: What it looks for, where it is a term.
    """

    kind: Literal["(", ")", "AND", "OR", "NOT", "term"]
    at: int
    end: int
    term: Word | Match | None = None


def tokens(text: str) -> Iterator[Token]:
    """The pieces of a text.

    Raises:
        Mistake: A quote or a bracket is not closed, or a field has no value.
    """
    if len(text) > LONGEST:
        raise Mistake(f"the text is longer than {LONGEST:,} characters", "use `logshed query`", LONGEST, LONGEST + 1)
    if odd := _UNREADABLE.search(text):
        raise Mistake("a character here is no text", "take it out", odd.start(), odd.end())
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token = _token(text, at)
        yield token
        at = token.end


def _token(text: str, at: int) -> Token:
    sign = text[at]
    if sign in "()":
        return Token(cast("Literal['(', ')']", sign), at, at + 1)
    if keyword := _KEYWORD.match(text, at):
        return Token(cast("Literal['AND', 'OR', 'NOT']", keyword[1]), at, keyword.end())
    if sign == "-":
        if at + 1 == len(text) or text[at + 1].isspace() or text[at + 1] == ")":
            raise Mistake("nothing stands behind -", 'write -word, or "-" in quotes', at, at + 1)
        return Token("NOT", at, at + 1)
    if sign == "~":
        value = _value(text, at + 1, at, _BARE)
        return Token("term", at, value.end, Word(value, regex=True))
    if found := FIELD.match(text, at):
        return _field(text, found)
    if sign in ":=<>!" and re.match(r"!=|[:=<>]", text[at:]):
        raise Mistake("no field stands before this", "write field>=value without blanks, or quote it", at, at + 1)
    value = _value(text, at, at, _BARE)
    return Token("term", at, value.end, Word(value))


def _field(text: str, found: re.Match[str]) -> Token:
    name, operator, at = found["name"], found["op"], found.end()
    if operator == ":" and (closer := _AFTER_COLON.match(text, at)):  # status:>=500, as other tools write it
        operator, at = closer[0], closer.end()
    if text[at : at + 1] == "(" and operator in LISTS:
        values, end = _list(text, at)
    else:
        one = _value(text, at, found.start(), _BARE)
        values, end = (one,), one.end
    if name.startswith('attributes."'):
        name = "attributes." + unquoted(name[len("attributes.") :])
    match = Match(name, cast("Operator", operator), values, found.start(), found.start() + len(found["name"]))
    return Token("term", found.start(), end, match)


def _list(text: str, begin: int) -> tuple[tuple[Value, ...], int]:
    """The values between brackets, with commas, blanks or OR between them, and where the list ends."""
    values: list[Value] = []
    at = begin + 1
    while at < len(text):
        if text[at] == ")":
            if not values:
                raise Mistake("the list is empty", "write field:(one,two)", begin, at + 1)
            return tuple(values), at + 1
        if text[at].isspace() or text[at] == ",":
            at += 1
        elif (keyword := _KEYWORD.match(text, at)) and values and keyword[1] == "OR":
            at = keyword.end()
        elif keyword or text[at] in "(<>~":
            raise Mistake("a list holds values only", "quote it, or write (field:a OR field:b)", at, at + 1)
        else:
            values.append(_value(text, at, at, _ITEM))
            at = values[-1].end
    raise Mistake("this bracket is not closed", "close it with )", begin, begin + 1)


def _value(text: str, at: int, begin: int, bare: re.Pattern[str]) -> Value:
    """The value at a place; ``begin`` is where its term begins, for the error."""
    if text[at : at + 1] == '"':
        quoted = _QUOTED.match(text, at)
        if quoted is None:
            raise Mistake("this quote is not closed", 'close it with ", or write \\" inside quotes', at, at + 1)
        end = quoted.end()
        _check_end(text, at, end)
        return Value(unquoted(quoted[0]), quoted=True, at=at, end=end)
    found = bare.match(text, at)
    if found is None:
        raise Mistake(
            "no value stands behind this", "write field:value, field:* for any, or quote it", begin, max(at, begin + 1)
        )
    _check_end(text, at, found.end())
    return Value(found[0], at=at, end=found.end())


def _check_end(text: str, at: int, end: int) -> None:
    if text[end : end + 1] == '"' or (text[end - 1] == '"' and _BARE.match(text, end) and text[end] != ","):
        raise Mistake("a quote stands in the middle of a word", "quote the whole of it", at, end + 1)


def unquoted(quoted: str) -> str:
    """What a text in quotes means."""
    return _ESCAPED.sub(r"\1", quoted[1:-1])
