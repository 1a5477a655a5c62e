"""The characters with which whatever a pattern matches must begin: where no line has them, it need not be compiled."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from logshed.formats.literals import TOKENS, UNLIKE_WRITTEN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Places = tuple[frozenset[str], ...]
"""What may stand at the first places of a text; what comes after them is anything."""

_LOOKED_AT = 24
"""Places: a date and what comes before it."""
_MOST_TOKENS = 120
_QUANTIFIERS = ("optional", "repeated")
_CHARACTERS = frozenset(map(chr, (9, *range(32, 127))))
"""Those about which engines agree; lines that begin with others are asked of every pattern."""
_ANYTHING: Places = ()
_ANCHOR = re.compile(r"(?:\(\?s\))?\^")
_PLAIN_GROUP = re.compile(r"\((?:\?(?:P?<.*|s?:))?")
_NO_WIDTH = frozenset({"^", "$", r"\b", r"\B", r"\A", r"\z"})
_UNLIKE_PYTHON = re.compile(r"(?<!^)(?<!\\)\[|&&|--|~~|\|\||\\[^dDwWsSnrtfv\W]|\\_")
"""In a class: another class, operations on classes, and escapes that Python spells otherwise."""
_TIMES = re.compile(r"\{([0-9]+)(,?)([0-9]*)\}")


@lru_cache(maxsize=8192)
def beginning(pattern: str) -> Places:
    """What must stand at the first places of a line that a pattern matches; empty where that is not known."""
    anchor = _ANCHOR.match(pattern)
    if anchor is None or UNLIKE_WRITTEN.search(pattern):
        return _ANYTHING
    tokens = list(TOKENS.finditer(pattern, anchor.end()))
    if not tokens or any(one.end() != other.start() for one, other in pairwise(tokens)):
        return _ANYTHING
    kinds = [one.lastgroup or "" for one in tokens]
    if not _is_one(kinds):
        return _ANYTHING
    last = min(_MOST_TOKENS, len(tokens))
    while last < len(tokens) and kinds[last] in _QUANTIFIERS:  # what it stands after is not cut from it
        last -= 1
    whole = _Reader([(kind, one.group()) for kind, one in zip(kinds[:last], tokens, strict=False)]).group()
    return whole(_ANYTHING)


def _is_one(kinds: Sequence[str]) -> bool:
    """Whether groups end where they should, and the whole is no list of alternatives."""
    depth = 0
    for kind in kinds:
        depth += (kind == "open") - (kind == "close")
        if depth < 0 or (kind == "or" and not depth):
            return False
    return not depth


class Beginnings:
    """How some lines begin."""

    def __init__(self, lines: Sequence[str]) -> None:
        begun = {line[:_LOOKED_AT] for line in lines}
        self._strange = not all(map(_CHARACTERS.issuperset, begun))
        self._at = [{one[place] for one in begun if len(one) > place} for place in range(_LOOKED_AT)]

    def may_match(self, pattern: str) -> bool:
        """Whether a pattern may match any of them, by the characters at each place."""
        if self._strange:
            return True
        return not any(must.isdisjoint(there) for must, there in zip(beginning(pattern), self._at, strict=False))


class _Reader:
    """Reads a pattern's tokens: of each element what it and what comes after it begin with, given the latter."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def _ended(self) -> bool:
        return self._place >= len(self._tokens)

    def group(self) -> Callable[[Places], Places]:
        """What stands up to the end of a group, or of the pattern: sequences of which one is there."""
        sequences: list[list[Callable[[Places], Places]]] = [[]]
        while not self._ended and self._tokens[self._place][0] != "close":
            kind, text = self._tokens[self._place]
            self._place += 1
            if kind == "or":
                sequences.append([])
            elif kind in _QUANTIFIERS:
                last = sequences[-1].pop() if sequences[-1] else _unknown
                sequences[-1].append(_repeated(last, text))
            elif kind == "open":
                inside = self.group()
                whole = not self._ended and _PLAIN_GROUP.fullmatch(text)
                self._place += 1
                sequences[-1].append(inside if whole else _unknown)
            else:
                sequences[-1] += _characters(text) if kind == "text" else [_of_class(text)]
        return lambda after: _one_of([_in_order(one, after) for one in sequences])


def _in_order(elements: Sequence[Callable[[Places], Places]], after: Places) -> Places:
    for element in reversed(elements):
        after = element(after)
    return after


def _one_of(several: Sequence[Places]) -> Places:
    return tuple(frozenset().union(*alike) for alike in zip(*several, strict=False))


def _unknown(_: Places) -> Places:
    return _ANYTHING


def _one(characters: frozenset[str]) -> Callable[[Places], Places]:
    return lambda after: (characters, *after)[:_LOOKED_AT]


def _characters(text: str) -> list[Callable[[Places], Places]]:
    plain = re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
    return [_one(frozenset(character)) for character in plain]


@lru_cache(maxsize=1024)
def _of_class(text: str) -> Callable[[Places], Places]:
    if text in _NO_WIDTH:
        return lambda after: after
    if text == ".":
        return _one(_CHARACTERS)
    if _UNLIKE_PYTHON.search(text):
        return _unknown
    one = re.compile(text)
    return _one(frozenset(filter(one.fullmatch, _CHARACTERS)))


def _repeated(element: Callable[[Places], Places], times: str) -> Callable[[Places], Places]:
    """An element that may be missing, or comes several times; ``?`` after a quantifier only says which is tried first.

    Of one that may be missing or come again, what is known is what both have in common.
    """
    if times == "?":
        return lambda after: _one_of([after, element(after)])
    if times == "+":
        return lambda _: element(_ANYTHING)
    counted = _TIMES.fullmatch(times)
    if counted is None or int(counted[1]) == 0:  # ``*`` and the like
        return lambda after: _one_of([after, element(_ANYTHING)])
    least = min(int(counted[1]), _LOOKED_AT)
    exact = not counted[2] or counted[1] == counted[3]
    return lambda after: _in_order([element] * least, after if exact and least == int(counted[1]) else _ANYTHING)
