"""One JSON text that holds several records: ``{"Records":[…]}``, a JSON array, a document over many lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import jsonlines
from logshed.formats.columns import nothing
from logshed.formats.documents import Documents, NotJsonError
from logshed.formats.regex import OK, merged

if TYPE_CHECKING:
    from logshed.formats.model import Format

ITSELF = "."
"""The path of an object over several lines that is a record itself."""
_LISTS = pl.List(pl.String())


def extract(form: Format, text: pl.Series) -> pl.DataFrame:
    """What stands beside the records, as text, one column a target, and ``_ok``; as many rows as ``text``."""
    return unfold(form, text)[0]


def unfold(form: Format, text: pl.Series) -> tuple[pl.DataFrame, pl.Series]:
    """What stands beside the records, and a list of the records' own texts for each row."""
    frame = pl.DataFrame({OK: pl.Series([False]).new_from_index(0, text.len())})
    lists = pl.Series("payload", [None], dtype=_LISTS).new_from_index(0, text.len())
    left = text.str.contains(r"^\s*[\[{]").fill_null(value=False)
    for path in form.items:
        if path == ITSELF:
            hinted = left & text.str.contains("\n", literal=True) & text.str.contains(r"^\s*\{")
        elif path:
            hinted = left & text.str.contains(f'"{path.split("/")[-1]}"', literal=True)
        else:
            hinted = left & text.str.contains(r"^\s*\[")
        rows = hinted.fill_null(value=False).arg_true()
        if rows.is_empty():
            continue
        fields, found = _taken(form, text.gather(rows), path)
        if not fields[OK].any():
            continue
        taken = rows.filter(fields[OK])
        lists = _put(lists, taken, found.filter(fields[OK]))
        frame = merged(frame, fields, rows)
        left = left.clone().scatter(taken, values=False)
    return frame, lists


def _put(lists: pl.Series, rows: pl.Series, values: pl.Series) -> pl.Series:
    """The lists with some rows' put in."""
    index = nothing(lists.len(), "", pl.UInt32()).scatter(rows, pl.int_range(rows.len(), dtype=pl.UInt32, eager=True))
    return values.gather(index).zip_with(index.is_not_null(), lists)


def _taken(form: Format, text: pl.Series, path: str) -> tuple[pl.DataFrame, pl.Series]:
    with Documents(text) as documents:
        valid = documents.valid()
    sound = text.filter(valid)
    none = pl.DataFrame({OK: pl.Series([False]).new_from_index(0, text.len())})
    if path == ITSELF:
        return pl.DataFrame({OK: valid}), text.to_frame("t").select(pl.concat_list("t").alias("payload")).to_series()
    if sound.is_empty():
        return none, pl.Series([None], dtype=_LISTS).new_from_index(0, text.len())
    with Documents(sound) as documents:
        lists, bare = documents.items(path, _without(path))
    filled = (lists.list.len() > 0).fill_null(value=False)
    if path:
        try:
            fields = jsonlines.extract(form, bare)
        except NotJsonError:
            fields = none
        fields = fields.with_columns((fields[OK] & filled).alias(OK))
    else:
        fields = pl.DataFrame({OK: filled})
    rows = valid.arg_true()
    whole = pl.Series([None], dtype=_LISTS).new_from_index(0, text.len())
    return merged(none, fields, rows), _put(whole, rows, lists)


def _without(path: str) -> str:
    """A merge patch that takes the list out."""
    patch: object = None
    for key in reversed(path.split("/")[1:]):
        patch = {key.replace("~1", "/").replace("~0", "~"): patch}
    return json.dumps(patch)
