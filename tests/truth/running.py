"""Runs a case the way an ingest would: detect, join, parse; and shows each record as plain values."""
# ruff: noqa: T201 - it talks to developers

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.errors import FormatError
from logshed.formats.detect import detect
from logshed.formats.multiline import Joiner
from logshed.formats.parse import parse
from logshed.formats.reader import read_format
from logshed.plugins import data_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logshed.formats.choice import Choice
    from logshed.formats.model import Format

OBSERVED = datetime(2026, 11, 22, tzinfo=UTC)
"""When all the cases are read: later than every time in them."""


@dataclass(frozen=True, slots=True)
class Record:
    """What came of a record.

    Attributes:
        line: Index of its first physical line.
        count: Its physical lines.
        text: As it was read.
        values: Columns and, with ``@`` before their names, attributes; only those that are there.
        error: Why no format took it.
    """

    line: int
    count: int
    text: str
    values: Mapping[str, Any]
    error: str | None


@lru_cache(maxsize=1)
def known() -> dict[str, Format]:
    """Every format whose file can be read; the others are named on stderr, so that one does not stop the board."""
    found = {}
    for name, file in data_files("formats", ".toml", ()).items():
        try:
            found[name] = read_format(name, file)
        except FormatError as error:
            print(error, file=sys.stderr)
    return found


def choice_of(lines: Sequence[str], formats: Mapping[str, Format] | None = None) -> Choice:
    """What detection says of these lines."""
    return detect(pl.Series(lines, dtype=pl.String), formats=formats).choice


def run(
    lines: Sequence[str], *, choice: Choice | None = None, formats: Mapping[str, Format] | None = None
) -> list[Record]:
    """The records of a file."""
    formats = known() if formats is None else formats
    choice = _detected(tuple(lines)) if choice is None else choice
    frame = pl.DataFrame(
        {
            "text": pl.Series(lines, dtype=pl.String),
            "offset": pl.Series(range(len(lines)), dtype=pl.Int64),
            "cut_bytes": pl.Series([None] * len(lines), dtype=pl.Int64),
            "escaped": pl.Series([False] * len(lines), dtype=pl.Boolean),
        }
    )
    joiner = Joiner(choice, formats=formats)
    records = pl.concat([joiner.push(frame), joiner.finish()])
    parsed = parse(records["text"], choice, observed=OBSERVED, formats=formats)
    return [_record(row, records) for row in parsed.iter_rows(named=True)]


@lru_cache(maxsize=4096)
def _detected(lines: tuple[str, ...]) -> Choice:
    return choice_of(lines, known())


def _record(row: dict[str, Any], records: pl.DataFrame) -> Record:
    values = {name: value for name, value in row.items() if value is not None and name not in _NOT_VALUES}
    attributes = row["attributes"] or {}
    pairs = attributes.items() if isinstance(attributes, dict) else ((one["key"], one["value"]) for one in attributes)
    values |= {f"@{key}": value for key, value in pairs if value is not None}
    index = row["row"]
    return Record(
        line=records["offset"][index],
        count=records["line_count"][index],
        text=records["text"][index],
        values=values,
        error=row["parse_error"],
    )


_NOT_VALUES = frozenset({"row", "item", "attributes", "parse_error"})
