"""Finds the records that rules may meet: texts that all rules want are looked for at once in each field's values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from logshed.schema import UNMAPPED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logshed.detections.model import Field, Rule
    from logshed.sql.frames import Frames

_FEW = 1_000
"""Candidates of a rule that are not worth thinning out."""
_AT_ONCE = 8
"""Fields that are computed in one statement: each statement reads the rows anew, and each field takes memory."""
_ATTRIBUTE = re.compile(rf"^{UNMAPPED}\['((?:[^']|'')+)'\]$")


class Guards:
    """The guards of all rules, by field."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._fields: dict[str, Field] = {}
        self._wanted: list[list[list[tuple[str, str]]]] = []
        for rule in rules:
            predicate = rule.predicate
            guards = predicate.guards if predicate else ()
            keyed = [[(_key(predicate.fields[name]), text) for name, text in guard] for guard in guards if predicate]
            self._wanted.append(keyed)
            self._fields |= {_key(one): one for one in (predicate.fields.values() if predicate else ())}

    def candidates(self, frames: Frames, rows: pl.DataFrame, live: set[str]) -> Iterator[tuple[Rule, pl.Series]]:
        """Each rule about some of the rows that some rows may meet, and these rows' places."""
        rules = [pair for pair in zip(self._rules, self._wanted, strict=True) if pair[0].where in live]
        texts: dict[str, set[str]] = {}
        for key, text in (pair for _, guards in rules for guard in guards for pair in guard):
            texts.setdefault(key, set()).add(text)
        found: dict[tuple[str, str], pl.Series] = {}
        for key, values in self._values(frames, rows, list(texts)):
            found |= {(key, text): places for text, places in _holding(values, sorted(texts[key]))}
        for rule, guards in rules:
            held = [[found[pair] for pair in guard if pair in found] for guard in guards]
            if all(held):
                places = _all_of(held)
                if len(places):
                    yield rule, places

    def _values(self, frames: Frames, rows: pl.DataFrame, keys: list[str]) -> Iterator[tuple[str, pl.DataFrame]]:
        """For each field the rows' texts in small letters: columns ``row`` and ``text``."""
        keyed = {found[1].replace("''", "'"): key for key in keys if (found := _ATTRIBUTE.match(key))}
        if keyed:
            yield from _attributes(rows, keyed)
        asked = []
        for key in keys:
            one = self._fields[key]
            if key in keyed.values():
                continue
            if not one.sql:
                yield key, rows.select("row", text=pl.col(one.lower))
            else:
                asked.append(key)
        for start in range(0, len(asked), _AT_ONCE):
            some = asked[start : start + _AT_ONCE]
            shown = ", ".join(f"lower(CAST({self._fields[key].sql} AS VARCHAR)) AS t{n}" for n, key in enumerate(some))
            values = frames.ask(f"SELECT row, {shown} FROM chunk")
            for n, key in enumerate(some):
                yield key, values.select("row", text=pl.col(f"t{n}"))


def _key(one: Field) -> str:
    """Fields that are the same expression are looked at once."""
    return one.sql or one.name


def _all_of(held: list[list[pl.Series]]) -> pl.Series:
    """The places that hold something of each guard; few are few enough, whatever the others would take away."""
    places: pl.Series | None = None
    for parts in sorted(held, key=lambda parts: sum(map(len, parts))):
        if places is not None and len(places) <= _FEW:
            break
        own = parts[0] if len(parts) == 1 else pl.concat(parts).unique()
        places = own if places is None else places.filter(places.is_in(own.implode()))
    return pl.Series(dtype=pl.UInt32) if places is None else places.sort()


def _attributes(rows: pl.DataFrame, keyed: dict[str, str]) -> Iterator[tuple[str, pl.DataFrame]]:
    """The values of some attributes, of all rows at once: a map is gone through one time, not once a key."""
    entries = rows.lazy().select(
        "row", entry=pl.col(UNMAPPED).cast(pl.List(pl.Struct({"key": pl.String, "value": pl.String})))
    )
    long = (
        entries.explode("entry")
        .select(
            "row", pl.col("entry").struct.field("key").alias("key"), pl.col("entry").struct.field("value").alias("text")
        )
        .filter(pl.col("key").is_in(list(keyed)) & pl.col("text").is_not_null())
        .collect()
    )
    for (key,), part in long.partition_by("key", as_dict=True, include_key=False).items():
        yield keyed[str(key)], part.with_columns(pl.col("text").str.to_lowercase())


def _holding(values: pl.DataFrame, texts: list[str]) -> Iterator[tuple[str, pl.Series]]:
    """The texts that some rows hold, each with these rows; every distinct value is looked at once."""
    values = values.filter(pl.col("text").is_not_null())
    distinct = values.select(pl.col("text").unique())
    distinct = distinct.filter(pl.col("text").str.contains_any(texts))
    if distinct.is_empty():
        return
    held = distinct.with_columns(held=pl.col("text").str.extract_many(texts, overlapping=True).list.unique())
    rows = values.join(held, on="text", how="inner").explode("held").select("row", "held")
    for (text,), part in rows.partition_by("held", as_dict=True, include_key=False).items():
        yield str(text), part["row"]
