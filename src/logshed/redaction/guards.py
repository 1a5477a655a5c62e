"""Finds the texts that may hold a span, and of which rule: all rules are asked at once, one alone only where some may.

The rules' guards are put together by what they are made of, since an expression of all of them would be too large for
the engine to run quickly: literal texts, names, and a few short unions of all else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from logshed.redaction import keyed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.redaction.model import Rule

_LONGEST = 3_200
"""Characters of a union of expressions that count; longer ones were measured to be up to a hundred times as slow."""
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
            for needle in {one.lower() for one in rule.needles}:
                self._needles.setdefault(needle, []).append(index)
        named = [index for index, rule in enumerate(rules) if rule.keys]
        own = [(rule.own_guard, index) for index, rule in enumerate(rules) if rule.own_guard]
        light = [(_loose(guard), index) for guard, index in own if _loose(guard)]
        names = keyed.guard([key for index in named for key in rules[index].keys]) if named else ""
        union = "|".join(guard for guard in (names, *(guard for guard, _ in light)) if guard)
        self._unions = [(union, sorted({*named, *(index for _, index in light)}))] if union else []
        self._unions += _unions([(guard, index) for guard, index in own if not _loose(guard)])
        self._also = also

    def any(self, text: pl.Series) -> pl.Series:
        """Which texts may hold a span of any rule."""
        asked = [_contains(self._also), *(_contains(union) for union, _ in self._unions)]
        if self._needles:
            asked.append(_holds(list(self._needles)))
        return pl.DataFrame({"text": text}).select(pl.any_horizontal(asked)).to_series().fill_null(value=False)

    def by_rule(self, text: pl.Series) -> list[pl.Series]:
        """For each rule the texts that may hold a span of it, as rows in their order."""
        found: list[list[pl.Series]] = [[] for _ in self._rules]
        self._by_needle(text, found)
        for union, indexes in self._unions:
            rows = text.str.contains(union).fill_null(value=False).arg_true()
            if rows.is_empty():
                continue
            part = pl.DataFrame({"text": text.gather(rows)})
            hits = part.select(_contains(self._rules[index].guard).alias(str(index)) for index in indexes)
            for index in indexes:
                found[index].append(rows.filter(hits[str(index)]))
        return [pl.concat(rows).unique().sort() if rows else _NONE for rows in found]

    def _by_needle(self, text: pl.Series, found: list[list[pl.Series]]) -> None:
        """Which needles a text holds says which rules it is for."""
        if not self._needles:
            return
        needles = list(self._needles)
        frame = pl.DataFrame({"text": text}).with_row_index("row").filter(_holds(needles))
        if frame.is_empty():
            return
        held = frame.select(
            "row", needle=pl.col("text").str.extract_many(needles, ascii_case_insensitive=True, overlapping=True)
        )
        held = held.explode("needle").with_columns(pl.col("needle").str.to_lowercase()).unique()
        for (needle,), rows in held.partition_by("needle", as_dict=True, include_key=False).items():
            for index in self._needles[str(needle)]:
                found[index].append(rows["row"])


_NONE = pl.Series(dtype=pl.UInt32)


def _loose(guard: str) -> str:
    """A guard that matches as much and more, without counts; empty where that would be far more."""
    if not _COUNTED.search(guard):
        return guard
    if _NO_PREFIX.search(guard):
        return ""
    return _COUNTED.sub(lambda count: "*" if count[1] == "0" else "+", guard)


def _contains(expression: str) -> pl.Expr:
    return pl.col("text").str.contains(expression)


def _holds(needles: list[str]) -> pl.Expr:
    return pl.col("text").str.contains_any(needles, ascii_case_insensitive=True)


def _unions(guards: list[tuple[str, int]]) -> list[tuple[str, list[int]]]:
    """The guards in as few unions as their lengths allow, the longest first."""
    unions: list[tuple[str, list[int]]] = []
    for guard, index in sorted(guards, key=lambda one: -len(one[0])):
        for place, (union, indexes) in enumerate(unions):
            if len(union) + len(guard) < _LONGEST:
                unions[place] = (f"{union}|{guard}", [*indexes, index])
                break
        else:
            unions.append((guard, [index]))
    return unions
