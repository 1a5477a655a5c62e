"""The texts that whatever a pattern matches must hold: looking for them costs a fraction of compiling the pattern."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TOKENS = re.compile(
    r"""(?P<text>(?:[^\\\[\](){}.*+?|^$]|\\[^A-Za-z0-9])+)  # characters that stand for themselves
    |(?P<class>\[\^?\]?(?:\\.|\[:\^?[a-z]+:\]|[^\]\\])*\]|\\[pPx]\{[^}]*\}|\\x..|\\.|\.|\^|\$)
    |(?P<optional>[*?]|\{0?,[0-9]*\}|\{0\})
    |(?P<repeated>\+|\{[0-9,]+\})
    |(?P<open>\((?:\?(?:P?<[A-Za-z_][A-Za-z0-9_.\[\]]*>|[a-zA-Z-]*:|[a-zA-Z-]+(?=\))))?)
    |(?P<close>\))
    |(?P<or>\|)""",
    re.VERBOSE | re.DOTALL,
)
UNLIKE_WRITTEN = re.compile(r"\(\?[a-zA-Z]*[ix]")
"""Flags under which a pattern matches what it does not spell: capitals for small letters, blanks for nothing."""
_ESCAPED = re.compile(r"\\.|\[:")
_SHORTEST = 2
"""Characters; nearly every line has a blank or a hyphen."""


@lru_cache(maxsize=8192)
def needed(pattern: str) -> tuple[str, ...]:
    """The texts that are in everything a pattern matches, the longest first; empty where none is known.

    Whatever may be missing or is one of several alternatives counts as unknown.
    """
    if UNLIKE_WRITTEN.search(pattern):
        return ()
    groups: list[list[str]] = [[]]  # the texts of the whole and of each open group
    free = [False]  # whether each of these holds alternatives
    ended: list[str] = []  # the texts of the group that ended just now
    text, last = "", ""
    for token in TOKENS.finditer(pattern):
        kind = token.lastgroup or ""
        if kind == "text":
            groups[-1] += ended
            text += token.group().replace("\\", "") if "\\\\" not in token.group() else _unescaped(token.group())
        elif last == "text" and kind in ("optional", "repeated"):
            groups[-1].append(text[:-1] if kind == "optional" else text)
            text = ""
        else:
            if kind == "class" and "[" in _ESCAPED.sub("", token.group()[1:]):  # a class inside a class
                return ()
            groups[-1] += (text, *(ended if kind != "optional" else ()))
            text = ""
        ended = []
        if kind == "open":
            groups.append([])
            free.append(False)
        elif kind == "close" and len(groups) > 1:
            inside = groups.pop()
            ended = [] if free.pop() else inside
        elif kind == "or":
            free[-1] = True
        last = kind
    if free[0] or len(groups) != 1:
        return ()
    found = {one for one in (*groups[0], *ended, text) if len(one) >= _SHORTEST}
    return tuple(sorted(found, key=lambda one: (-len(one), one)))


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


class Sample:
    """Some lines, asked again and again whether a pattern is worth trying on them."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._all = "\n".join(lines)

    def has(self, text: str) -> bool:
        """Whether a text is somewhere in the lines."""
        return text in self._all

    def holds(self, pattern: str) -> bool:
        """Whether all that the pattern needs is somewhere in the lines, which may be one record."""
        return all(text in self._all for text in needed(pattern))

    def may_match(self, pattern: str) -> bool:
        """Whether any line holds all that the pattern needs."""
        if not self.holds(pattern):
            return False
        texts = needed(pattern)
        return len(texts) < _SHORTEST or any(all(text in line for text in texts) for line in self._lines)
