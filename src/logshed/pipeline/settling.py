"""Parses redacted records and looks whether their columns show what the text had hidden; such records are rewritten."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from logshed.redaction.engine import REWRITTEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.redaction.engine import Redactor
    from logshed.redaction.tally import Tally

UNREDACTABLE = "[REDACTED]"
"""Stands for a whole record that could not be made safe."""


def settled(
    records: pl.DataFrame,
    parse: Callable[[pl.DataFrame], pl.DataFrame],
    redactor: Redactor,
    tally: Tally,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The records without what their columns show, and their parsed rows.

    Args:
        records: ``text`` (redacted) and ``redaction_count``, and what else ``parse`` needs.
        parse: Parses records to rows with ``row`` and ``item``.
        redactor: The policy.
        tally: Of these records; what is replaced here is added.
    """
    parsed = parse(records)
    for last in (False, True):
        leaks = redactor.leaks(records["text"], parsed)
        if not leaks.any():
            break
        rows = parsed.filter(leaks)["row"].unique().sort()
        leaking = pl.col("row").is_in(rows.implode())
        places = pl.int_range(rows.len(), dtype=pl.UInt32, eager=True)
        own = parsed.filter(leaking).with_columns(pl.col("row").replace_strict(rows, places))
        records = _nothing_of(records, rows, tally) if last else _rewritten(records, rows, own, redactor, tally)
        again = parse(records[rows]).with_columns(pl.col("row").replace_strict(places, rows))
        parsed = pl.concat([parsed.filter(~leaking), again], how="diagonal_relaxed")
        parsed = parsed.sort("row", "item", maintain_order=True)
    return records, parsed


def _rewritten(
    records: pl.DataFrame, rows: pl.Series, parsed: pl.DataFrame, redactor: Redactor, tally: Tally
) -> pl.DataFrame:
    """The records with those at ``rows`` made safe by the slow path."""
    before = records["text"].gather(rows)
    rewritten = redactor.rewrite(before, parsed)
    tally.add(rows, rewritten.tally)
    return _with(records, rows, _still_json(before, rewritten.text, redactor), rewritten.counts)


def _still_json(before: pl.Series, after: pl.Series, redactor: Redactor) -> pl.Series:
    """The texts with quotes around what stands in place of a bare number, where JSON would else be JSON no more."""
    opens = before.str.contains(r"^\s*[{\[]").fill_null(value=False).arg_true()
    if opens.is_empty():
        return after
    pairs = zip(before.gather(opens), after.gather(opens), strict=True)
    broken = opens.filter(pl.Series([_is_json(was) and not _is_json(now) for was, now in pairs], dtype=pl.Boolean))
    return after.scatter(broken, redactor.quoted(after.gather(broken))) if len(broken) else after


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _nothing_of(records: pl.DataFrame, rows: pl.Series, tally: Tally) -> pl.DataFrame:
    """The records with nothing left of those at ``rows``, which the slow path did not make safe."""
    safe = pl.Series([UNREDACTABLE], dtype=pl.String).new_from_index(0, rows.len())
    ones = pl.Series([1], dtype=pl.Int32).new_from_index(0, rows.len())
    tally.count(REWRITTEN, rows, ones)
    return _with(records, rows, safe, ones)


def _with(records: pl.DataFrame, rows: pl.Series, text: pl.Series, counts: pl.Series) -> pl.DataFrame:
    total = records["redaction_count"].gather(rows) + counts
    return records.with_columns(records["text"].scatter(rows, text), records["redaction_count"].scatter(rows, total))
