"""Attributes that have become columns of ``silver.logs``: which, of what type, and how a text becomes a value of it.

The value stays in ``attributes``, too: rules and statements that name it there go on. New files have the column; of
older ones the view makes it from the attribute, by the same rules, so that both say the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from logshed.lake.names import PROMOTED_PROPERTY
from logshed.schema import PROMOTED_TEXTS, UNMAPPED

if TYPE_CHECKING:
    from pyiceberg.table import Table

    from logshed.schema import Kind


@dataclass(frozen=True, slots=True)
class Promoted:
    """An attribute that is a column.

    Attributes:
        key: The attribute.
        column: The column.
        kind: Its type: ``string``, ``long``, ``double``, ``boolean`` or ``timestamptz``.
    """

    key: str
    column: str
    kind: Kind

    @property
    def expr(self) -> pl.Expr:
        """The column of rows with ``attributes``; null where the text is none of the type."""
        text = pl.col(UNMAPPED).map.get(self.key)
        fits = pl.when(text.str.contains(PROMOTED_TEXTS[self.kind])).then(text) if self.kind != "string" else text
        return _value(fits, self.kind).alias(self.column)


def _value(text: pl.Expr, kind: Kind) -> pl.Expr:
    match kind:
        case "long":
            return text.cast(pl.Int64, strict=False)
        case "double":
            return text.cast(pl.Float64, strict=False)
        case "boolean":
            return text.str.to_lowercase() == "true"
        case "timestamptz":
            zoned = text.str.replace("Z$", "+00:00").str.replace(" ", "T", literal=True)
            return zoned.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", time_zone="UTC", strict=False)
    return text


def promoted(table: Table) -> tuple[Promoted, ...]:
    """The attributes of ``silver.logs`` that are columns."""
    stored = json.loads(table.properties.get(PROMOTED_PROPERTY, "[]"))
    return tuple(Promoted(one["key"], one["column"], one["kind"]) for one in stored)
