"""Requests as the program behind a web server understands them: decoded once, properly, for rules to match.

What attackers write in other ways is brought back: escapes of URLs (three times at most), ``+`` for a blank, UTF-8 in
more bytes than it needs, ``%uXXXX`` as IIS takes it, entities of HTML, letters of double width, slashes of other
scripts, control characters and many blanks for one, comments inside SQL words.
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
_OVERLONG = re.compile(
    rb"(?:\xc0|\xe0\x80|\xf0\x80\x80|\xf8\x80\x80\x80|\xfc\x80\x80\x80\x80)([\x80-\xbf])"
    rb"|(?:\xc1|\xe0\x81|\xf0\x80\x81|\xf8\x80\x80\x81|\xfc\x80\x80\x80\x81)([\x80-\xbf])"
    rb"|\xc0([\x20-\x7f])|\xc1([\x00-\x3f])"
)
"""Also the lead bytes before a byte that continues nothing, which some servers take by its low bits."""
_WIDE = re.compile(r"%u([0-9A-Fa-f]{4})|\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})")
_COMMENT = re.compile(r"/\*(?:[\w\s.,-]{0,32}|!?[0-9]{0,6}(.*?))\*/", re.DOTALL)
"""Of a comment that holds words only nothing is left; others are kept, since MySQL runs what stands in ``/*!…*/``."""
_MANY = re.compile(r" {2,}")
_BLANKS = dict.fromkeys([*range(1, 10), 0x0B, 0x0C, *range(0x0E, 0x20)], " ")
"""Databases take these for blanks; the end of a line and NUL are left, since shells and C take them for more."""
_SLASHES = {0x2044: "/", 0x2215: "/", 0x29F8: "/", 0x2216: "\\", 0x29F5: "\\", 0x29F9: "\\"}
_ALIKE = _BLANKS | _SLASHES


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
    for _ in range(3):
        before, text = text, _once(text)
        if text == before:
            break
    text = unicodedata.normalize("NFKC", _repeated(text, html.unescape)).translate(_ALIKE)
    if "/*" in text:
        text = _COMMENT.sub(lambda found: f" {found[1] or ''} ", text)
    return _MANY.sub(" ", text)


def _once(text: str) -> str:
    text = _WIDE.sub(lambda found: chr(int(next(filter(None, found.groups())), 16)), text.replace("+", " "))
    if "%" not in text:
        return text
    raw = _OVERLONG.sub(_shortest, unquote_to_bytes(text))
    return raw.decode("utf-8", "surrogateescape").encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _shortest(found: re.Match[bytes]) -> bytes:
    """The one byte that an overlong form of UTF-8 stands for."""
    for place, (above, below) in enumerate(((0x00, 0x3F), (0x40, 0x3F), (0x00, 0x7F), (0x40, 0x3F)), 1):
        if found[place] is not None:
            return bytes([above | (found[place][0] & below)])
    return found[0]


def _repeated(text: str, decode: Callable[[str], str]) -> str:
    """HTML's entities may be written by entities."""
    for _ in range(2):
        if "&" not in text:
            break
        text = decode(text)
    return text
