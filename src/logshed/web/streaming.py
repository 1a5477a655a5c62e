"""Sends a result as it comes, without a cap and in bounded memory: NDJSON, CSV, Parquet or Arrow."""

from __future__ import annotations

import io
from contextlib import ExitStack
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from logshed.errors import AccessError
from logshed.pipeline.ndjson import documents
from logshed.web.readable import readable, schema_of, storable
from logshed.web.row_lines import rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from logshed.sql.result import Result
    from logshed.web.still import Still

Form = Literal["ndjson", "csv", "parquet", "arrow", "rows"]
KINDS: dict[Form, str] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "rows": "application/x-ndjson; form=rows",
}
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The rows, in the form that was asked for.",
        "content": {kind.partition(";")[0]: {"schema": {}} for kind in KINDS.values()},
    }
}
"""What a call that sends rows declares.

A stream that ends before its time has no last chunk, and is an error to who reads it.
"""
_TEXTS = (pl.String, pl.Categorical, pl.Enum)
ROWS_AT_ONCE = 8_192
"""Rows of a wide table that are made text at a time."""
_BEGINS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""With what begins what a spreadsheet takes for a formula (OWASP, CSV Injection), the last four as East Asia writes."""


def streamed(
    result: Result, form: Form, still: Still, name: str = "", held: ExitStack | None = None
) -> StreamingResponse:
    """A result as it comes; when it was sent, or nobody takes it any more, the statement is ended.

    Who is no longer known, or may see other collections now, gets no more of it: it ends before its time.

    Args:
        result: What is sent; it is used up.
        form: How.
        still: Says whether who asked still may.
        name: What the file is called that a browser saves; empty shows it.
        held: Is closed when all is done.
    """
    stack = held or ExitStack()
    stack.callback(result.close)
    pieces = _FORMS[form](result)

    async def body() -> AsyncIterator[bytes]:
        with stack:
            while (piece := await run_in_threadpool(next, pieces, None)) is not None:
                if not await still.may():
                    raise AccessError("cannot go on: who asked may no longer see it")
                yield piece

    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'} if name else {}
    return StreamingResponse(body(), media_type=KINDS[form], headers=headers | {"X-Accel-Buffering": "no"})


def form_of(accept: str, default: Form = "ndjson") -> Form:
    """The form that an Accept header asks for."""
    asked = [one.partition(";q=")[0].strip() for one in accept.split(",")]
    return next((form for form, kind in KINDS.items() if kind.removesuffix("; charset=utf-8") in asked), default)


def harmless(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows whose texts no spreadsheet takes for formulas: an apostrophe stands before those it would."""
    texts = {name: pl.col(name).cast(pl.String) for name, kind in frame.schema.items() if kind in _TEXTS}
    return frame.with_columns(
        pl.when(text.str.head(1).is_in(list(_BEGINS))).then("'" + text).otherwise(text).alias(name)
        for name, text in texts.items()
    )


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows whose maps, lists and structures are JSON, and whose times are RFC 3339."""
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    times = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime)]
    return frame.with_columns(
        *(pl.struct(name).struct.json_encode().str.slice(len(_head(name))).str.head(-1).alias(name) for name in nested),
        *(pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z") for name in times),
    )


def _head(name: str) -> str:
    return str(pl.DataFrame({name: [0]}).select(pl.struct(name).struct.json_encode()).item())[:-2]


def frames(result: Result) -> Iterator[pl.DataFrame]:
    """The rows in frames of a good size."""
    names = _unlike(result.columns)
    for batch in result.batches():
        frame = pl.from_arrow(readable(batch.rename_columns(names)))
        if isinstance(frame, pl.DataFrame):  # a batch always gives one
            yield from frame.iter_slices(ROWS_AT_ONCE)


def _unlike(names: list[str]) -> list[str]:
    """Names of columns, of which a statement may give several the same one."""
    found: list[str] = []
    for name in names:
        again = (
            name if name not in found else next(f"{name}_{n}" for n in count(2) if f"{name}_{n}" not in names + found)
        )
        found.append(again)
    return found


def _ndjson(result: Result) -> Iterator[bytes]:
    for frame in frames(result):
        yield "".join(f"{line}\n" for line in documents(frame)).encode()


def _csv(result: Result) -> Iterator[bytes]:
    head = pl.DataFrame(schema={harmless_name(name): pl.String for name in _unlike(result.columns)})
    yield head.write_csv().encode()
    for frame in frames(result):
        yield harmless(flat(frame)).write_csv(include_header=False).encode()


def harmless_name(name: str) -> str:
    """A column's name that no spreadsheet takes for a formula."""
    return f"'{name}" if name and name[0] in _BEGINS else name


class _Sink(io.RawIOBase):
    """A file that gives away what was written to it."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # whatever bytes can be made of
        self._held.append(piece)
        self._size += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._size

    def taken(self) -> bytes:
        """What was written since the last time."""
        held, self._held = self._held, []
        return b"".join(held)


def _binary(
    result: Result,
    opened: Callable[[_Sink], pq.ParquetWriter | pa.RecordBatchWriter],
    made: Callable[[pa.RecordBatch], pa.RecordBatch] = lambda batch: batch,
) -> Iterator[bytes]:
    sink = _Sink()
    with opened(sink) as writer:
        for batch in result.batches():
            writer.write_batch(made(batch))
            if piece := sink.taken():
                yield piece
    yield sink.taken()


def _parquet(result: Result) -> Iterator[bytes]:
    schema = schema_of(result.schema)
    if schema.equals(result.schema):
        return _binary(result, lambda sink: pq.ParquetWriter(sink, schema, compression="zstd"))
    return _binary(result, lambda sink: pq.ParquetWriter(sink, schema, compression="zstd"), storable)


def _arrow(result: Result) -> Iterator[bytes]:
    return _binary(result, lambda sink: pa.ipc.new_stream(sink, result.schema))


_FORMS: dict[Form, Callable[[Result], Iterator[bytes]]] = {
    "ndjson": _ndjson,
    "csv": _csv,
    "parquet": _parquet,
    "arrow": _arrow,
    "rows": rows,
}
