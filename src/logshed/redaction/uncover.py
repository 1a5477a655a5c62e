"""Spells out characters that a text hides in escapes, so that rules see what a reader's decoder would see."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    import polars as pl

# \u0020 to \u007f, however often the backslash was escaped itself; %XX of characters that need none (RFC 3986, 2.3).
_UNICODE = r"\\u00[2-7][0-9a-fA-F]"
_PERCENT = r"%(?:25)*(?:2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])"
GUARD = rf"{_UNICODE}|{_PERCENT}"
"""What every text with a hidden character matches."""


def uncover(text: pl.Series) -> pl.Series:
    r"""The same texts with ``\u0070`` and ``%70`` written as ``p``; JSON stays JSON and a URL the same URL."""
    for escape in _distinct(text, _UNICODE):
        text = _spell_unicode(text, escape[2:])
    for escape in _distinct(text, _PERCENT):
        text = text.str.replace_all(escape, unquote(f"%{escape[-2:]}"), literal=True)
    return text


def _distinct(text: pl.Series, expression: str) -> list[str]:
    found: list[str] = text.str.extract_all(expression).explode().drop_nulls().unique().sort().to_list()
    return sorted(found, key=len, reverse=True)


def _spell_unicode(text: pl.Series, digits: str) -> pl.Series:
    character = chr(int(digits, 16))
    if character in '"\\':  # one level down it takes twice the backslashes, and JSON must stay JSON
        plain = "$1\\$1" + ("\\" if character == "\\" else '"')
        return text.str.replace_all(rf"(\\*)\\u{digits}", plain)
    if not character.isprintable():
        return text
    return text.str.replace_all(rf"\\+u{digits}", character.replace("$", "$$"))
