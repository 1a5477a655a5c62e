"""Payment cards: issuer, length and check digit."""

from __future__ import annotations

import polars as pl

# First digits (as a range of equal length) and the lengths that the networks issue; after the networks' public tables
# of issuer identification numbers (ISO/IEC 7812).
_ISSUERS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (4, 4, (13, 16, 19)),  # Visa
    (51, 55, (16,)),  # Mastercard
    (2221, 2720, (16,)),  # Mastercard
    (34, 34, (15,)),  # American Express
    (37, 37, (15,)),  # American Express
    (300, 305, (14, 16, 17, 18, 19)),  # Diners Club
    (3095, 3095, (14, 16, 17, 18, 19)),  # Diners Club
    (36, 36, (14, 15, 16, 17, 18, 19)),  # Diners Club
    (38, 39, (14, 16, 17, 18, 19)),  # Diners Club
    (6011, 6011, (16, 17, 18, 19)),  # Discover
    (644, 659, (16, 17, 18, 19)),  # Discover, RuPay
    (3528, 3589, (16, 17, 18, 19)),  # JCB
    (62, 62, (16, 17, 18, 19)),  # UnionPay
    (81, 82, (16, 17, 18, 19)),  # UnionPay, RuPay
    (2200, 2204, (16, 17, 18, 19)),  # Mir
    (5018, 5018, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (5020, 5020, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (5038, 5038, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (5893, 5893, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (6304, 6304, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (6759, 6759, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (6761, 6763, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (5019, 5019, (16,)),  # Dankort
    (508, 508, (16,)),  # RuPay
    (60, 60, (16,)),  # RuPay
    (9792, 9792, (16,)),  # Troy
)
_MOST_DIGITS = 19


def payment_card(candidates: pl.Series) -> pl.Series:
    """Issuer range, length and Luhn's check digit (ISO/IEC 7812-1, annex B); separators do not count."""
    digits = candidates.str.replace_all(r"%20|[^0-9]", "")
    frame = pl.DataFrame({"digits": digits})
    return frame.select(ok=_issued(pl.col("digits")) & _luhn(pl.col("digits")))["ok"]


def _issued(digits: pl.Expr) -> pl.Expr:
    issued = pl.lit(value=False)
    length = digits.str.len_bytes()
    for first, last, lengths in _ISSUERS:
        head = digits.str.head(len(str(first))).cast(pl.Int32, strict=False)
        issued |= head.is_between(first, last) & length.is_in(lengths)
    return issued.fill_null(value=False)


def _luhn(digits: pl.Expr) -> pl.Expr:
    padded = digits.str.zfill(_MOST_DIGITS)
    total = pl.lit(0)
    for place in range(_MOST_DIGITS):
        digit = padded.str.slice(_MOST_DIGITS - 1 - place, 1).cast(pl.Int32, strict=False)
        total += digit if place % 2 == 0 else digit * 2 - pl.when(digit > 4).then(9).otherwise(0)  # noqa: PLR2004 - the doubled digit's sum of digits
    return (total % 10 == 0).fill_null(value=False)
