"""Quotes what replaced a bare number in a JSON record, so that JSON stays JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import polars as pl

from logshed.redaction.spans import patch

if TYPE_CHECKING:
    from logshed.redaction.treatments import Done

_STRING = r'"(?:[^"\\]|\\.)*"'


def quoted(text: pl.Series, rows: pl.Series, done: Done) -> pl.Series:
    """The texts with quotes around every tag and pseudonym that stands where JSON wants a value.

    Args:
        text: Redacted texts.
        rows: The rows that may hold one.
        done: Tells what the policy puts there.
    """
    names = done.expression
    if not names:
        return text
    standing = rf"^\s*[{{\[][\s\S]*[\[,:]\s*(?:{names})\s*[,\]}}]"
    part = text.gather(rows)
    part = part.filter(found := part.str.contains(names) & part.str.contains(standing))
    if part.is_empty():
        return text
    token = re.compile(rf"{_STRING}|(?:{names})", re.DOTALL)
    values = pl.Series([_quoted(value, token) for value in part.to_list()], dtype=pl.String)
    return patch(text, rows.filter(found), values)


def quoted_in_part(text: str, done: Done) -> str:
    """The same for a part of a JSON document, such as some lines of one that is printed over many."""
    names = done.expression
    if not names:
        return text
    token = re.compile(
        rf"(?P<string>{_STRING})|(?P<pre>[:\[,]\s*|^\s*)(?P<value>{names})(?=\s*(?:[,\]}}]|$))",
        re.DOTALL | re.MULTILINE,
    )
    return token.sub(lambda match: match["string"] or f'{match["pre"]}"{match["value"]}"', text)


def _quoted(text: str, token: re.Pattern[str]) -> str:
    candidate = token.sub(lambda match: match[0] if match[0].startswith('"') else f'"{match[0]}"', text)
    return candidate if candidate != text and _is_json(candidate) else text


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
