"""What ClickHouse's types are in Arrow, as a result has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.types as are

from logshed.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence

_ARROW: dict[str, pa.DataType] = {
    "String": pa.string(),
    "Bool": pa.bool_(),
    "Int8": pa.int32(),
    "Int16": pa.int32(),
    "Int32": pa.int32(),
    "Int64": pa.int64(),
    "UInt8": pa.int64(),
    "UInt16": pa.int64(),
    "UInt32": pa.int64(),
    "UInt64": pa.int64(),
    "Float32": pa.float64(),
    "Float64": pa.float64(),
    "Date": pa.date32(),
    "Date32": pa.date32(),
    "Nothing": pa.null(),
}

_PLAIN: dict[pa.DataType, pa.DataType] = {
    pa.null(): pa.null(),
    pa.bool_(): pa.bool_(),
    pa.int8(): pa.int32(),
    pa.int16(): pa.int32(),
    pa.int32(): pa.int32(),
    pa.int64(): pa.int64(),
    pa.uint8(): pa.int64(),
    pa.uint64(): pa.int64(),
    pa.float32(): pa.float64(),
    pa.float64(): pa.float64(),
    pa.string(): pa.string(),
    pa.date32(): pa.date32(),
}
"""What a client gives and what a result has; without the 16 and 32 bits that can be a day or a moment."""

_ALIKE: dict[pa.DataType, re.Pattern[str]] = {
    pa.int8(): re.compile("enum", re.IGNORECASE),
    pa.int16(): re.compile("enum", re.IGNORECASE),
    pa.int64(): re.compile("(?<!toStartOf)interval(?!second)", re.IGNORECASE),  # one of seconds is a duration
    pa.string(): re.compile(r"\b((?i:json)|Object|OBJECT|Dynamic|DYNAMIC|Variant|VARIANT)\b"),
}
"""What a statement says where it can have columns of a type that its client's only looks like."""


def told(given: pa.Schema, sql: str, zone: str) -> pa.Schema | None:
    """The schema that ``schema`` gives, from the client's own; None where that does not tell a column's type.

    Args:
        given: What the client says before the first row.
        sql: The statement: no column of the lake has a type that the client's would hide.
        zone: The zone of times.
    """
    if "AggregateFunction(" in sql:
        return None
    kinds = [_plain(field.type, sql, zone) for field in given]
    return (
        pa.schema([pa.field(field.name, kind) for field, kind in zip(given, kinds, strict=True)])
        if all(kinds)
        else None
    )


def _plain(kind: pa.DataType, sql: str, zone: str) -> pa.DataType | None:
    if are.is_list(kind):
        item = _plain(kind.value_type, sql, zone)
        return item and pa.list_(item)
    if are.is_map(kind) and are.is_string(kind.key_type):
        item = _plain(kind.item_type, sql, zone)
        return item and pa.map_(pa.string(), item)
    if are.is_timestamp(kind):
        return pa.timestamp("us", zone)
    if are.is_decimal128(kind):
        return kind
    hidden = _ALIKE.get(kind)
    return None if hidden and hidden.search(sql) else _PLAIN.get(kind)


def schema(names: Sequence[str], kinds: Sequence[str], zone: str) -> pa.Schema:
    """The Arrow schema for ClickHouse's types: times in microseconds and one zone, whole numbers with a sign."""
    return pa.schema([pa.field(name, _arrow_type(name, kind, zone)) for name, kind in zip(names, kinds, strict=True)])


def _arrow_type(name: str, kind: str, zone: str) -> pa.DataType:
    plain = _bare(kind)
    if plain.startswith("Array("):
        return pa.list_(_arrow_type(name, plain[6:-1], zone))
    if plain.startswith("Map(String, "):
        return pa.map_(pa.string(), _arrow_type(name, plain[12:-1], zone))
    if decimal := re.fullmatch(r"Decimal\((\d+), (\d+)\)", plain):
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    if plain.startswith("DateTime"):
        return pa.timestamp("us", zone)
    found = _ARROW.get(plain.partition("(")[0])
    if found is None:
        raise QueryError(f"cannot show column {name}: its type is {kind}; cast it to VARCHAR")
    return found


def _bare(kind: str) -> str:
    for wrapper in ("LowCardinality(", "Nullable("):
        if kind.startswith(wrapper):
            kind = kind[len(wrapper) : -1]
    return kind


def fitted(batch: pa.RecordBatch, wanted: pa.Schema) -> pa.RecordBatch:
    """A batch of the client's with the types that ``schema`` or ``told`` gave."""
    arrays = []
    for array, field in zip(batch.columns, wanted, strict=True):
        if are.is_timestamp(field.type) and are.is_integer(array.type):  # a DateTime comes as seconds
            array = array.cast(pa.int64()).cast(pa.timestamp("s", "UTC"))  # noqa: PLW2901 - the same values
        arrays.append(array if array.type == field.type else array.cast(field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=wanted)
