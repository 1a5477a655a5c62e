"""Columns of Arrow as stages take and give them, and their types as Spark writes them."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
from pyarrow import types as kinds

from logshed.errors import UsageError

_NAMES: dict[pa.DataType, str] = {
    pa.bool_(): "BOOLEAN", pa.int8(): "TINYINT", pa.int16(): "SMALLINT", pa.int32(): "INT", pa.int64(): "BIGINT",
    pa.float32(): "FLOAT", pa.float64(): "DOUBLE", pa.date32(): "DATE", pa.string(): "STRING",
    pa.large_string(): "STRING", pa.string_view(): "STRING", pa.binary(): "BINARY", pa.large_binary(): "BINARY",
}  # fmt: skip


def ddl(schema: pa.Schema) -> str:
    """A schema as Spark's DDL; every column may be null.

    Raises:
        UsageError: Spark has no such type.
    """
    return ", ".join(f"{_quoted(field.name)} {_named(field.type)}" for field in schema)


def _named(kind: pa.DataType) -> str:
    if kind in _NAMES:
        return _NAMES[kind]
    if kinds.is_timestamp(kind):
        return "TIMESTAMP" if kind.tz else "TIMESTAMP_NTZ"
    if kinds.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    if kinds.is_map(kind):
        return f"MAP<{_named(kind.key_type)}, {_named(kind.item_type)}>"
    if kinds.is_list(kind) or kinds.is_large_list(kind):
        return f"ARRAY<{_named(kind.value_type)}>"
    if kinds.is_struct(kind):
        return f"STRUCT<{', '.join(f'{_quoted(field.name)}: {_named(field.type)}' for field in kind)}>"
    raise UsageError(f"cannot hand {kind} to Spark: it has no such type; cast the column before")


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def column_of(table: pa.Table, name: str, kind: pl.DataType) -> pl.Series:
    """A column as it is meant; null where there is none.

    Raises:
        UsageError: Its values are of another kind.
    """
    if name not in table.schema.names:
        return pl.Series(name, [None], dtype=kind).new_from_index(0, table.num_rows)
    found = pl.from_arrow(table[name])
    series = found if isinstance(found, pl.Series) else found.to_series()
    try:
        return series.cast(kind).alias(name)
    except pl.exceptions.PolarsError as error:
        raise UsageError(
            f"cannot use column {name}: its values are no {kind} ({str(error).splitlines()[0]}); cast it, or drop it"
        ) from None


def put(table: pa.Table, name: str, values: pl.Series, kind: pa.DataType | None = None) -> pa.Table:
    """The table with these values in the place of a column, or behind the others; None takes their own type."""
    array = values.to_arrow()
    array = array if kind is None or array.type == kind else array.cast(kind)
    place = table.schema.get_field_index(name)
    field = pa.field(name, array.type)
    return table.append_column(field, array) if place < 0 else table.set_column(place, field, array)


def plain(kind: pa.DataType) -> pa.DataType:
    """The type of the values."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def is_text(kind: pa.DataType) -> bool:
    """Whether the values are texts."""
    own = plain(kind)
    return bool(kinds.is_string(own) or kinds.is_large_string(own) or kinds.is_string_view(own))


def assert_column(schema: pa.Schema, name: str, advice: str = "") -> None:
    """Raise where a column is missing."""
    if name not in schema.names:
        raise UsageError(
            f"cannot find column {name}: the batch has {', '.join(schema.names) or 'none'}; name another{advice}"
        )


def assert_plain(schema: pa.Schema) -> None:
    """Raise where text may hide in columns that are not looked at."""
    for field in schema:
        own = plain(field.type)
        if kinds.is_nested(own) or kinds.is_binary(own) or kinds.is_large_binary(own):
            raise UsageError(
                f"cannot redact column {field.name}: it is {field.type}, which may hold text; "
                "make columns of text of it, or name the columns to redact (columns=)"
            )
