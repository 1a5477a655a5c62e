"""Pieces of SQL in DuckDB's dialect: every text of a user goes through ``literal``."""

from __future__ import annotations

import math
from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def literal(text: str) -> str:
    """A text as an SQL literal; in DuckDB's dialect only the quote needs care."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A column's name as an SQL identifier, in quotes only where it is a word of SQL."""
    return f'"{name}"' if name in _WORDS else name


def number(value: float) -> str:
    """A number as an SQL literal."""
    whole = math.isfinite(value) and value == int(value)
    return str(int(value)) if whole else f"{value!r}"


def time(moment: datetime) -> str:
    """A moment as an SQL literal."""
    return f"TIMESTAMPTZ '{moment.astimezone(UTC).replace(tzinfo=None).isoformat(' ')}+00:00'"


def name(label: str) -> str:
    """Any text as the name of a column of an answer."""
    escaped = label.replace('"', '""')
    return f'"{escaped}"'


_WORDS = {"offset", "timestamp", "source", "batch", "item"}
