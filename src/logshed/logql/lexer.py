"""Cuts a LogQL query's text into names, texts, numbers with their units, and signs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from logshed.logql.model import Spot
from logshed.search.model import Mistake

LONGEST = 20_000
"""Characters of a query."""
_TOKEN = re.compile(
    r"""(?P<blank>\s+|\#[^\n]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)
    |(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+(?![\w]))?(?:[a-zA-Zµ]+(?:\d+(?:\.\d+)?[a-zA-Zµ]+)*)?)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>\|=|\|~|\|>|!=|!~|!>|=~|==|>=|<=|[|{}()\[\],=<>+\-*/%^])""",
    re.VERBOSE,
)
_UNREADABLE = re.compile(r"[\x00\ud800-\udfff]")
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}
_UNICODE, _HALVES = 0x10FFFF, range(0xD800, 0xE000)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query.

    Attributes:
        kind: What it is; the end of the text is a piece too.
        text: It; of a text what stands in the quotes, without escapes.
        spot: Where it stands.
    """

    kind: Literal["string", "number", "name", "sign", "end"]
    text: str
    spot: Spot


def tokens(text: str) -> list[Token]:
    """The pieces of a query, with the end as the last.

    Raises:
        Mistake: Something is none of them.
    """
    if len(text) > LONGEST:
        raise Mistake(f"the query is longer than {LONGEST:,} characters", "ask for less", LONGEST, LONGEST + 1)
    if odd := _UNREADABLE.search(text):
        raise Mistake("a character here is no text", "take it out", odd.start(), odd.end())
    found: list[Token] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _odd(text, at)
        at = token.end()
        if token.lastgroup == "blank":
            continue
        spot = Spot(token.start(), token.end())
        kind, own = token.lastgroup, token[0]
        found.append(Token(kind, _plain(own, spot) if kind == "string" else own, spot))  # type: ignore[arg-type]
    found.append(Token("end", "", Spot(len(text), len(text) + 1)))
    return found


def _odd(text: str, at: int) -> Mistake:
    if text[at] in "\"`'":
        return Mistake("this quote is not closed", 'write "text" or `text`', at, at + 1)
    return Mistake(f"{text[at]!r} means nothing here", "take it out, or quote the text", at, at + 1)


def _plain(quoted: str, spot: Spot) -> str:
    inner = quoted[1:-1]
    if quoted[0] == "`":
        return inner
    return _ESCAPE.sub(lambda escape: _unescaped(escape, spot), inner)


def _unescaped(escape: re.Match[str], spot: Spot) -> str:
    digits = escape[1] or escape[2] or escape[3]
    code = int(digits, 16) if digits else int(escape[4], 8) if escape[4] else None
    if code is None:
        if escape[5] not in _LETTERS:
            at = spot.at + 1 + escape.start()
            raise Mistake("there is no such escape", r"write \\ for a backslash, or `text`", at, at + 2)
        return _LETTERS[escape[5]]
    if not code or code > _UNICODE or code in _HALVES:
        raise Mistake("this escape is no character", "take it out", spot.at, spot.end)
    return chr(code)
