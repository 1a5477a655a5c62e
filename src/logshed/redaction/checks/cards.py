"""Payment cards: issuer, length and check digit."""

from __future__ import annotations

import numpy as np
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
    (50, 50, (16,)),  # Maestro, Dankort, Elo, RuPay, Verve
    (56, 58, (16,)),  # Maestro
    (67, 67, (16,)),  # Maestro
    (636, 639, (16, 17, 18, 19)),  # Maestro, Elo, InterPayment
    (60, 60, (16,)),  # RuPay
    (9792, 9792, (16,)),  # Troy
)
_MOST_DIGITS = 19


def payment_card(candidates: pl.Series) -> pl.Series:
    """Issuer range, length and Luhn's check digit (ISO/IEC 7812-1, annex B); separators do not count."""
    digits = candidates.str.replace_all(r"%20|[^0-9]", "")
    length = digits.str.len_bytes().fill_null(0).clip(upper_bound=_MOST_DIGITS + 1).to_numpy()
    number = digits.cast(pl.UInt64, strict=False).fill_null(0).to_numpy()
    head = number // _POWERS[np.clip(length, _HEAD, _MOST_DIGITS) - _HEAD] % _POWERS[_HEAD]
    issued = (_LENGTHS[head] >> length) & 1 == 1
    return pl.Series(candidates.name, issued & _luhn(number), dtype=pl.Boolean)


def track_data(candidates: pl.Series) -> pl.Series:
    """The number at the head of a magnetic stripe's track (ISO/IEC 7813) is one of a card."""
    head = candidates.str.replace("^%(?:25)*3[Bb]", "").str.extract("^[^0-9]?[Bb]?([0-9]{12,19})", 1)
    return payment_card(head.fill_null(""))


def _luhn(number: np.ndarray) -> np.ndarray:
    total = np.zeros_like(number)
    for place in range(_MOST_DIGITS):
        digit = number // _POWERS[place] % 10
        total += _DOUBLED[digit] if place % 2 else digit
    return np.asarray(total % 10 == 0)


def _lengths_by_head() -> np.ndarray:
    """For each four digits at the beginning, the lengths that are issued: bit n stands for n digits."""
    lengths = np.zeros(10**_HEAD, dtype=np.uint32)
    for first, last, issued in _ISSUERS:
        width = 10 ** (_HEAD - len(str(first)))
        lengths[first * width : (last + 1) * width] |= np.uint32(sum(1 << length for length in issued))
    return lengths


_HEAD = 4
"""Digits of the longest issuer range."""
_POWERS = np.array([10**place for place in range(_MOST_DIGITS)], dtype=np.uint64)
_DOUBLED = np.array([sum(map(int, str(2 * digit))) for digit in range(10)], dtype=np.uint64)
_LENGTHS = _lengths_by_head()
