"""Keys and tokens that services give out: their check sums and what tells random text from words."""

from __future__ import annotations

import base64
import math
import re
import zlib
from collections import Counter
from itertools import pairwise

import polars as pl

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SUM_LENGTH, _BODY_LENGTH = 6, 36
_CHECKSUMMED = re.compile(r"(?:gh[pousr]|npm)_([A-Za-z0-9]+)")
_DISCORD_ID = re.compile(r"[0-9]{17,20}")
_NAMED = re.compile(
    r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|v?(?:[a-z]+|[0-9]+)(?:[\-_./]v?(?:[a-z]+|[0-9]+)){2,}"
)
_KINDS = (re.compile("[a-z]"), re.compile("[A-Z]"), re.compile("[0-9]"), re.compile(r"[!@#$%^&*?+~]"))
_CAPITAL = re.compile(r"[A-Z](?=[a-z])")
_SEPARATOR = re.compile(r"[\-_./]")
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_SHORTEST, _BITS, _HEX_BITS, _CHANGES = 20, 3.5, 3.0, 0.15


def crc32_token(candidates: pl.Series) -> pl.Series:
    """Six base 62 digits of a CRC-32 end a body of 36 characters; other lengths are newer kinds and pass.

    GitHub's "Behind GitHub's new authentication token formats" (2021); npm took the same form.
    """
    return candidates.map_elements(_crc_holds, return_dtype=pl.Boolean)


def discord_token(candidates: pl.Series) -> pl.Series:
    """The first part decodes to the bot's id, a number of 17 to 20 digits (Discord's reference, authentication)."""
    padded = candidates.str.extract(r"^([^.]*)", 1).map_elements(_as_digits, return_dtype=pl.String)
    return padded.str.contains(f"^{_DISCORD_ID.pattern}$").fill_null(value=False)


def mixed_token(candidates: pl.Series) -> pl.Series:
    """After a prefix of one letter or of a common word there are small letters, capitals and digits, as in no name."""
    kinds = [candidates.str.contains(rf"^(?:hv|ntn_)|^[a-z]+[._].*{kind.pattern}") for kind in _KINDS[:3]]
    return pl.DataFrame(kinds, schema=["small", "capital", "digit"]).min_horizontal()


def spoken_password(candidates: pl.Series) -> pl.Series:
    """Three of four kinds of characters: small, capital, digit, sign; a word of prose has not."""
    frame = pl.DataFrame({kind.pattern: candidates.str.contains(kind.pattern) for kind in _KINDS})
    return frame.sum_horizontal() >= 3  # noqa: PLR2004 - three of the four kinds


def high_entropy(candidates: pl.Series) -> pl.Series:
    """At least 20 characters of at least 3.5 bits each (Shannon, over the value's own characters) that are no words.

    Hexadecimal digits hold at most 4 bits each, a short number of them less by chance: 3 are enough.

    A UUID is none, and neither is a name such as ``AuthKeyProvider2``: small letters, capitals and digits must take
    turns at every seventh character or more often, the capital at a word's head not counted.
    """
    return candidates.map_elements(_is_random, return_dtype=pl.Boolean)


def _crc_holds(token: str) -> bool:
    match = _CHECKSUMMED.fullmatch(token)
    if match is None or len(match[1]) != _BODY_LENGTH:
        return True
    body, digits = match[1][:-_SUM_LENGTH], match[1][-_SUM_LENGTH:]
    number = 0
    for digit in digits:
        number = number * len(_BASE62) + _BASE62.index(digit)
    return number == zlib.crc32(body.encode())


def _as_digits(head: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)).decode("ascii")
    except ValueError:
        return None


def _is_random(value: str) -> bool:
    if len(value) < _SHORTEST or _NAMED.fullmatch(value):
        return False
    counts = Counter(value).values()
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    enough = _HEX_BITS if _HEX.fullmatch(value) else _BITS
    return any(sign.isdigit() for sign in value) and bits >= enough and _takes_turns(value)


def _takes_turns(value: str) -> bool:
    word = _CAPITAL.sub("a", _SEPARATOR.sub("", value))
    return sum(_kind(before) != _kind(after) for before, after in pairwise(word)) >= _CHANGES * len(word)


def _kind(sign: str) -> int:
    return next((place for place, kind in enumerate(_KINDS) if kind.match(sign)), len(_KINDS))
