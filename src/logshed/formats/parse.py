"""Parsing: records as raw text in, columns of silver.logs out; total, by columns, one candidate after another."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import registry
from logshed.formats.columns import where
from logshed.formats.envelopes import unwrap_records
from logshed.formats.headers import split_own
from logshed.formats.items import unfold
from logshed.formats.kinds import extract
from logshed.formats.literals import needed
from logshed.formats.normalise import Context, finish, with_attributes
from logshed.formats.regex import OK, merged
from logshed.formats.steps import take_steps
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
_QUARTER, _NEAR = 900_000_000, 60_000_000
"""Microseconds: zones differ by quarters of an hour, and an envelope is written within a minute of its message."""


def parse(
    text: pl.Series,
    choice: Choice,
    *,
    observed: datetime,
    timezone: str | None = None,
    formats: Mapping[str, Format] | None = None,
    alone: bool = False,
) -> pl.DataFrame:
    """Parse records.

    Args:
        text: Raw records, envelopes included, the physical lines of one joined by line feeds.
        choice: The formats, as detected or pinned.
        observed: When the lines were read, with a zone.
        timezone: The IANA zone of times that name none; None is UTC, marked ``inferred_zone``.
        formats: The formats by name, the registry's by default.
        alone: Read each record as if there were no other: none tells in which order the dates of others are.

    Returns:
        ``row`` (index into ``text``), ``item``, the columns of silver.logs that the formats fill, ``attributes``,
        ``log_format``, ``log_type``, ``timestamp`` and ``timestamp_source`` (null where there is none),
        ``parse_error``; ordered by row and item. Never raises for what the text holds.

    Raises:
        FormatError: The choice names a format that there is not.
    """
    table = registry.load() if formats is None else formats
    choice = registry.check(choice, table)
    context = Context(observed, timezone, alone)
    frame, origins = _layer(without_colours(text), choice.envelopes, choice.formats, table, context)
    frame = with_attributes(_each_alone(frame) if alone else frame)
    if origins is None:
        rows = pl.int_range(frame.height, dtype=pl.UInt32, eager=True).alias(_ROW)
        items = pl.Series(_ITEM, [0], dtype=pl.Int32).new_from_index(0, frame.height)
    else:
        text, rows = text.gather(origins), origins.alias(_ROW)
        items = pl.DataFrame({_ROW: rows}).select(pl.int_range(pl.len(), dtype=pl.Int32).over(_ROW).alias(_ITEM))[_ITEM]
    errors = _errors(text, frame[OK], choice)
    frame = _with_times(frame).drop(OK)
    return frame.select(rows, items, pl.all(), errors)


def _each_alone(frame: pl.DataFrame) -> pl.DataFrame:
    """The fields as each row alone would have them: in the order of their names, and no empty object.

    An object that is empty in a row has no field where other rows fill it, and would be one where none does.
    """
    names = sorted(frame.columns)
    return frame.select(where(frame[name] != "{}", frame[name]) if name.startswith("@") else name for name in names)


def without_colours(text: pl.Series) -> pl.Series:
    """The text without terminal colour codes; untouched where it has none."""
    if not text.str.contains("\x1b", literal=True).any():
        return text
    return text.str.replace_all(_COLOURS, "")


def _layer(
    text: pl.Series, envelopes: tuple[str, ...], names: tuple[str, ...], table: Mapping[str, Format], context: Context
) -> tuple[pl.DataFrame, pl.Series | None]:
    """The records in some texts, and the row that each is from (None where each row is one record)."""
    if not envelopes:
        return _candidates(text, names, table, context), None
    form = registry.find(envelopes[0], table)
    if form.items:
        outer, payload, rows = _unfolded(text, form, context)
    else:
        fields, payload = unwrap_records(text, form)
        outer, rows = finish(fields, form, context), None
    by_program = None if form.items else program_records(payload, outer, table, context)
    rest = payload if by_program is None else where(~by_program[OK], payload)
    if "service_name" in outer.columns and not form.items and len(envelopes) == 1:
        names = tuple(name for name in names if not registry.find(name, table).programs)
    inner, inner_rows = _layer(rest, envelopes[1:], names, table, context)
    if inner_rows is not None:
        outer, payload = outer[inner_rows], payload.gather(inner_rows)
        rows = inner_rows if rows is None else rows.gather(inner_rows)
        by_program = None if by_program is None else by_program[inner_rows]
    if by_program is not None:
        inner = merged(inner, by_program, pl.int_range(inner.height, dtype=pl.UInt32, eager=True))
    if not inner[OK].all():
        plain = pl.DataFrame({"body": payload, OK: outer[OK]})
        bare = finish(plain, form, context)
        left = (~inner[OK]).arg_true()
        inner = merged(inner, bare[left], left)
    return _inside(inner, outer), rows


def _unfolded(text: pl.Series, form: Format, context: Context) -> tuple[pl.DataFrame, pl.Series, pl.Series]:
    """What stands beside the records in each text, the records' texts (a text that holds none is one), their rows."""
    fields, lists = unfold(form, text)
    fields = take_steps(form, fields)
    whole = pl.DataFrame({"row": pl.int_range(text.len(), dtype=pl.UInt32, eager=True), "item": lists, "text": text})
    items = whole.explode("item")
    outer = finish(fields, form, context)[items["row"]]
    return outer, items["item"].fill_null(items["text"]), items["row"]


def program_records(
    payload: pl.Series, outer: pl.DataFrame, table: Mapping[str, Format], context: Context
) -> pl.DataFrame | None:
    """What the formats of certain programs take of the messages of these; None where there are none.

    A message that names no program goes to the formats whose ``programs`` matches the empty text.
    """
    if "service_name" not in outer.columns:
        return None
    services = outer["service_name"].fill_null("")
    distinct = services.unique().to_list()
    order = tuple(sorted((form for form in table.values() if form.programs), key=lambda one: -one.specificity))
    patterns = tuple(form.programs for form in order)
    wrote = {service: _matching(service, patterns) for service in distinct}
    frame: pl.DataFrame | None = None
    for index in sorted(set().union(*wrote.values())):
        form = order[index]
        ours = pl.Series([service for service in distinct if index in wrote[service]], dtype=pl.String)
        wanted = services.is_in(ours.implode()) if len(ours) < len(distinct) else services.is_not_null()
        if frame is not None:
            wanted &= ~frame[OK]
        rows = wanted.arg_true()
        part = payload.gather(rows)
        if not _may_hold(form, part):
            continue
        found = finish(extract(form, part), form, context)
        if found[OK].any():
            none = pl.DataFrame({OK: pl.Series([False]).new_from_index(0, payload.len())})
            frame = merged(none if frame is None else frame, found, rows)
    return frame


@lru_cache(maxsize=4096)
def _matching(service: str, patterns: tuple[str, ...]) -> frozenset[int]:
    """Which of the patterns a program's name or the last part of its path matches."""
    last = service.rpartition("/")[2]
    return frozenset(
        index for index, pattern in enumerate(patterns) if re.search(pattern, service) or re.search(pattern, last)
    )


def _may_hold(form: Format, text: pl.Series) -> bool:
    """Whether any text holds what one of the patterns needs: a format may be of any program."""
    if form.kind not in ("regex", "grok"):
        return True
    wanted = [shape.literal or next(iter(needed(shape.pattern)), "") for shape in form.shapes]
    return any(not one or text.str.contains(one, literal=True).any() for one in wanted)


def _without_program(table: Mapping[str, Format]) -> tuple[str, ...]:
    """The formats that take messages that name no program, the most specific first."""
    found = [form for form in table.values() if form.programs and re.search(form.programs, "")]
    return tuple(form.name for form in sorted(found, key=lambda one: -one.specificity))


def _inside(inner: pl.DataFrame, outer: pl.DataFrame) -> pl.DataFrame:
    """The inner record's fields, its envelope's where it has none; the envelope's time where that alone is sure."""
    times: list[pl.Series] = []
    columns: list[pl.Series] = []
    sure = (outer["timestamp_source"] == EVENT).fill_null(value=False) if "timestamp_source" in outer.columns else None
    if sure is not None and "timestamp" in inner.columns:
        missing = inner["timestamp"].is_null() & outer["timestamp"].is_not_null()
        inner = _placed(inner, outer)
        vague = inner["timestamp_source"].is_in([INFERRED_YEAR, INFERRED_ZONE]).fill_null(value=False)
        times = [outer[name].zip_with(missing | (sure & vague), inner[name]) for name in _TIMES]
    for column in outer.get_columns():
        name = column.name
        if name in (OK, *_ALWAYS) or (times and name in _TIMES):
            continue
        if name not in inner.columns:
            columns.append(column)
        else:
            columns.append(inner[name].fill_null(column).alias(name))
    return inner.with_columns([*columns, *times])


def _placed(inner: pl.DataFrame, outer: pl.DataFrame) -> pl.DataFrame:
    """Times that lack only their zone and are finer than the envelope's, which tells it: quarters of an hour away."""
    if not (inner["timestamp_source"] == INFERRED_ZONE).any():
        return inner
    frame = pl.DataFrame([inner["timestamp"], inner["timestamp_source"], outer["timestamp"].alias("o")])
    apart = (pl.col("o") - pl.col("timestamp")).dt.total_microseconds()
    quarters = (apart / _QUARTER).round().cast(pl.Int64)
    moment = pl.col("timestamp") + pl.duration(microseconds=quarters * _QUARTER)
    near = (apart - quarters * _QUARTER).abs() <= _NEAR
    finer = (pl.col("o").dt.microsecond() == 0) & (pl.col("timestamp").dt.microsecond() != 0)
    told = near & finer & (pl.col("timestamp_source") == INFERRED_ZONE) & pl.lit(outer["timestamp_source"] == EVENT)
    return inner.with_columns(
        frame.select(
            pl.when(told).then(moment).otherwise("timestamp").alias("timestamp"),
            pl.when(told).then(pl.lit(EVENT)).otherwise("timestamp_source").alias("timestamp_source"),
        )
    )


def _candidates(text: pl.Series, names: tuple[str, ...], table: Mapping[str, Format], context: Context) -> pl.DataFrame:
    frame = pl.DataFrame({OK: pl.Series([False]).new_from_index(0, text.len())})
    left: pl.Series | None = None
    forms = [registry.find(name, table) for name in names]
    headed = next((form for form in forms if form.kind == "w3c"), None)
    # a document over several lines belongs to the format of those on one line beside it
    for form in sorted(forms, key=lambda one: bool(one.items)):
        part = text if left is None else text.gather(left)
        if headed is not None and not form.has_header:
            part = split_own(headed, part)[1]  # the header in force is not this format's
        if form.envelope is not None and "service_name" in form.envelope.stream:
            # programs have formats of their own
            found, _ = _layer(part, (form.spelling,), _without_program(table), table, context)
        else:
            found = finish(extract(form, part), form, context)
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
    name = (choice.formats or choice.envelopes or ("any known format",))[0].partition(":")[0]
    reasons = pl.DataFrame({"text": text.gather(rows)}).select(
        pl.when(pl.col("text").str.strip_chars() == "").then(pl.lit("empty line"))
        .when(pl.col("text").str.count_matches('"', literal=True) % 2 == 1).then(pl.lit(f"not {name}: unclosed quote"))
        .otherwise(pl.lit(f"not {name}"))
    ).to_series()  # fmt: skip
    return nothing.new_from_index(0, text.len()).scatter(rows, reasons)
