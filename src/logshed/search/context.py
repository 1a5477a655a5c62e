"""Says what stands at a place of a search's text that is still being written: a field's name, or a value of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from logshed.search.lexer import FIELD, LISTS, unquoted

ContextKind = Literal["field", "value"]

_OPERATOR = re.compile(r">=|<=|>|<|~")
_PIECE = re.compile(r'"(?:[^"\\]|\\.?)*("|$)|[^\s()"]+', re.DOTALL)
_ITEM = re.compile(r'"(?:[^"\\]|\\.?)*("|$)|[^\s(),"]+', re.DOTALL)
_BARE = re.compile(r"[\w/@][\w/@.+:=%&;$#-]*")
_KEYWORDS = {"AND", "OR", "NOT"}


@dataclass(frozen=True, slots=True)
class Context:
    """What is being written at a place.

    Attributes:
        kind: A field's name (which may become a word to look for), or a value.
        begin: Where that which is written begins; what is chosen replaces the text from there.
        end: Where it ends.
        text: It up to the place, without quotes.
        field: The field of a value; empty for a name.
    """

    kind: ContextKind
    begin: int
    end: int
    text: str
    field: str = ""


def context(text: str, at: int) -> Context:
    """What is being written at a place; total, whatever the text is.

    Args:
        text: The search's text.
        at: A place in it, 0 to its length.
    """
    at = max(0, min(at, len(text)))
    begin = 0
    while begin < at:
        if text[begin].isspace() or text[begin] in "()":
            begin += 1
            continue
        found, begin = _term(text, begin, at)
        if found is not None:
            return found
    return Context("field", at, at, "")


def written(value: str) -> str:
    """A value as a search's text has it: in quotes where a sign in it would mean something else."""
    if _BARE.fullmatch(value) and value not in _KEYWORDS and ".." not in value:
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _term(text: str, begin: int, at: int) -> tuple[Context | None, int]:
    """What is written at the place where it lies in the term that begins here, and where the term ends."""
    if text[begin] == "-" and begin + 1 < len(text):
        begin += 1
        if begin == at:
            return Context("field", at, _end(_PIECE, text, at), ""), at
    field = FIELD.match(text, begin)
    if field is None:
        end = _end(_PIECE, text, begin)
        return (Context("field", begin, end, _read(text[begin:at])) if at <= end else None), end
    if at < field.end():
        return Context("field", begin, begin + len(field["name"]), text[begin:at]), at
    start = field.end()
    if field["op"] == ":" and (closer := _OPERATOR.match(text, start)):
        start = closer.end()
    if text[start : start + 1] == "(" and field["op"] in LISTS and at > start:
        return _listed(text, start + 1, at, _name(field["name"]))
    end = _end(_PIECE, text, start)
    if at > end:
        return None, end
    return Context("value", min(start, at), end, _read(text[start:at]), _name(field["name"])), end


def _listed(text: str, start: int, at: int, name: str) -> tuple[Context | None, int]:
    """The same within the brackets of ``field:(one,two)``."""
    place = start
    while place < at:
        if text[place] == ")":
            return None, place + 1
        if text[place].isspace() or text[place] in ",(":
            place += 1
            continue
        end = _end(_ITEM, text, place)
        if at <= end:
            return Context("value", place, end, _read(text[place:at]), name), end
        place = end
    return Context("value", at, at, "", name), at


def _end(piece: re.Pattern[str], text: str, begin: int) -> int:
    found = piece.match(text, begin)
    return found.end() if found else begin  # at a bracket or a blank, which the caller passes over


def _read(text: str) -> str:
    """What is written so far, without the quote that it begins with."""
    if not text.startswith('"'):
        return text
    closed = _PIECE.fullmatch(text)
    return unquoted(text if closed and closed[1] else text + '"')


def _name(written_name: str) -> str:
    quoted = written_name.removeprefix("attributes.")
    return f"attributes.{unquoted(quoted)}" if quoted.startswith('"') else written_name
