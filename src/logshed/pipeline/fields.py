"""Columns and attributes of ``logs`` under one way of naming: ``user_id`` and ``attributes.team``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import attributes
from logshed.schema import SILVER, UNMAPPED, polars_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PREFIX = f"{UNMAPPED}."
SCHEMA = polars_schema(SILVER)
_QUOTED = re.compile(rf'"({UNMAPPED}\.[^"]+)"')


def attributes_in(expressions: Iterable[str | None]) -> set[str]:
    """The attributes that SQL expressions name, as ``"attributes.team"``."""
    return {name for text in expressions if text for name in _QUOTED.findall(text)}


def is_field(name: str) -> bool:
    """Whether it names a column of ``logs`` or an attribute."""
    return name in SCHEMA or name.startswith(PREFIX)


def with_fields(logs: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """The rows with each attribute that is named as a column of its own."""
    wanted = sorted(name for name in set(names) if name.startswith(PREFIX))
    attribute = pl.col(UNMAPPED).map
    return logs.with_columns(attribute.get(name.removeprefix(PREFIX)).alias(name) for name in wanted)


def put(logs: pl.DataFrame, values: Mapping[str, pl.Series]) -> pl.DataFrame:
    """The rows with these columns and attributes in the place of their own.

    What does not fit a column's type becomes null, and the value goes into the attributes under the column's name.

    Args:
        logs: Rows of ``logs``.
        values: Whole columns by the name of the column or ``attributes.<key>``.
    """
    columns: list[pl.Series] = []
    changed: dict[str, pl.Series] = {}
    for name, values_of in values.items():
        if name.startswith(PREFIX):
            changed[name.removeprefix(PREFIX)] = _text(values_of)
            continue
        fitting = values_of.cast(SCHEMA[name], strict=False).alias(name)
        columns.append(fitting)
        if fitting.null_count() > values_of.null_count():
            misfit = fitting.is_null() & values_of.is_not_null()
            own = logs[UNMAPPED].to_frame().select(pl.col(UNMAPPED).map.get(name)).to_series()
            changed[name] = _text(values_of).zip_with(misfit, own)
    logs = logs.with_columns(columns)
    return logs.with_columns(_with_attributes(logs[UNMAPPED], changed)) if changed else logs


def with_defaults(logs: pl.DataFrame, values: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """The rows with these attributes where a row has none of that name."""
    names = [f"{PREFIX}{name}" for name in values]
    own = with_fields(logs, names)
    filled = own.select(pl.col(f"{PREFIX}{name}").fill_null(value) for name, value in values.items())
    return put(logs, {name: filled[name] for name in names})


def _text(values: pl.Series) -> pl.Series:
    return values if values.dtype == pl.String else values.cast(pl.String, strict=False)


def _with_attributes(own: pl.Series, changed: Mapping[str, pl.Series]) -> pl.Series:
    frame = own.to_frame()
    keys = frame.select(pl.col(UNMAPPED).map.keys().explode().unique().drop_nulls().sort()).to_series().to_list()
    kept = frame.select(pl.col(UNMAPPED).map.get(key).alias(key) for key in keys if key not in changed)
    new = [values.alias(key) for key, values in changed.items()]
    return attributes.build([*kept.get_columns(), *new], own.len())
