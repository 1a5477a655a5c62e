"""Reads durations and sizes in a column's text, in SQL: ``1m3.5s`` is 63.5, ``2KB`` is 2000."""

from __future__ import annotations

from logshed.logql.amounts import DURATIONS, SIZES
from logshed.search.sql import literal

_DURATION = r"\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns)"
_SIZE = r"(?i)(\d+(?:\.\d+)?)\s*([kmgtp]?i?b?)"


def once(value: str, name: str, inner: str) -> str:
    """An expression of a value that is computed once, under a name: long ones are not written out again and again."""
    return f"list_transform([{value}], lambda {name}: {inner})[1]"


def seconds(text: str) -> str:
    """The seconds that a text such as ``1m3.5s`` is; NULL where it is none."""
    cases = " ".join(f"WHEN {literal(unit)} THEN {factor!r}" for unit, factor in DURATIONS.items())
    amount = "CAST(regexp_extract(part, '[0-9.]+') AS DOUBLE)"
    each = f"lambda part: {amount} * CASE regexp_extract(part, '[a-zµ]+') {cases} END"
    parts = f"list_sum(list_transform(regexp_extract_all(t, {literal(_DURATION)}), {each}))"
    return once(text, "t", f"CASE WHEN regexp_full_match(t, {literal(f'(?:{_DURATION})+')}) THEN {parts} END")


def size(text: str) -> str:
    """The bytes that a text such as ``20KB`` is; NULL where it is none. Without a unit they are bytes."""
    cases = " ".join(f"WHEN {literal(unit)} THEN {factor:.0f}" for unit, factor in SIZES.items())
    form = literal(_SIZE)
    unit = f"lower(regexp_extract(t, {form}, 2))"
    amount = f"TRY_CAST(regexp_extract(t, {form}, 1) AS DOUBLE)"
    return once(text, "t", f"CASE WHEN regexp_full_match(t, {form}) THEN {amount} * CASE {unit} {cases} ELSE 1 END END")
