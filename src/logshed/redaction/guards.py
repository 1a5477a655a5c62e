"""Finds the texts that may hold a span, and of which rule: all rules are asked at once, one alone only where some may.

An expression of all guards would be too large for the engine to run quickly. So they are taken apart and put together
again by what they are made of: literal texts, which are looked for many at once; names, of which one expression finds
all; and a few short unions of all else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from logshed.redaction import keyed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logshed.redaction.model import Rule

_LONGEST = 3_200
"""Characters of a union of expressions that count; longer ones were measured to be up to a hundred times as slow."""
_LONGEST_LIGHT = 6_000
"""The same of expressions without counts: one of 5,000 was as quick as several, one of 10,000 six times slower."""
_MOST = 48
"""Literal texts that the engine still looks for at once, at 4,000 MB/s; of more it goes from byte to byte, at 700."""
_SHORT = 3
"""Characters below which a literal text is found fast only alone."""
_COUNTED = re.compile(r"(?<!\\b)\{([0-9]+)(?:,[0-9]*)?\}")
_NO_PREFIX = re.compile(r"(?:^|\|)[(\[.\\]")
"""An alternative that begins with no text of its own; without its counts it would match nearly everywhere."""


class Guards:
    """The guards of some rules."""

    def __init__(self, rules: Sequence[Rule], also: str) -> None:
        """Take the rules in their order, and an expression for texts that are looked at in any case."""
        self._rules = list(rules)
        self._needles: dict[str, list[int]] = {}
        for index, rule in enumerate(rules):
            for needle in rule.needles:
                self._needles.setdefault(needle, []).append(index)
        self._names = _Names(rules)
        apart = [(part, index) for index, rule in enumerate(rules) for part in alternatives(rule.own_guard)]
        light = [(_loose(part), index) for part, index in apart if _loose(part)]
        heavy = _unions([(part, index) for part, index in apart if not _loose(part)])
        self._groups = [*_unions(light), *heavy]
        asked = [union for union, _ in (*_unions(light, _LONGEST_LIGHT), *heavy)]
        names = [self._names.guard] if self._names.guard else []
        self._asked = [also, *_literal([*self._needles]), *names, *asked]

    def any(self, text: pl.Series) -> pl.Series:
        """Which texts may hold a span of any rule."""
        asked = [_contains(expression) for expression in self._asked]
        return pl.DataFrame({"text": text}).select(pl.any_horizontal(asked)).to_series().fill_null(value=False)

    def by_rule(self, text: pl.Series) -> list[pl.Series]:
        """For each rule the texts that may hold a span of it, as rows in their order."""
        found: list[list[pl.Series]] = [[] for _ in self._rules]
        for index, rows in (*self._by_needle(text), *self._names.rows(text)):
            found[index].append(rows)
        for union, indexes in self._groups:
            rows = text.str.contains(union).fill_null(value=False).arg_true()
            if rows.is_empty():
                continue
            part = pl.DataFrame({"text": text.gather(rows)})
            hits = part.select(_contains(self._rules[index].own_guard).alias(str(index)) for index in indexes)
            for index in indexes:
                found[index].append(rows.filter(hits[str(index)]))
        return [_merged(rows) for rows in found]

    def _by_needle(self, text: pl.Series) -> Iterator[tuple[int, pl.Series]]:
        """Which needles a text holds says which rules it is for."""
        if not self._needles:
            return
        needles = list(self._needles)
        frame = pl.DataFrame({"text": text}).with_row_index("row").filter(pl.col("text").str.contains_any(needles))
        if frame.is_empty():
            return
        held = frame.select("row", found=pl.col("text").str.extract_many(needles, overlapping=True))
        for needle, rows in _apart(held):
            for index in self._needles[needle]:
                yield index, rows


class _Names:
    """The names under which some rules find values: one expression finds them, each distinct one is judged once."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        named = [(index, rule.keys) for index, rule in enumerate(rules) if rule.keys]
        self.guard = keyed.guard([key for _, keys in named for key in keys]) if named else ""
        self._guards = [(index, re.compile(keyed.for_python(keyed.guard(keys)))) for index, keys in named]
        self._of = lru_cache(maxsize=4096)(self._rules_of)

    def rows(self, text: pl.Series) -> Iterator[tuple[int, pl.Series]]:
        """The texts with a name of a rule, by the rule.

        Names that overlap end together, at what delimits them: the longest is found, the others are its end.
        """
        if not self.guard:
            return
        frame = pl.DataFrame({"text": text}).with_row_index("row").filter(_contains(self.guard))
        if frame.is_empty():
            return
        for name, rows in _apart(frame.select("row", found=pl.col("text").str.extract_all(self.guard))):
            for index in self._of(name):
                yield index, rows

    def _rules_of(self, name: str) -> tuple[int, ...]:
        return tuple(index for index, guard in self._guards if guard.search(name))


def alternatives(expression: str) -> list[str]:
    """An expression's alternatives, where it is one of several; they match together what it matches."""
    parts, depth, in_class, start = [], 0, False, 0
    for found in re.finditer(r"\\.|[|()\[\]]", expression):
        match found[0], in_class:
            case "[", False:
                in_class = True
            case "]", True:
                in_class = False
            case "(", False:
                depth += 1
            case ")", False:
                depth -= 1
            case "|", False if not depth:
                parts.append(expression[start : found.start()])
                start = found.end()
    return [part for part in (*parts, expression[start:]) if part]


_NONE = pl.Series(dtype=pl.UInt32)


def _merged(rows: list[pl.Series]) -> pl.Series:
    if len(rows) <= 1:
        return rows[0] if rows else _NONE
    return pl.concat(rows).unique().sort()


def _apart(held: pl.DataFrame) -> Iterator[tuple[str, pl.Series]]:
    """The distinct texts that were found, each with the rows that hold it."""
    distinct = held.explode("found").unique(maintain_order=True)
    for (found,), rows in distinct.partition_by("found", as_dict=True, include_key=False).items():
        yield str(found), rows["row"]


def _loose(guard: str) -> str:
    """A guard that matches as much and more, without counts; empty where that would be far more."""
    if not _COUNTED.search(guard):
        return guard
    if _NO_PREFIX.search(guard):
        return ""
    return _COUNTED.sub(lambda count: "*" if count[1] == "0" else "+", guard)


def _contains(expression: str) -> pl.Expr:
    return pl.col("text").str.contains(expression)


def _literal(needles: list[str]) -> list[str]:
    """Expressions of so few literals that the engine looks for all of them at once."""
    short = [re.escape(needle) for needle in needles if len(needle) < _SHORT]
    rest = [re.escape(needle) for needle in needles if len(needle) >= _SHORT]
    return [*short, *("|".join(rest[start : start + _MOST]) for start in range(0, len(rest), _MOST))]


def _unions(guards: list[tuple[str, int]], longest: int = _LONGEST) -> list[tuple[str, list[int]]]:
    """The guards in as few unions as their lengths allow, the longest first."""
    unions: list[tuple[str, list[int]]] = []
    for guard, index in sorted(guards, key=lambda one: -len(one[0])):
        for place, (union, indexes) in enumerate(unions):
            if len(union) + len(guard) < longest:
                unions[place] = (f"{union}|{guard}", sorted({*indexes, index}))
                break
        else:
            unions.append((guard, [index]))
    return unions
