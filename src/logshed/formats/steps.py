"""The steps after a format's own pattern: fields taken further apart, pairs found in them, parts replaced."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from logshed import byte_arrays
from logshed.formats import jsonlines
from logshed.formats.columns import nothing, where
from logshed.formats.model import target
from logshed.formats.pairs import spread
from logshed.formats.regex import OK, group_targets, match, with_sets

if TYPE_CHECKING:
    from logshed.formats.model import Format, Step


def take_steps(form: Format, frame: pl.DataFrame) -> pl.DataFrame:
    """Run the format's further patterns, each on one field."""
    for step in form.steps:
        source = target(step.source, form.groups)
        if source not in frame.columns or frame[source].null_count() == frame.height:
            frame = with_sets(frame, step.otherwise, frame[OK]) if step.otherwise else frame
        elif step.json:
            frame = _json(form, frame, source, step)
        elif step.byte_array:
            frame = frame.with_columns(byte_arrays.texts(frame[source]))
        elif step.replace:
            replaced = frame[source].str.replace_all(step.replace, step.replacement)
            frame = frame.with_columns(replaced.alias(source))
        elif step.pairs:
            frame = _pairs(frame, source, step, {**form.groups, **step.groups})
        else:
            frame = _take_apart(frame, source, step, {**form.groups, **step.groups})
    return frame


def _take_apart(frame: pl.DataFrame, source: str, step: Step, groups: dict[str, str]) -> pl.DataFrame:
    text = frame[source]
    given = target(step.unless, groups) if step.unless else ""
    if given in frame.columns:
        text = where(frame[given].is_null(), text)
    found = match(text, step.pattern, group_targets(step.pattern, groups))
    matched = found[OK]
    if step.otherwise:
        frame = with_sets(frame, step.otherwise, frame[OK] & ~matched)
    if not matched.any():
        return frame
    columns = [found[name] for name in found.columns if name != OK]
    if step.consume and source not in found.columns:
        columns.append(nothing(frame.height, source))
    if step.sets:
        frame = with_sets(frame, step.sets, matched, over=True)
    frame = frame.with_columns(_over(column, matched, frame) for column in columns)
    return frame


_CUT_TAG = r"^\[[A-Z][A-Z0-9_]*$"
"""What a pattern that ends a value at a bracket leaves of a tag that redaction put there, such as [PASSWORD]."""


def _over(column: pl.Series, matched: pl.Series, frame: pl.DataFrame) -> pl.Series:
    """What was found, where the pattern matched, over what the frame holds."""
    return column.zip_with(matched, frame[column.name]) if column.name in frame.columns else column


def _pairs(frame: pl.DataFrame, source: str, step: Step, groups: dict[str, str]) -> pl.DataFrame:
    text = frame[source]
    lists = text.str.extract_all(step.pairs)
    rows = (lists.list.len() > 0).fill_null(value=False).arg_true()
    if rows.is_empty():
        return frame
    pairs = pl.DataFrame({"row": rows, "pair": lists.gather(rows)}).explode("pair")
    found = pairs["pair"].str.extract_groups(step.pairs).struct.unnest()
    values = [found[name] for name in found.columns if name.startswith("value")]
    value = values[0]
    for other in values[1:]:
        value = value.fill_null(other)
    value = value.str.replace(_CUT_TAG, "${0}]")
    columns: dict[str, pl.Series] = {}
    for key, column in spread(pairs["row"], found["key"], value, frame.height, join=step.join).items():
        name = target(groups[key], {}) if key in groups else f"@{step.prefix}{key}"
        columns[name] = columns[name].fill_null(column) if name in columns else column
    if step.consume and source not in columns:
        matched = pl.Series([False]).new_from_index(0, frame.height).scatter(rows, values=True)
        columns[source] = nothing(frame.height).zip_with(matched, text)
    frame = frame.with_columns(
        column.fill_null(frame[name]).alias(name) if name in frame.columns and name != source else column.alias(name)
        for name, column in columns.items()
    )
    if not step.sets:
        return frame
    matched = pl.Series([False]).new_from_index(0, frame.height).scatter(rows, values=True)
    return with_sets(frame, step.sets, matched, over=True)


def _json(form: Format, frame: pl.DataFrame, source: str, step: Step) -> pl.DataFrame:
    """Leaves of the JSON objects in a field: to their targets by path (``a.b`` or a pointer), else to attributes."""
    columns: dict[str, tuple[str, ...]] = {}
    for path, name in step.groups.items():
        pointer = path if path.startswith("/") else "/" + path.replace(".", "/")
        columns[target(name, {})] = (*columns.get(target(name, {}), ()), pointer)
    inner = replace(form, name=f"{form.name}#{source}", columns=columns, requires=(), pair_arrays=())
    found = jsonlines.extract(inner, frame[source])
    matched = found[OK]
    if not matched.any():
        return frame
    changed = {}
    for column in found.get_columns():
        name = column.name
        if name == OK:
            continue
        if name.startswith("@") and name not in columns:
            name = f"@{step.prefix}{name[1:]}"
        changed[name] = column.fill_null(frame[name]).alias(name) if name in frame.columns else column.alias(name)
    if step.consume and source not in changed:
        changed[source] = nothing(frame.height, source).zip_with(matched, frame[source])
    frame = frame.with_columns(list(changed.values()))
    return with_sets(frame, step.sets, matched, over=True) if step.sets else frame
