"""Telephone numbers, judged by the numbering plans that the library ``phonenumbers`` holds."""

from __future__ import annotations

import re
from urllib.parse import unquote

import polars as pl

_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "BR")
_FEWEST_DIGITS = 7
_SHORT_NATIONAL = 9
"""A national number without a separator's help has at least so many digits, the zero of the trunk not counted."""
# Numbers that Ofcom reserves for drama: plans call them invalid, documents and tests are full of them.
_DRAMA = re.compile(r"(?:\+44|0044|0)(?:1632960|7700900|8081570)[0-9]{3}")


def phone_number(candidates: pl.Series) -> pl.Series:
    """Valid in the plan of its country code, or without one in that of a region tried (ITU-T E.164)."""
    return pl.Series([_is_valid(value) for value in candidates], dtype=pl.Boolean)


def _is_valid(candidate: str) -> bool:
    plain = unquote(unquote(candidate))
    digits = re.sub(r"[^0-9]", "", plain)
    if len(digits) < _FEWEST_DIGITS or len(set(digits)) == 1:
        return False
    compact = plain[:1].replace("(", "") + re.sub(r"\(0\)|[^0-9]", "", plain[1:])
    if _DRAMA.fullmatch(compact):
        return True
    if compact.startswith("+"):
        return _is_valid_in(compact, None)
    if compact.startswith("00"):
        return _is_valid_in(f"+{compact[2:]}", None)
    return len(digits.lstrip("0")) >= _SHORT_NATIONAL and any(_is_valid_in(compact, region) for region in _REGIONS)


def _is_valid_in(number: str, region: str | None) -> bool:
    import phonenumbers  # noqa: PLC0415 - heavy

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(number, region)))
    except phonenumbers.NumberParseException:
        return False
