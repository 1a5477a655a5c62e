"""Looks for what redaction missed: parsed fields with a sensitive name whose value is no tag."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pyarrow.compute as pc

from logshed import schema
from logshed.redaction import keyed

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from logshed.redaction.model import Rule


class Watched(NamedTuple):
    """The names that one rule watches over."""

    names: str
    harmless: str
    tag: str

    @classmethod
    def of(cls, rule: Rule, tag: str) -> Watched:
        """What to look for on behalf of a rule."""
        return cls(keyed.key_column(rule.keys), rule.harmless, tag)


def leaking(parsed: pl.DataFrame, watched: Sequence[Watched], tags: Collection[str]) -> pl.DataFrame:
    """The fields of parsed rows that have a sensitive name and a value that is neither empty, harmless nor a tag.

    Returns:
        ``index`` (the row's place in ``parsed``), ``value`` and the ``tag`` that belongs in its place.
    """
    fields = [_columns(parsed, watch) for watch in watched]
    if schema.UNMAPPED in parsed.columns:
        fields += _attributes(parsed[schema.UNMAPPED], watched)
    found = pl.concat([_nothing(), *fields])
    return found.filter((pl.col("value") != "") & ~pl.col("value").is_in(list(tags)))


def _columns(parsed: pl.DataFrame, watch: Watched) -> pl.DataFrame:
    names = pl.Series([name for name, kind in parsed.schema.items() if kind == pl.String], dtype=pl.String)
    fields = [
        pl.DataFrame({"index": pl.int_range(len(parsed), dtype=pl.Int64, eager=True), "value": parsed[name]})
        for name in names.filter(names.str.contains(watch.names))
    ]
    return pl.concat([_nothing().drop("tag"), *fields]).pipe(_suspect, watch)


def _attributes(attributes: pl.Series, watched: Sequence[Watched]) -> list[pl.DataFrame]:
    array = attributes.rechunk().to_arrow()
    keys, values = array.keys, array.items
    distinct = pl.Series(pc.unique(keys), dtype=pl.String)
    found = []
    for watch in watched:
        names = distinct.filter(distinct.str.contains(watch.names))
        if names.is_empty():
            continue
        places = pl.Series(pc.is_in(keys, value_set=names.to_arrow())).arg_true()
        index = (
            pl.Series(array.offsets).cast(pl.Int64).search_sorted(places.cast(pl.Int64), side="right").cast(pl.Int64)
            - 1
        )
        value = pl.Series(values.take(places.to_arrow()), dtype=pl.String)
        found.append(pl.DataFrame({"index": index, "value": value}).pipe(_suspect, watch))
    return found


def _suspect(fields: pl.DataFrame, watch: Watched) -> pl.DataFrame:
    kept = fields.filter(pl.col("value").is_not_null() & ~pl.col("value").str.contains(watch.harmless))
    return kept.with_columns(tag=pl.lit(watch.tag, dtype=pl.String))


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema={"index": pl.Int64, "value": pl.String, "tag": pl.String})
