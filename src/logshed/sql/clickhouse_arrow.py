"""What ClickHouse's types are in Arrow, as a result has them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa

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


def fitted(batch: pa.RecordBatch, kinds: Sequence[str], wanted: pa.Schema) -> pa.RecordBatch:
    """A batch of the client's with the types that ``schema`` gave."""
    arrays = []
    for array, kind, field in zip(batch.columns, kinds, wanted, strict=True):
        if _bare(kind).startswith("DateTime") and pa.types.is_integer(array.type):  # a DateTime comes as seconds
            array = array.cast(pa.int64()).cast(pa.timestamp("s", "UTC"))  # noqa: PLW2901 - the same values
        arrays.append(array if array.type == field.type else array.cast(field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=wanted)
