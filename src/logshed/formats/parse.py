"""Parsing: records as raw text in, columns of silver.logs out; total, by columns, one candidate after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import registry
from logshed.formats.envelopes import unwrap_records
from logshed.formats.kinds import extract
from logshed.formats.normalise import Context, finish, with_attributes
from logshed.formats.regex import OK, merged
from logshed.formats.timestamps import EVENT, INFERRED_YEAR, INFERRED_ZONE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from logshed.formats.choice import Choice
    from logshed.formats.model import Format

_COLOURS = r"\x1b\[[0-9;:]*[A-Za-z]"
_ROW, _ITEM = "row", "item"
_ALWAYS = ("log_format", "log_type")
_TIMES = ("timestamp", "timestamp_source")


def parse(
    text: pl.Series,
    choice: Choice,
    *,
    observed: datetime,
    timezone: str | None = None,
    formats: Mapping[str, Format] | None = None,
) -> pl.DataFrame:
    """Parse records.

    Args:
        text: Raw records, envelopes included, the physical lines of one joined by line feeds.
        choice: The formats, as detected or pinned.
        observed: When the lines were read, with a zone.
        timezone: The IANA zone of times that name none; None is UTC, marked ``inferred_zone``.
        formats: The formats by name, the registry's by default.

    Returns:
        ``row`` (index into ``text``), ``item``, the columns of silver.logs that the formats fill, ``attributes``,
        ``log_format``, ``log_type``, ``timestamp`` and ``timestamp_source`` (null where there is none),
        ``parse_error``; ordered by row and item. Never raises for what the text holds.

    Raises:
        FormatError: The choice names a format that there is not.
    """
    table = registry.load() if formats is None else formats
    choice = registry.check(choice, table)
    context = Context(observed, timezone)
    frame = _layer(without_colours(text), choice.envelopes, choice.formats, table, context)
    frame = with_attributes(frame)
    rows = pl.int_range(frame.height, dtype=pl.UInt32, eager=True).alias(_ROW)
    items = pl.Series(_ITEM, [0], dtype=pl.Int32).new_from_index(0, frame.height)
    errors = _errors(text, frame[OK], choice)
    frame = _with_times(frame).drop(OK)
    return frame.select(rows, items, pl.all(), errors)


def without_colours(text: pl.Series) -> pl.Series:
    """The text without terminal colour codes; untouched where it has none."""
    if not text.str.contains("\x1b", literal=True).any():
        return text
    return text.str.replace_all(_COLOURS, "")


def claims(text: pl.Series, form: Format, context: Context) -> pl.Series:
    """Whether the format takes each row."""
    return finish(extract(form, text), form, context)[OK]


def _layer(
    text: pl.Series, envelopes: tuple[str, ...], names: tuple[str, ...], table: Mapping[str, Format], context: Context
) -> pl.DataFrame:
    if not envelopes:
        return _candidates(text, names, table, context)
    form = table[envelopes[0]]
    fields, payload = unwrap_records(text, form)
    outer = finish(fields, form, context)
    inner = _layer(payload, envelopes[1:], names, table, context)
    if not inner[OK].all():
        plain = pl.DataFrame({"body": payload, OK: outer[OK]})
        bare = finish(plain, form, context)
        left = (~inner[OK]).arg_true()
        inner = merged(inner, bare[left], left)
    return _inside(inner, outer)


def _inside(inner: pl.DataFrame, outer: pl.DataFrame) -> pl.DataFrame:
    """The inner record's fields, its envelope's where it has none; the envelope's time where only that is sure."""
    times: list[pl.Series] = []
    columns: list[pl.Series] = []
    sure = (outer["timestamp_source"] == EVENT).fill_null(value=False) if "timestamp_source" in outer.columns else None
    if sure is not None and "timestamp" in inner.columns:
        vague = inner["timestamp"].is_null() | inner["timestamp_source"].is_in([INFERRED_YEAR, INFERRED_ZONE])
        times = [outer[name].zip_with(sure & vague, inner[name]) for name in _TIMES]
    for column in outer.get_columns():
        name = column.name
        if name in (OK, *_ALWAYS) or (times and name in _TIMES):
            continue
        if name not in inner.columns:
            columns.append(column)
        else:
            columns.append(inner[name].fill_null(column).alias(name))
    return inner.with_columns([*columns, *times])


def _candidates(text: pl.Series, names: tuple[str, ...], table: Mapping[str, Format], context: Context) -> pl.DataFrame:
    frame = pl.DataFrame({OK: pl.Series([False]).new_from_index(0, text.len())})
    left: pl.Series | None = None
    for name in names:
        part = text if left is None else text.gather(left)
        found = finish(extract(table[name], part), table[name], context)
        if left is None:
            frame = found
        elif found[OK].any():
            frame = merged(frame, found, left)
        left = (~frame[OK]).arg_true()
        if left.is_empty():
            break
    return frame


def _with_times(frame: pl.DataFrame) -> pl.DataFrame:
    wanted = {
        "timestamp": pl.Datetime("us", "UTC"), "timestamp_source": pl.String(), "log_format": pl.String(),
        "log_type": pl.String(),
    }  # fmt: skip
    return frame.with_columns(
        pl.Series(name, [None], dtype=kind).new_from_index(0, frame.height)
        for name, kind in wanted.items()
        if name not in frame.columns
    )


def _errors(text: pl.Series, ok: pl.Series, choice: Choice) -> pl.Series:
    nothing = pl.Series("parse_error", [None], dtype=pl.String)
    if ok.all():
        return nothing.new_from_index(0, text.len())
    rows = (~ok).arg_true()
    name = (choice.formats or choice.envelopes or ("any known format",))[0]
    reasons = pl.DataFrame({"text": text.gather(rows)}).select(
        pl.when(pl.col("text").str.strip_chars() == "").then(pl.lit("empty line"))
        .when(pl.col("text").str.count_matches('"', literal=True) % 2 == 1).then(pl.lit(f"not {name}: unclosed quote"))
        .otherwise(pl.lit(f"not {name}"))
    ).to_series()  # fmt: skip
    return nothing.new_from_index(0, text.len()).scatter(rows, reasons)
