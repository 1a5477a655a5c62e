"""Looks at URL-encoded text as a reader decodes it, and replaces what is found there in the text as it is written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from logshed.redaction.treatments import Done

_HEX = r"(?:0[9AaDd]|[2-6][0-9A-Fa-f]|7[0-9A-Ea-e])"
GUARD = rf"%(?:25)*{_HEX}"
"""An escape of a printable ASCII character, a tab or a line's end, however often its percent sign was escaped."""
_ESCAPE = re.compile(rf"%(?:25)*({_HEX})")
_CODES = [0x09, 0x0A, 0x0D, *range(0x20, 0x7F)]
_ESCAPES = {f"%{form}": chr(code) for code in _CODES for form in {f"{code:02x}", f"{code:02X}"}}


def decoded(text: pl.Series) -> pl.Series:
    """The texts with every such escape as the character that it stands for."""
    once = text.str.replace_all(rf"%(?:25)+({_HEX})", "%$1")
    return once.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))


def written(text: str, plain: str, redacted: str, done: Done) -> str:
    """A text with the spans replaced that were replaced in it decoded.

    Args:
        text: As it is written.
        plain: The same decoded.
        redacted: ``plain`` with spans replaced.
        done: Tells what stands in their place.

    Returns:
        ``redacted`` itself where its spans cannot be told: then the text is left decoded.
    """
    spans = _spans(plain, redacted, done)
    if spans is None:
        return redacted
    places = _places(text)
    if len(places) != len(plain) + 1:  # other escapes came to light when these were decoded
        return redacted
    pieces, begin = [], 0
    for start, end, meant in spans:
        pieces += [text[begin : places[start]], meant]
        begin = places[end]
    return "".join([*pieces, text[begin:]])


def _places(text: str) -> list[int]:
    """For each character of the decoded text, and its end, where it begins in the text as written."""
    places: list[int] = []
    begin = 0
    for escape in _ESCAPE.finditer(text):
        places += [*range(begin, escape.start()), escape.start()]
        begin = escape.end()
    return [*places, *range(begin, len(text) + 1)]


def _spans(plain: str, redacted: str, done: Done) -> list[tuple[int, int, str]] | None:
    """What was replaced by what: between what is left, which stands in the plain text in the same order."""
    if not done.expression:
        return None
    spans: list[tuple[int, int, str]] = []
    place = begin = 0
    meant = ""
    tokens = [*re.finditer(done.expression, redacted)]
    for token in [*tokens, None]:
        left = redacted[begin : token.start() if token else len(redacted)]
        found = plain.find(left, place) if token or not left else len(plain) - len(left)
        if found < place or not plain.startswith(left, found) or (not begin and not meant and found):
            return None
        if meant:
            spans.append((place, found, meant))
        place = found + len(left)
        if token:
            meant, begin = token[0], token.end()
    return spans if place == len(plain) else None
