"""Fields between delimiters: CSV and its kin, W3C extended logs, Zeek's TSV; quotes where there are any."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import headers
from logshed.formats.columns import constant, nothing, where
from logshed.formats.model import Header, target
from logshed.formats.regex import OK, merged

if TYPE_CHECKING:
    from logshed.formats.model import Format


def extract(form: Format, text: pl.Series) -> pl.DataFrame:
    """Fields of each row as text, one column a target, and ``_ok``; as many rows as ``text``.

    A record may begin with header lines of its own: they say what its fields are, and a record of nothing else is
    taken with its text as body.
    """
    if not form.has_header:
        return _rows(form, text, form.fields, form.delimiter, {})
    own, lines = headers.split_own(form, text)
    bound = form.header or (Header("", form.fields, form.delimiter) if form.fields else None)
    if own is None:
        return _rows_of(form, lines, bound)
    plain = own.is_null()
    frame = _rows_of(form, where(plain, lines), bound)
    for header_text in own.unique().drop_nulls().to_list():
        rows = (own == header_text).fill_null(value=False).arg_true()
        own_header = headers.read(form, header_text)
        part = _rows_of(form, lines.gather(rows), own_header or bound)
        known = own_header is not None or form.header is not None
        empty = (lines.gather(rows) == "") & known
        alone = pl.DataFrame([where(empty, own.gather(rows)).alias("body"), empty.alias(OK)])
        frame = merged(frame, part, rows)
        frame = merged(frame, alone, rows)
    return frame


def _rows_of(form: Format, lines: pl.Series, header: Header | None) -> pl.DataFrame:
    if header is None:
        return pl.DataFrame({OK: pl.Series([False]).new_from_index(0, lines.len())})
    return _rows(form, lines, header.fields, header.delimiter, header.facts)


def _rows(form: Format, lines: pl.Series, fields: tuple[str, ...], delimiter: str, facts: object) -> pl.DataFrame:
    if not delimiter:
        tabs = lines.str.contains("\t", literal=True).fill_null(value=False)
        if tabs.all() or not tabs.any():
            return _rows(form, lines, fields, "\t" if tabs.all() and lines.len() else " ", facts)
        rows = tabs.arg_true()
        frame = _rows(form, where(~tabs, lines), fields, " ", facts)
        return merged(frame, _rows(form, lines.gather(rows), fields, "\t", facts), rows)
    values, ok = split(lines, len(fields), delimiter, form.quote, form.fewest or len(fields))
    known = dict(zip(fields, values, strict=False))
    for name in form.plus:
        if name in known:
            known[name] = known[name].str.replace_all("+", " ", literal=True)
    for name, value in (facts if isinstance(facts, dict) else {}).items():
        known[name] = where(ok, constant(value, lines.len(), name))
    return pl.DataFrame([*_named(form, known), (ok & _required(form, known, lines.len())).alias(OK)])


def _required(form: Format, known: dict[str, pl.Series], height: int) -> pl.Series:
    """Whether each row's fields are as demanded: ``name ~ pattern``, alternatives by ``|``."""
    ok = pl.Series(OK, [True]).new_from_index(0, height)
    for alternatives in form.requires:
        tests = [alternative.split(" ~ ", 1) for alternative in alternatives]
        if any(len(test) == 1 for test in tests):  # a name alone is asked of the header
            continue
        met = pl.Series(OK, [False]).new_from_index(0, height)
        for name, pattern in tests:
            if name in known:
                met = met | known[name].str.contains(pattern).fill_null(value=False)
        ok = ok & met
    return ok


def split(
    lines: pl.Series, count: int, delimiter: str, quote: str = '"', fewest: int = 0
) -> tuple[list[pl.Series], pl.Series]:
    """The fields of each line, and whether it has ``fewest`` to ``count`` of them.

    Quoted fields may hold the delimiter, line feeds, and the quote written twice.
    """
    fewest = fewest or count
    quoted = lines.str.contains(quote, literal=True) if quote else None
    plain = lines if quoted is None or not quoted.any() else where(~quoted, lines)
    values = plain.str.split_exact(delimiter, count).struct.unnest().get_columns()
    ok = values[fewest - 1].is_not_null() & values[count].is_null()
    values = values[:count]
    if quoted is None or not quoted.any():
        return values, ok
    rows = quoted.fill_null(value=False).arg_true()
    found, fits = _quoted(lines.gather(rows), count, delimiter, quote, fewest)
    values = [value.scatter(rows, more) for value, more in zip(values, found, strict=True)]
    return values, ok.scatter(rows, fits)


def _quoted(lines: pl.Series, count: int, delimiter: str, quote: str, fewest: int) -> tuple[list[pl.Series], pl.Series]:
    mark, part = re.escape(quote), re.escape(delimiter)
    one = f"({mark}(?:[^{mark}]|{mark}{mark})*{mark}|[^{part}{mark}][^{part}]*|)"
    needed = part.join([one] * fewest)
    more = f"(?:{part}{one}" * (count - fewest) + ")?" * (count - fewest)
    found = lines.str.extract_groups(f"(?s)^{needed}{more}$").struct.unnest().get_columns()
    fits = found[0].is_not_null()
    return [_unquoted(value, quote) for value in found], fits


def _unquoted(value: pl.Series, quote: str) -> pl.Series:
    marked = value.str.starts_with(quote).fill_null(value=False)
    if not marked.any():
        return value
    inner = value.str.slice(1).str.strip_suffix(quote).str.replace_all(quote + quote, quote, literal=True)
    return inner.zip_with(marked, value)


def _named(form: Format, known: dict[str, pl.Series]) -> list[pl.Series]:
    """Columns by the format's lists of field names (``date time`` joins two), all other fields as attributes."""
    height = next(iter(known.values())).len() if known else 0
    lowered = {name.lower(): name for name in known}
    named: dict[str, pl.Series] = {}
    used: set[str] = set()
    columns = dict(form.columns)
    if {"date", "time"} <= lowered.keys() and "timestamp" not in form.groups.values():
        columns.setdefault("timestamp", ("date time",))
    for column, paths in columns.items():
        for path in paths:
            parts = [path] if path.lower() in lowered else path.split(" ")
            if all(part.lower() in lowered for part in parts):
                names = [lowered[part.lower()] for part in parts]
                named[column] = _filled(named.get(column), _joined(known, names), form).alias(column)
                used.update(names)
    for name, value in known.items():
        if name not in used and name:
            column = target(name, form.groups)
            if column in named:
                column = f"@{name}"
            named[column] = value.alias(column)
    return list(named.values()) or [nothing(height, "body")]


def _joined(known: dict[str, pl.Series], names: list[str]) -> pl.Series:
    joined = known[names[0]]
    for name in names[1:]:
        joined = joined + " " + known[name]
    return joined


def _filled(first: pl.Series | None, then: pl.Series, form: Format) -> pl.Series:
    """The first, what comes then where it is empty."""
    if first is None:
        return then
    empty = first.is_null() | first.is_in([*form.nulls, ""])
    return first.zip_with(~empty, then)
