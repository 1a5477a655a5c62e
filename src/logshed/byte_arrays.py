"""Texts written as arrays of the numbers of their bytes, as journalctl, Node.js and Go print bytes."""

from __future__ import annotations

import re

import orjson
import polars as pl

GUARD = r"\[ ?[0-9]{1,3}(?:, ?| )[0-9]{1,3}(?:, ?| )[0-9]{1,3}(?:, ?| )[0-9]{1,3}(?:, ?| )[0-9]"
"""What a text with such an array matches; shorter ones hold nothing that could be recognised."""
_ARRAY = re.compile(
    r'(?:(?P<slashes>\\*)"(?P<colon>\s*:\s*))?\[(?P<numbers>\s*\d{1,3}(?:(?:\s*,\s*|\s+)\d{1,3}){4,}\s*)\]'
)
_BYTES = 256


def spelled(text: pl.Series) -> pl.Series:
    """The texts with each such array as a JSON string, escaped as often as the key before it; JSON stays JSON."""
    return pl.Series(text.name, [_ARRAY.sub(_string, one) for one in text.to_list()], dtype=pl.String)


def texts(values: pl.Series) -> pl.Series:
    """Values that are such an array and nothing else as the text that it spells; others as they are."""
    rows = values.str.contains(rf"^\s*{GUARD}").fill_null(value=False).arg_true()
    if rows.is_empty():
        return values
    found = [_text(one) for one in values.gather(rows).to_list()]
    return values.scatter(rows, pl.Series(found, dtype=pl.String))


def _text(value: str) -> str:
    found = _ARRAY.fullmatch(value.strip())
    spelt = _decoded(found["numbers"]) if found else None
    return value if spelt is None else spelt


def _string(found: re.Match[str]) -> str:
    spelt = _decoded(found["numbers"])
    if spelt is None:
        return found[0]
    slashes = found["slashes"] or ""
    for _ in range(len(slashes).bit_length() + 1):
        spelt = orjson.dumps(spelt).decode()[1:-1]
    key = "" if found["colon"] is None else f'{slashes}"{found["colon"]}'
    return f'{key}{slashes}"{spelt}{slashes}"'


def _decoded(numbers: str) -> str | None:
    codes = [int(one) for one in re.findall(r"\d+", numbers)]
    return bytes(codes).decode("utf-8", "backslashreplace") if max(codes) < _BYTES else None
