"""Reads durations and sizes as LogQL writes them: ``1h30m``, ``500ms``, ``20KB``."""

from __future__ import annotations

import re

DURATIONS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
    "w": 604_800.0,
    "y": 31_536_000.0,
}
"""Seconds of each unit."""
SIZES = {"b": 1.0} | {
    f"{letter}{end}": float(base**power)
    for power, letter in enumerate("kmgtp", 1)
    for end, base in (("", 1000), ("b", 1000), ("ib", 1024))
}
"""Bytes of each unit, in small letters."""
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([a-zA-Zµ]+)")
_PARTS = re.compile(rf"(?:{_PART.pattern})+")


def duration(text: str) -> float | None:
    """Seconds, or None where the text is no duration."""
    if not _PARTS.fullmatch(text):
        return None
    parts = _PART.findall(text)
    if any(unit not in DURATIONS for _, unit in parts):
        return None
    return sum(float(amount) * DURATIONS[unit] for amount, unit in parts)


def size(text: str) -> float | None:
    """Bytes, or None where the text is no size."""
    found = _PART.fullmatch(text)
    factor = SIZES.get(found[2].lower()) if found else None
    return None if found is None or factor is None else float(found[1]) * factor


def number(text: str) -> float | None:
    """A plain number, or None."""
    try:
        return float(text)
    except ValueError:
        return None
