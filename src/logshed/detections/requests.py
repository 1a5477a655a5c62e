"""Requests as the program behind a web server understands them: decoded once, properly, for rules to match.

What attackers write in other ways is brought back: escapes of URLs (twice at most), ``+`` for a blank, UTF-8 in more
bytes than it needs, ``%uXXXX`` as IIS takes it, entities of HTML, letters of double width, comments inside SQL words.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

MADE: dict[str, tuple[str, ...]] = {
    "request": ("url_path", "url_query"),
    "request_path": ("url_path",),
    "request_query": ("url_query",),
    "referrer_decoded": ("http_referrer",),
}
"""Fields that are made here, and the columns of ``logs`` that they are made of, joined by a question mark."""

_ENCODED = r"%|\+|&[#a-zA-Z]|[^\x00-\x7f]|\\u|\\x|/\*"
"""Texts without any of these are what they seem to be."""
_LONGEST = 16_384
"""Characters of a request that are looked at."""
_OVERLONG = re.compile(rb"\xc0([\x80-\xbf])|\xc1([\x80-\xbf])|\xe0\x80([\x80-\xbf])|\xe0\x81([\x80-\xbf])")
_WIDE = re.compile(r"%u([0-9A-Fa-f]{4})|\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})")
_COMMENT = re.compile(r"/\*!?[0-9]{0,6}(.*?)\*/", re.DOTALL)


def with_made(frame: pl.DataFrame, names: set[str]) -> pl.DataFrame:
    """The frame with the ``f:`` and ``l:`` columns of made fields; each distinct text is decoded once.

    Args:
        frame: Rows with the columns of ``logs`` that the fields are made of (String).
        names: The fields, of ``MADE``.
    """
    for name in sorted(names):
        parts = [pl.col(column) for column in MADE[name]]
        text = parts[0] if len(parts) == 1 else pl.concat_str(parts, separator="?", ignore_nulls=True)
        texts = frame.select(text=text).to_series()
        raw = _decoded(texts.replace("", None) if len(parts) > 1 else texts)
        frame = frame.with_columns(raw.alias(f"f:{name}"), raw.str.to_lowercase().alias(f"l:{name}"))
    return frame


def _decoded(texts: pl.Series) -> pl.Series:
    """The texts decoded; most need nothing, so that only the distinct others are touched one by one."""
    odd = texts.str.contains(_ENCODED).fill_null(value=False)
    if not odd.any():
        return texts
    distinct = texts.filter(odd).unique()
    plain = pl.Series([decoded(text) for text in distinct], dtype=pl.String)
    return texts.replace(distinct, plain)


def decoded(text: str) -> str:
    """A request's text as a program would understand it at last."""
    text = text[:_LONGEST]
    for _ in range(2):
        before, text = text, _once(text)
        if text == before:
            break
    text = unicodedata.normalize("NFKC", _repeated(text, html.unescape))
    return _COMMENT.sub(lambda found: f" {found[1].strip()} " if found[1].strip() else " ", text)


def _once(text: str) -> str:
    text = _WIDE.sub(lambda found: chr(int(next(filter(None, found.groups())), 16)), text.replace("+", " "))
    if "%" not in text:
        return text
    raw = _OVERLONG.sub(_shortest, unquote_to_bytes(text))
    return raw.decode("utf-8", "surrogateescape").encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _shortest(found: re.Match[bytes]) -> bytes:
    """The one byte that an overlong form of UTF-8 stands for."""
    for place, above in enumerate((0x00, 0x40, 0x00, 0x40), 1):
        if found[place] is not None:
            return bytes([above | (found[place][0] & 0x3F)])
    return found[0]


def _repeated(text: str, decode: Callable[[str], str]) -> str:
    """HTML's entities may be written by entities."""
    for _ in range(2):
        if "&" not in text:
            break
        text = decode(text)
    return text
