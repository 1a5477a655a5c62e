"""Reads the optimizer's rendering of expressions into nested lists of tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = re.compile(
    r"(?P<string>'(?:[^']|'')*')|(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<line>\n)|(?P<space>[ \t]+)|(?P<sign>::|<=|>=|!=|[^\sA-Za-z0-9_'])"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a text.

    Attributes:
        kind: ``string``, ``number``, ``word``, ``line``, ``space`` or ``sign``.
        text: The piece as it stands.
    """

    kind: str
    text: str


Item = Token | list["Item"]


class NotUnderstoodError(Exception):
    """A text that is no expression that this module reads."""


def lines_of(text: str) -> list[list[Item]]:
    """The expressions of a text, brackets nested; a line feed inside a literal ends nothing."""
    lines: list[list[Item]] = [[]]
    stack: list[list[Item]] = []
    current = lines[0]
    for token in _tokens(text):
        if token.kind == "line" and not stack:
            current = []
            lines.append(current)
        elif token.text == "(":
            stack.append(current)
            current = []
        elif token.text == ")":
            if not stack:
                raise NotUnderstoodError
            outer = stack.pop()
            outer.append(current)
            current = outer
        elif token.kind not in {"line", "space"}:
            current.append(token)
    if stack:
        raise NotUnderstoodError
    return [line for line in lines if line]


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise NotUnderstoodError
        tokens.append(Token(match.lastgroup, match.group()))
        position = match.end()
    return tokens


def split(items: list[Item], word: str) -> list[list[Item]]:
    """The parts between a word, such as AND, on this level of brackets."""
    parts: list[list[Item]] = [[]]
    for item in items:
        if isinstance(item, Token) and item.kind == "word" and item.text == word:
            parts.append([])
        else:
            parts[-1].append(item)
    return parts


def texts_of(items: Sequence[Item]) -> list[str]:
    """The tokens' texts; brackets show as ``()``."""
    return [item.text if isinstance(item, Token) else "()" for item in items]


def by_commas(items: list[Item]) -> list[list[Item]]:
    """The parts between commas on this level of brackets."""
    parts: list[list[Item]] = [[]]
    for item in items:
        if isinstance(item, Token) and item.text == ",":
            parts.append([])
        else:
            parts[-1].append(item)
    return parts
