"""Sends the rows of any statement as lines of JSON for a page: the columns, each row as a list, the end."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from logshed.errors import LogshedError
from logshed.web.readable import in_range

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.sql.result import Result

ROWS_AT_ONCE = 2_000
SAFE = 2**53
"""Whole numbers of browsers are exact up to here; greater ones are sent as texts."""


def rows(result: Result) -> Iterator[bytes]:
    """The columns with their types, then each row, then how many there were, or why there are no more.

    Two columns may have the same name, which no object of JSON could tell.
    """
    begun, count = time.monotonic(), 0
    columns = [{"name": field.name, "type": kind_of(field.type)} for field in result.schema]
    yield orjson.dumps({"columns": columns, "files": result.files_read}) + b"\n"
    try:
        for batch in result.batches():
            for start in range(0, batch.num_rows, ROWS_AT_ONCE):
                part = batch.slice(start, ROWS_AT_ONCE)
                count += part.num_rows
                yield _lines(part)
    except LogshedError as error:
        yield orjson.dumps({"error": str(error), "rows": count}) + b"\n"
        return
    yield orjson.dumps({"rows": count, "seconds": round(time.monotonic() - begun, 3)}) + b"\n"


def kind_of(kind: pa.DataType) -> str:
    """What a column holds: ``number``, ``time``, ``boolean``, ``text`` or ``nested``."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    if pa.types.is_boolean(kind):
        return "boolean"
    return "nested" if pa.types.is_nested(kind) else "text"


def _lines(batch: pa.RecordBatch) -> bytes:
    values = [_values(column) for column in in_range(batch).columns]
    option = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    return b"".join(orjson.dumps(row, default=_told, option=option) for row in zip(*values, strict=True))


def _values(column: pa.Array) -> list[Any]:
    if pa.types.is_integer(column.type) and column.null_count < len(column):
        ends = pc.min_max(column).as_py()
        if max(abs(ends["min"]), abs(ends["max"])) > SAFE:
            column = column.cast(pa.string())
    found: list[Any] = column.to_pylist(maps_as_pydicts="lossy")
    return found


def _told(value: object) -> Any:
    """A value that JSON has no form for."""
    if isinstance(value, Decimal):
        return float(value) if abs(value) < SAFE else str(value)
    if isinstance(value, int | bytes):
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return str(value)
