"""Looks at URL-encoded text as a reader decodes it, and replaces what is found there in the text as it is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from logshed.redaction.treatments import Done

_KEPT = (0x20, 0x22, 0x5C)
"""These stay escapes: a blank would part what is one value in a query, a quote or backslash would end a JSON string."""
_CODES = [code for code in (0x09, 0x0A, 0x0D, *range(0x20, 0x7F)) if code not in _KEPT]
_ESCAPES = {f"%{form}": chr(code) for code in _CODES for form in {f"{code:02x}", f"{code:02X}"}}
_ESCAPE = re.compile("|".join(_ESCAPES))
_ENDS = {code: f"%{code:02X}" for code in (0x09, 0x0A, 0x0D)}
GUARDS = (r"%(?:0[9AaDd]|[2-6][0-9A-Fa-f]|7[0-9A-Ea-e])", r"%25[0-7][0-9A-Fa-f]", r"%2525[0-7][0-9A-Fa-f]")
"""By how often a text is decoded, what it holds where that may bring something to light."""


def decoded(text: pl.Series, times: int) -> pl.Series:
    """The texts decoded so many times: each time an escape becomes the character that it stands for."""
    for _ in range(times):
        text = text.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))
    return text


def written(text: str, times: int, redacted: str, done: Done) -> str:
    """A text with the spans replaced that were replaced in it decoded.

    Args:
        text: As it is written.
        times: How often it was decoded.
        redacted: The decoded text with spans replaced.
        done: Tells what stands in their place.

    Returns:
        ``redacted`` itself where its spans cannot be told: then the text is left decoded, but for ends of lines.
    """
    plain, places = text, [*range(len(text) + 1)]
    for _ in range(times):
        plain, own = _decoded(plain)
        places = [places[place] for place in own]
    spans = _spans(plain, redacted, done)
    if spans is None:
        return redacted.translate(_ENDS)
    pieces, begin = [], 0
    for start, end, meant in spans:
        pieces += [text[begin : places[start]], meant]
        begin = places[end]
    return "".join([*pieces, text[begin:]])


def _decoded(text: str) -> tuple[str, list[int]]:
    """A text decoded once, and where each of its characters, and its end, begins in the text."""
    pieces: list[str] = []
    places: list[int] = []
    begin = 0
    for escape in _ESCAPE.finditer(text):
        pieces += [text[begin : escape.start()], _ESCAPES[escape[0]]]
        places += range(begin, escape.start() + 1)
        begin = escape.end()
    return "".join([*pieces, text[begin:]]), [*places, *range(begin, len(text) + 1)]


def _spans(plain: str, redacted: str, done: Done) -> list[tuple[int, int, str]] | None:
    """What was replaced by what: between what is left, which stands in the plain text in the same order."""
    if not done.expression:
        return None
    spans: list[tuple[int, int, str]] = []
    place = begin = 0
    meant = ""
    tokens = [*re.finditer(rf'(?:\\*")?(?:{done.expression})(?:\\*")?', redacted)]  # quotes may be new too
    for token in [*tokens, None]:
        left = redacted[begin : token.start() if token else len(redacted)]
        found = plain.find(left, place) if token else len(plain) - len(left)
        if found < place or not plain.startswith(left, found) or (not begin and not meant and found):
            return None
        if meant:
            spans.append((place, found, meant))
        place = found + len(left)
        if token:
            meant, begin = token[0], token.end()
    return spans if place == len(plain) else None
