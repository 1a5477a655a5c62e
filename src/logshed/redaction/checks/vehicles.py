"""Numbers of vehicles: their check digit."""

from __future__ import annotations

import re

import polars as pl

# 49 CFR 565.15, tables III and IV: what letters count, and what the places weigh; the check digit's own weighs nothing.
_LETTERS = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", (1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)
)
_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_CHECK_PLACE, _MODULUS = 8, 11
_SERIAL = re.compile(r"[A-HJ-NPR-Z0-9]{12}[0-9]{5}")
_FEWEST_LETTERS = 3


def vin(candidates: pl.Series) -> pl.Series:
    """17 signs with the check digit of 49 CFR 565.15, at least three letters and a serial number."""
    return pl.Series([_is_vin(value) for value in candidates], dtype=pl.Boolean)


def _is_vin(candidate: str) -> bool:
    letters = {sign for sign in candidate if sign.isalpha()}
    if _SERIAL.fullmatch(candidate) is None or len(letters) < _FEWEST_LETTERS:
        return False
    values = (int(sign) if sign.isdigit() else _LETTERS[sign] for sign in candidate)
    rest = sum(value * weight for value, weight in zip(values, _WEIGHTS, strict=True)) % _MODULUS
    return candidate[_CHECK_PLACE] == ("X" if rest == _MODULUS - 1 else str(rest))
