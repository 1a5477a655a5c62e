"""logfmt: ``key=value key="quoted value"`` pairs, one record a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logshed.formats.columns import nothing, where
from logshed.formats.jsonlines import required
from logshed.formats.keys import Keys
from logshed.formats.regex import OK

if TYPE_CHECKING:
    from logshed.formats.model import Format

_KEY = r"[A-Za-z_@][A-Za-z0-9_.@/-]*"
_VALUE = r'(?:"(?:[^"\\]|\\.)*"|[^ "]*)'
_LINE = rf"^\s*{_KEY}={_VALUE}(?:\s+{_KEY}(?:={_VALUE})?)*\s*$"
_PAIR = rf"{_KEY}={_VALUE}"
_FEWEST = 2
"""Pairs below which a line is no logfmt; ``a=b`` stands in any prose."""


def extract(form: Format, text: pl.Series) -> pl.DataFrame:
    """Fields of each row as text, one column a target, and ``_ok``; as many rows as ``text``."""
    ok = text.str.contains(_LINE).fill_null(value=False)
    if not ok.any():
        return pl.DataFrame({OK: ok})
    pairs = pl.DataFrame({"row": pl.int_range(text.len(), dtype=pl.UInt32, eager=True), "pair": text}).filter(ok)
    pairs = pairs.with_columns(pl.col("pair").str.extract_all(_PAIR))
    few = pairs.filter(pl.col("pair").list.len() < _FEWEST)["row"]
    ok = ok.scatter(few, values=False)
    entries = (
        pairs.filter(pl.col("pair").list.len() >= _FEWEST)
        .explode("pair")
        .select("row", pl.col("pair").str.splitn("=", 2).struct.rename_fields(["key", "value"]))
        .unnest("pair")
    )
    values = {}
    for (key,), group in entries.partition_by("key", as_dict=True, include_key=False, maintain_order=True).items():
        first = group.unique("row", keep="first", maintain_order=True)
        values[str(key)] = nothing(text.len()).scatter(first["row"], _unquoted(first["value"]))
    if form.requires:
        ok = ok & required(form, values, text.len())
    return pl.DataFrame([*_named(form, values), ok.alias(OK)])


def _unquoted(value: pl.Series) -> pl.Series:
    quoted = value.str.starts_with('"')
    if not quoted.any():
        return value
    inner = value.str.slice(1).str.strip_suffix('"')
    if inner.str.contains("\\", literal=True).any():
        inner = inner.str.replace_all(r"\\n", "\n").str.replace_all(r"\\t", "\t").str.replace_all(r'\\(["\\])', "$1")
    return inner.zip_with(quoted, value)


def _named(form: Format, values: dict[str, pl.Series]) -> list[pl.Series]:
    named: dict[str, pl.Series] = {}
    rest = dict(values)
    keys = Keys(values, fold=form.fold)
    for column, names in form.columns.items():
        for key in dict.fromkeys(one for name in names for one in keys.meant_by(name)):
            if key not in rest:
                continue
            value = rest.pop(key)
            if column not in named:
                named[column] = value.alias(column)
                continue
            spare = named[column].is_not_null() & value.is_not_null()
            if spare.any():
                rest[key] = where(spare, value)
            named[column] = named[column].fill_null(value)
    return [*named.values(), *(value.alias(f"@{key}") for key, value in rest.items())]
