"""Makes text of what a form has no form for: bytes, intervals, unions, times beyond the calendar's years.

Statements of people's may give any of DuckDB's types; what Polars or Parquet cannot write would end their answer.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable

_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_EPOCH = date(1970, 1, 1)
_DAYS = ((date.min - _EPOCH).days + 1, (date.max - _EPOCH).days)
"""What the calendar of Python and Polars has, in days since 1970; the first lacks zones that are ahead."""
_DAY_SECONDS = 86_400


def readable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows that can be written as text: their odd columns are text already."""
    return _changed(batch, lambda column: _is_odd(column.type) or _is_beyond(column))


def storable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows that Parquet takes: a column of a type that it does not know is text, in every batch."""
    return _changed(batch, lambda column: _holds(column.type, _is_unknown))


def schema_of(schema: pa.Schema) -> pa.Schema:
    """The schema of what ``storable`` gives."""
    return pa.schema([field.with_type(pa.string()) if _holds(field.type, _is_unknown) else field for field in schema])


def in_range(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows whose times Python can tell."""
    return _changed(batch, _is_beyond)


def _changed(batch: pa.RecordBatch, odd: Callable[[pa.Array], bool]) -> pa.RecordBatch:
    columns = [_texts(column) if odd(column) else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _is_unknown(kind: pa.DataType) -> bool:
    return bool(pa.types.is_interval(kind) or pa.types.is_union(kind))


def _is_odd(kind: pa.DataType) -> bool:
    return _holds(kind, lambda one: _is_unknown(one) or _is_binary(one))


def _is_binary(kind: pa.DataType) -> bool:
    checks = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary, pa.types.is_binary_view)
    return any(check(kind) for check in checks)


def _holds(kind: pa.DataType, what: Callable[[pa.DataType], bool]) -> bool:
    """Whether a type is one of some, or has one inside."""
    return what(kind) or any(_holds(kind.field(at).type, what) for at in range(kind.num_fields))


def _is_beyond(column: pa.Array) -> bool:
    """Whether a column of times has one that the calendar has not."""
    if pa.types.is_date32(column.type):
        first, last = _DAYS
    elif pa.types.is_timestamp(column.type):
        first, last = (days * _DAY_SECONDS * _UNITS[column.type.unit] for days in _DAYS)
    else:
        return False
    ends = pc.min_max(_numbers(column)).as_py()
    return ends["min"] is not None and (ends["min"] < first or ends["max"] >= last)


def _numbers(column: pa.Array) -> pa.Array:
    return column.view(pa.int32() if pa.types.is_date32(column.type) else pa.int64())


def _texts(column: pa.Array) -> pa.Array:
    if pa.types.is_date32(column.type) or pa.types.is_timestamp(column.type):
        return pa.array([_moment(number, column.type) for number in _numbers(column).to_pylist()], pa.string())
    return pa.array([None if one is None else _text(one) for one in column.to_pylist()], pa.string())


def _moment(number: int | None, kind: pa.DataType) -> str | None:
    """A time as RFC 3339; DuckDB's greatest and least are endless, and what else is beyond is told by its number."""
    if number is None:
        return None
    most = 2**31 - 1 if pa.types.is_date32(kind) else 2**63 - 1
    if abs(number) >= most:
        return "infinity" if number > 0 else "-infinity"
    parts = 1 if pa.types.is_date32(kind) else _DAY_SECONDS * _UNITS[kind.unit]
    if not _DAYS[0] <= number // parts < _DAYS[1]:
        return f"{number} {'days' if parts == 1 else kind.unit} since 1970"
    if parts == 1:
        return date.fromordinal(_EPOCH.toordinal() + number).isoformat()
    seconds, rest = divmod(number, _UNITS[kind.unit])
    told = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1_000_000 // _UNITS[kind.unit])
    return told.isoformat() if kind.tz else told.replace(tzinfo=None).isoformat()


def _text(value: Any) -> str:
    match value:
        case str():
            return value
        case bytes():
            return value.decode("utf-8", "replace")
        case pa.MonthDayNano():
            return f"P{value.months}M{value.days}DT{value.nanoseconds / _UNITS['ns']:g}S"
        case dict() | list():
            return orjson.dumps(value, default=_text, option=orjson.OPT_NON_STR_KEYS).decode()
    return str(value)
