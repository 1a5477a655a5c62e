"""Writes a query's result as a table, JSON, NDJSON, CSV, Parquet or Markdown, batch by batch as it comes."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Protocol

import typer

from logshed.cli import tables, terminal
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import polars as pl
    import pyarrow as pa

    Note = Callable[[int], None]
    Writer = Callable[["Rows", IO[bytes], Note], int]

SECONDS_BETWEEN_NOTES = 2.0
ROWS_AT_ONCE = 10_000
"""Rows of a wide table that are made text at a time."""


class Format(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"
    MARKDOWN = "markdown"


FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How to write the answer.")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it to a file.", show_default=False)
]


class Rows(Protocol):
    """What of a result is written: ``logshed.sql.result.Result`` is one."""

    @property
    def columns(self) -> Sequence[str]:
        """The columns' names."""

    @property
    def schema(self) -> pa.Schema:
        """The columns' names and types."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows as Arrow batches; each is let go before the next is made."""


def document(value: object) -> None:
    """Print one JSON document for a machine."""
    import orjson  # noqa: PLC0415 - only for --json

    print(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


def chosen(form: Format, to: Path | None, *, as_json: bool) -> Format:
    """The format that was asked for; a file's ending says it where nothing else does."""
    if as_json:
        return Format.JSON
    endings = {f".{one.value}": one for one in Format} | {".md": Format.MARKDOWN, ".jsonl": Format.NDJSON}
    return endings.get(to.suffix.lower(), form) if to is not None and form is Format.TABLE else form


def write(result: Rows, form: Format, path: Path | None = None, *, sparse: bool = False) -> int:
    """Write a result to a file, or to standard output, and return its rows.

    Args:
        result: What to write; it is used up.
        form: How to write it.
        path: The file; None takes standard output. A file appears when it is whole.
        sparse: Leave out what is null, where the form is NDJSON.

    Raises:
        UsageError: Parquet was asked for on a terminal.
        OSError: The file cannot be written.
    """
    if path is None and form in (Format.TABLE, Format.MARKDOWN):
        return _print_text(result, form)
    if path is None and form is Format.PARQUET and sys.stdout.isatty():
        raise UsageError("cannot print Parquet: standard output is a terminal; write to a file with --output FILE")
    with opened(path) as file:
        writer = _write_sparse if sparse and form is Format.NDJSON else _WRITERS[form]
        rows = writer(result, file, _notes(path))
    if path is not None:
        print(f"{rows:,} rows written to {path}", file=sys.stderr)
    return rows


class _Counted:
    """Rows as Python values on their way to a table, counted."""

    def __init__(self, result: Rows) -> None:
        self.result = result
        self.seen = 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for batch in self.result.batches():
            columns = [column.to_pylist(maps_as_pydicts="lossy") for column in batch.columns]
            for row in zip(*columns, strict=True):
                self.seen += 1
                yield row


def _lines(columns: Sequence[str], rows: Iterable[Sequence[Any]], form: Format) -> Iterator[str]:
    return tables.markdown(columns, rows) if form is Format.MARKDOWN else tables.table(columns, rows, terminal.width())


def _print_text(result: Rows, form: Format) -> int:
    rows = _Counted(result)
    terminal.page(_lines(result.columns, rows, form))
    return rows.seen


def _write_table(result: Rows, file: IO[bytes], note: Note) -> int:
    rows = _Counted(result)
    for line in tables.table(result.columns, rows):
        file.write(line.encode() + b"\n")
        note(rows.seen)
    return rows.seen


def _write_markdown(result: Rows, file: IO[bytes], note: Note) -> int:
    rows = _Counted(result)
    for line in tables.markdown(result.columns, rows):
        file.write(line.encode() + b"\n")
        note(rows.seen)
    return rows.seen


def _write_ndjson(result: Rows, file: IO[bytes], note: Note) -> int:
    rows = 0
    for frame in _frames(result):
        file.write(frame.write_ndjson().encode())
        note(rows := rows + frame.height)
    return rows


def _write_sparse(result: Rows, file: IO[bytes], note: Note) -> int:
    """NDJSON without nulls: most rows of a wide table are mostly that."""
    from logshed.pipeline.ndjson import ndjson  # noqa: PLC0415 - heavy

    rows = 0
    for frame in _frames(result):
        for piece in frame.iter_slices(ROWS_AT_ONCE):
            file.write(ndjson(piece))
            note(rows := rows + piece.height)
    return rows


def _write_json(result: Rows, file: IO[bytes], note: Note) -> int:
    rows = 0
    file.write(b"[")
    for frame in _frames(result):
        if frame.height:
            text = frame.write_ndjson().rstrip("\n").replace("\n", ",\n")
            file.write((",\n" if rows else "").encode() + text.encode())
        note(rows := rows + frame.height)
    file.write(b"]\n")
    return rows


def _write_csv(result: Rows, file: IO[bytes], note: Note) -> int:
    rows = 0
    for number, frame in enumerate(_frames(result)):
        file.write(_flat(frame).write_csv(include_header=number == 0).encode())
        note(rows := rows + frame.height)
    if not rows:
        file.write((",".join(result.columns) + "\n").encode())
    return rows


def _write_parquet(result: Rows, file: IO[bytes], note: Note) -> int:
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    rows = 0
    with pq.ParquetWriter(file, result.schema, compression="zstd") as writer:
        for batch in result.batches():
            writer.write_batch(batch)
            note(rows := rows + batch.num_rows)
    return rows


def _frames(result: Rows) -> Iterator[pl.DataFrame]:
    import polars as pl  # noqa: PLC0415 - heavy

    for batch in result.batches():
        frame = pl.from_arrow(batch)
        yield frame if isinstance(frame, pl.DataFrame) else frame.to_frame()


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """The same with nested columns as JSON text and times in ISO 8601: CSV has neither."""
    import polars as pl  # noqa: PLC0415 - heavy

    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    zoned = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime) and kind.time_zone]
    return frame.with_columns(
        *(
            pl.when(pl.col(name).is_not_null())
            .then(pl.struct(name).struct.json_encode().str.slice(len(name) + 4).str.head(-1))
            .alias(name)
            for name in nested
        ),
        *(pl.col(name).dt.convert_time_zone("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ") for name in zoned),
    )


@contextmanager
def opened(path: Path | None) -> Iterator[IO[bytes]]:
    """A file to write, which appears when it is whole; None is standard output."""
    if path is None:
        yield sys.stdout.buffer
        return
    part = path.with_name(f".{path.name[:200]}.{os.urandom(8).hex()}.part")  # another may write one of this name
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _notes(path: Path | None) -> Note:
    """Tells on standard error, every few seconds, how far an export is."""
    begun = last = time.monotonic()

    def note(rows: int) -> None:
        nonlocal last
        now = time.monotonic()
        if path is not None and now - last > SECONDS_BETWEEN_NOTES:
            last = now
            print(f"{rows:,} rows, {rows / (now - begun):,.0f} rows/s", file=sys.stderr)

    return note


_WRITERS: dict[Format, Writer] = {
    Format.TABLE: _write_table,
    Format.MARKDOWN: _write_markdown,
    Format.JSON: _write_json,
    Format.NDJSON: _write_ndjson,
    Format.CSV: _write_csv,
    Format.PARQUET: _write_parquet,
}
