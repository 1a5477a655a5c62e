"""From fields as text to typed columns of the log record: times, severities, numbers, requests, attributes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats.addresses import split_ports
from logshed.formats.attributes import build
from logshed.formats.columns import constant, where
from logshed.formats.durations import with_durations
from logshed.formats.regex import OK
from logshed.formats.severities import with_severities
from logshed.formats.syslog import split_priority, split_structured_data
from logshed.formats.timestamps import OBSERVED, parse_times
from logshed.formats.traces import describe_traces, split_traces
from logshed.formats.urls import split_requests, split_urls
from logshed.schema import SILVER_BY_NAME, polars_type

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from logshed.formats.model import Format

_DURATIONS = {"duration_s": 1000.0, "duration_us": 0.001, "duration_ns": 0.000001}
_NEVER_ESCAPED = frozenset(
    {OK, "timestamp", "client_address", "http_response_status_code", "http_response_body_size"}
    | {"http_request_method", "network_protocol_version"}
)
_ESCAPED_TEXT = r"(?:\\x[c-fC-F][0-9a-fA-F](?:\\x[89abAB][0-9a-fA-F])+)+"
_ESCAPED_BYTE = r"\\x(?:[0189a-fA-F][0-9a-fA-F]|7[fF])"
_NUMBERS = frozenset({"int", "long", "double"})
_STRICT_KINDS = frozenset({"regex", "apache"})
"""Kinds whose pattern demands a number to be one; elsewhere a number that is none becomes an attribute."""


@dataclass(frozen=True, slots=True)
class Context:
    """What parsing needs to know beside the text.

    Attributes:
        observed: When the lines were read, with a zone.
        timezone: The IANA zone of times that name none, None for UTC with a mark.
        alone: Whether no record tells in which order the dates of others are.
    """

    observed: datetime
    timezone: str | None = None
    alone: bool = False


def finish(frame: pl.DataFrame, form: Format, context: Context) -> pl.DataFrame:
    """Typed columns from fields as text.

    Args:
        frame: Text columns named by target, and ``_ok``.
        form: The format that they are from.
        context: The time of observation and the zone.

    Returns:
        Columns of silver.logs, attributes as columns named ``@key``, and ``_ok``, which turns false where a text
        format's number or time is none. Rows that are not ok hold nothing.
    """
    before = frame[OK]
    frame = _values(_nulls(frame, form), form)
    frame = _durations(frame)
    frame = split_urls(split_requests(frame))
    frame = split_structured_data(split_priority(frame))
    frame = _unescaped(frame, form)
    if form.traces and "body" in frame.columns:
        frame = split_traces(frame)
    if "exception_stacktrace" in frame.columns:
        frame = describe_traces(frame)
    strict = form.kind in _STRICT_KINDS
    if not strict:  # a pattern says itself where an address ends
        frame = split_ports(frame)
    bare = form.fewest > 0 and form.header is None  # fields by their order alone
    frame = _times(frame, form, context, strict=strict or bare)
    frame = _numbers(frame, form.lenient, strict=strict)
    frame = with_severities(frame, form)
    frame = frame.with_columns(_constants(frame, form))
    unmatched_is_empty = form.kind != "json"
    return frame if unmatched_is_empty and frame[OK].sum() == before.sum() else _emptied(frame)


def _nulls(frame: pl.DataFrame, form: Format) -> pl.DataFrame:
    if not form.nulls:
        return frame
    changed = []
    for column in frame.get_columns():
        if column.name == OK:
            continue
        empty = column.is_in(list(form.nulls)) if len(form.nulls) > 2 else _equals(column, form.nulls)  # noqa: PLR2004
        if empty.any():
            changed.append(where(~empty, column))
    return frame.with_columns(changed)


def _values(frame: pl.DataFrame, form: Format) -> pl.DataFrame:
    """Copy fields to others, and turn whole values into what they stand for; ``_`` is for all that are not named."""
    if form.copies:
        copies = [frame[source].alias(to) for to, source in form.copies.items() if source in frame.columns]
        frame = frame.with_columns(
            frame[one.name].fill_null(one).alias(one.name) if one.name in frame.columns else one for one in copies
        )
    changed = []
    for name, table in form.values.items():
        if name not in frame.columns:
            continue
        column = frame[name]
        meant = column.replace_strict(_meant(column, table), default=None, return_dtype=pl.String)
        rest = where(column.is_not_null(), constant(table["_"], column.len())) if "_" in table else column
        changed.append(meant.fill_null(rest).alias(name))
    return frame.with_columns(changed) if changed else frame


def _meant(column: pl.Series, table: Mapping[str, str]) -> dict[str, str]:
    """What each value stands for; a key with a ``^`` before it is a pattern."""
    known = {written: meant for written, meant in table.items() if written != "_" and not written.startswith("^")}
    patterns = {written: meant for written, meant in table.items() if written.startswith("^")}
    if patterns:
        distinct = column.unique().drop_nulls()
        for pattern, meant in patterns.items():
            for value in distinct.filter(distinct.str.contains(pattern)).to_list():
                known.setdefault(value, meant)
    return known


def _equals(column: pl.Series, values: tuple[str, ...]) -> pl.Series:
    found = column == values[0]
    for value in values[1:]:
        found = found | (column == value)
    return found.fill_null(value=False)


def _durations(frame: pl.DataFrame) -> pl.DataFrame:
    """Replace durations in other units by ``duration_ms``."""
    if "duration" in frame.columns:
        frame = with_durations(frame)
    for name, factor in _DURATIONS.items():
        if name in frame.columns:
            scaled = frame[name].cast(pl.Float64, strict=False) * factor
            text = scaled.round(6).cast(pl.String).fill_null(frame[name])
            if "duration_ms" in frame.columns:
                text = frame["duration_ms"].fill_null(text)
            frame = frame.drop(name).with_columns(text.alias("duration_ms"))
    return frame


def _unescaped(frame: pl.DataFrame, form: Format) -> pl.DataFrame:
    if not form.unescape:
        return frame
    changed = []
    for column in frame.get_columns():
        if column.name in _NEVER_ESCAPED:
            continue
        rows = column.str.contains('\\"', literal=True).fill_null(value=False).arg_true()
        if not rows.is_empty():
            plain = column.gather(rows).str.replace_all(r'\\(["\\])', "$1")
            changed.append(column.clone().scatter(rows, plain))
    frame = frame.with_columns(changed)
    return frame if form.kind != "apache" else frame.with_columns(_bytes_unescaped(frame))


def _bytes_unescaped(frame: pl.DataFrame) -> list[pl.Series]:
    r"""Columns in which Apache wrote the bytes of UTF-8 text as ``\xNN``.

    Other bytes stay as written, and so does a value that holds any: binary data that looks like text in places.
    """
    changed = []
    for column in frame.get_columns():
        if column.name in _NEVER_ESCAPED:
            continue
        rows = column.str.contains(_ESCAPED_TEXT).fill_null(value=False).arg_true()
        if rows.is_empty():
            continue
        texts = column.gather(rows)
        plain = {text: _decoded(text) for text in texts.unique().to_list()}
        changed.append(column.clone().scatter(rows, texts.replace_strict(plain, return_dtype=pl.String)))
    return changed


def _decoded(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        return bytes.fromhex(match[0].replace("\\x", "")).decode("utf-8")

    try:
        plain = re.sub(_ESCAPED_TEXT, one, text)
    except UnicodeDecodeError:
        return text
    return text if re.search(_ESCAPED_BYTE, plain) else plain


def _times(frame: pl.DataFrame, form: Format, context: Context, *, strict: bool) -> pl.DataFrame:
    if "timestamp" not in frame.columns:
        return frame
    text = frame["timestamp"]
    moments, sources = parse_times(
        text,
        form.times or ("iso", "epoch"),
        observed=context.observed,
        timezone=form.zone or context.timezone,
        alone=context.alone,
    )
    columns = [moments, sources]
    if moments.null_count() != text.null_count():
        unread = moments.is_null() & text.is_not_null()
        no_time = unread & sources.is_null()
        columns[1] = constant(OBSERVED, text.len()).zip_with(unread, sources).alias(sources.name)
        columns.append(where(unread, text).alias("@timestamp.original"))
        if strict and "timestamp" not in form.lenient:
            columns.append((frame[OK] & ~no_time).alias(OK))
    return frame.with_columns(columns)


def _numbers(frame: pl.DataFrame, lenient: tuple[str, ...], *, strict: bool) -> pl.DataFrame:
    """Cast columns of numbers; what is no number is no match (text formats) or an attribute (the others)."""
    ok = frame[OK]
    changed = []
    for text in frame.get_columns():
        column = SILVER_BY_NAME.get(text.name)
        if column is None or text.dtype != pl.String or column.kind in ("string", "timestamptz"):
            continue
        kind = polars_type(column.kind)
        number = text.cast(kind, strict=False) if column.kind in _NUMBERS else _booleans(text)
        if number.null_count() != text.null_count():
            if not strict and column.kind in ("int", "long"):
                number = number.fill_null(_whole(text, kind))
            wrong = number.is_null() & text.is_not_null()
            if strict and text.name not in lenient:
                ok = ok & ~wrong
            elif wrong.any():
                changed.append(where(wrong, text).alias(f"@{text.name}"))
        changed.append(number)
    return frame.with_columns([*changed, ok.alias(OK)])


def _whole(text: pl.Series, kind: pl.DataType) -> pl.Series:
    """``200.0`` is the number 200; ``200.5`` is not."""
    value = text.cast(pl.Float64, strict=False)
    return where((value == value.floor()).fill_null(value=False), value).cast(kind, strict=False)


def _booleans(text: pl.Series) -> pl.Series:
    return text.str.to_lowercase().replace_strict({"true": True, "false": False}, default=None, return_dtype=pl.Boolean)


def _constants(frame: pl.DataFrame, form: Format) -> list[pl.Series]:
    ok = frame[OK]
    values = {**form.constants, "log_type": form.log_type, "log_format": form.name}
    columns = []
    for name, value in values.items():
        column = constant(value, frame.height, name)
        column = column if ok.all() else where(ok, column)
        if name in frame.columns:
            column = frame[name].fill_null(column)
        columns.append(column)
    return columns


def _emptied(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows that do not match hold nothing."""
    ok = frame[OK]
    if ok.all():
        return frame
    return frame.with_columns(where(ok, column) for column in frame.get_columns() if column.name != OK)


def with_attributes(frame: pl.DataFrame) -> pl.DataFrame:
    """Gather the columns named ``@key`` into ``attributes``."""
    rest = [column for column in frame.get_columns() if column.name.startswith("@")]
    attributes = build([column.alias(column.name[1:]) for column in rest], frame.height)
    return frame.drop([column.name for column in rest]).with_columns(attributes)
