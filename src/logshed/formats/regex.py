"""Text lines by regular expressions: named groups are the fields, the first pattern that matches a row wins.

Patterns run on Rust's regex engine. It is quickest on a pattern that never has to choose (each class excludes the
character after it), where it needs one pass: 300 MB/s instead of 100.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from logshed.formats.columns import constant, where
from logshed.formats.model import target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logshed.formats.model import Format


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as it is run: the targets of its groups in order, what else its rows get, what they must hold."""

    text: str
    targets: tuple[str, ...]
    sets: Mapping[str, str] = field(default_factory=dict)
    literal: str = ""


OK = "_ok"
"""The column of an extracted frame that says whether the row matched."""


def extract(form: Format, text: pl.Series) -> pl.DataFrame:
    """Fields of each row as text, one column a target, and ``_ok``; as many rows as ``text``."""
    return first_match(text, _targets(form))


@lru_cache(maxsize=256)
def _targets(form: Format) -> tuple[Pattern, ...]:
    return tuple(
        Pattern(shape.pattern, group_targets(shape.pattern, {**form.groups, **shape.groups}), shape.sets, shape.literal)
        for shape in form.shapes
    )


def group_targets(pattern: str, groups: object) -> tuple[str, ...]:
    """The targets of a pattern's groups in order; groups without a name are dropped later."""
    if "(" not in pattern:
        return ()
    struct = pl.Series([""], dtype=pl.String).str.extract_groups(pattern).struct
    mapping = groups if isinstance(groups, dict) else {}
    return tuple("" if name.isdigit() else target(name, mapping) for name in struct.fields)


def first_match(text: pl.Series, patterns: Sequence[Pattern]) -> pl.DataFrame:
    """Run the patterns in order, each on the rows that none before it took."""
    frame: pl.DataFrame | None = None
    left: pl.Series | None = None
    for pattern in patterns:
        rows = left
        if pattern.literal:
            hinted = (text if rows is None else text.gather(rows)).str.contains(pattern.literal, literal=True)
            hinted = hinted.fill_null(value=False).arg_true()
            rows = hinted if rows is None else rows.gather(hinted)
            if rows.is_empty():
                continue
        more = _shaped(text if rows is None else text.gather(rows), pattern)
        if rows is None:
            frame = more
        elif more[OK].any():
            frame = merged(_unmatched(text.len()) if frame is None else frame, more, rows)
        if frame is not None:
            left = (~frame[OK]).arg_true()
            if left.is_empty():
                break
    return _unmatched(text.len()) if frame is None else frame


def _unmatched(height: int) -> pl.DataFrame:
    return pl.DataFrame({OK: pl.Series([False]).new_from_index(0, height)})


def _shaped(text: pl.Series, pattern: Pattern) -> pl.DataFrame:
    frame = match(text, pattern.text, pattern.targets)
    return with_sets(frame, pattern.sets, frame[OK]) if pattern.sets else frame


def with_sets(frame: pl.DataFrame, sets: Mapping[str, str], matched: pl.Series, *, over: bool = False) -> pl.DataFrame:
    """Give targets their values in the rows that matched: where they have none, or ``over`` what they have."""
    columns = []
    for name, value in sets.items():
        column = where(matched, constant(value, frame.height, name))
        if name in frame.columns:
            column = column.fill_null(frame[name]) if over else frame[name].fill_null(column)
        columns.append(column.alias(name))
    return frame.with_columns(columns)


def match(text: pl.Series, pattern: str, targets: tuple[str, ...]) -> pl.DataFrame:
    """What the pattern's groups take of each row, by target, and whether it matched (``_ok``)."""
    if not targets:
        return pl.DataFrame({OK: text.str.contains(pattern).fill_null(value=False)})
    columns = text.str.extract_groups(pattern).struct.unnest().get_columns()
    matched = columns[0].is_not_null()
    for column in columns[1:]:  # a group that takes no part is null although the row matches
        if matched.all():
            break
        matched = matched | column.is_not_null()
    named: dict[str, pl.Series] = {}
    for name, column in zip(targets, columns, strict=True):
        if name in named:
            named[name] = named[name].zip_with(named[name].is_not_null(), column)
        elif name:
            named[name] = column
    return pl.DataFrame([column.alias(name) for name, column in named.items()] + [matched.alias(OK)])


def merged(frame: pl.DataFrame, more: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    """``frame`` with the rows of ``more`` that matched put in at ``rows``."""
    both = pl.concat([frame, more], how="diagonal")
    taken = more[OK].to_numpy()
    index = np.arange(frame.height, dtype=np.uint32)
    index[rows.to_numpy()[taken]] = frame.height + np.flatnonzero(taken)
    return both[index]
