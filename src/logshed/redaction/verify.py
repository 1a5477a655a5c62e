"""Looks for what redaction missed: parsed fields with a sensitive name whose value is not treated."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pyarrow.compute as pc

from logshed import schema
from logshed.redaction import keyed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.redaction.model import Rule
    from logshed.redaction.treatments import Done, Treatment


ABSENT = "^-*$"
"""What a column holds in place of a value."""
_FEW = 2048
"""Characters of names of fields, up to which it is remembered which of them are watched over."""


class Watched(NamedTuple):
    """The names that one rule watches over."""

    names: str
    harmless: str
    treatment: Treatment
    word: bool = False
    """Whether its values stand in a text as words: they are replaced there and only there."""
    others: str = ""
    """Names of fields that end like these and are none."""

    @classmethod
    def of(cls, rule: Rule, treatment: Treatment) -> Watched:
        """What to look for on behalf of a rule."""
        others = keyed.other(rule.others) if rule.others else ""
        word = rule.kind not in ("secret", "personal")
        return cls(keyed.key_column(rule.keys), rule.harmless, treatment, word, others)

    @classmethod
    def of_column(cls, name: str, treatment: Treatment) -> Watched:
        """What to look for where a policy names a column."""
        return cls(f"^{name}$", ABSENT, treatment, word=True)

    def among(self, names: pl.Series) -> pl.Series:
        """Those of some names of fields that it watches over."""
        written = names.to_list()
        if sum(map(len, written)) > _FEW:
            return _matching(names, self.names, self.others)
        return pl.Series(names.name, _among(tuple(written), self.names, self.others), dtype=pl.String)


@lru_cache(maxsize=4096)
def _among(written: tuple[str, ...], wanted: str, others: str) -> tuple[str, ...]:
    """The same for the few names that come again and again: compiling the expressions takes longer than matching."""
    return tuple(_matching(pl.Series(written, dtype=pl.String), wanted, others))


def _matching(names: pl.Series, wanted: str, others: str) -> pl.Series:
    found = names.filter(names.str.contains(wanted))
    return found.filter(~found.str.contains(others)) if others else found


def leaking(parsed: pl.DataFrame, watched: Sequence[Watched], done: Done) -> pl.DataFrame:
    """The fields of parsed rows that have a sensitive name and a value that is neither empty, harmless nor treated.

    Returns:
        ``index`` (the row's place in ``parsed``), ``value`` and what is ``meant`` to stand in its place.
    """
    fields = [_columns(parsed, watch, done) for watch in watched]
    if schema.UNMAPPED in parsed.columns:
        fields += _attributes(parsed[schema.UNMAPPED], watched, done)
    found = pl.concat([_nothing(), *fields])
    return found.filter((pl.col("value") != "") & (pl.col("value") != pl.col("meant")))


def _columns(parsed: pl.DataFrame, watch: Watched, done: Done) -> pl.DataFrame:
    names = pl.Series([name for name, kind in parsed.schema.items() if kind == pl.String], dtype=pl.String)
    fields = [
        pl.DataFrame({"index": pl.int_range(len(parsed), dtype=pl.Int64, eager=True), "value": parsed[name]})
        for name in watch.among(names)
    ]
    return _suspect(pl.concat(fields), watch, done) if fields else _nothing()


def _attributes(attributes: pl.Series, watched: Sequence[Watched], done: Done) -> list[pl.DataFrame]:
    array = attributes.rechunk().to_arrow()
    keys, values = array.keys, array.items
    distinct = pl.Series(pc.unique(keys), dtype=pl.String)
    found = []
    for watch in watched:
        names = watch.among(distinct)
        if names.is_empty():
            continue
        places = pl.Series(pc.is_in(keys, value_set=names.to_arrow())).arg_true()
        index = (
            pl.Series(array.offsets).cast(pl.Int64).search_sorted(places.cast(pl.Int64), side="right").cast(pl.Int64)
            - 1
        )
        value = pl.Series(values.take(places.to_arrow()), dtype=pl.String)
        found.append(pl.DataFrame({"index": index, "value": value}).pipe(_suspect, watch, done))
    return found


def _suspect(fields: pl.DataFrame, watch: Watched, done: Done) -> pl.DataFrame:
    kept = fields.filter(pl.col("value").is_not_null() & ~pl.col("value").str.contains(watch.harmless))
    kept = kept.filter(~done.holds(kept["value"], watch.treatment))
    return kept.with_columns(watch.treatment.of(kept["value"]).alias("meant"), pl.lit(watch.word).alias("word"))


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema={"index": pl.Int64, "value": pl.String, "meant": pl.String, "word": pl.Boolean})
