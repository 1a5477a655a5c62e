"""Sizes and spans of time as people write them: ``65536``, ``64KiB``, ``8 MB``; ``90s``, ``10m``, ``2h``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SPAN = re.compile(r"\s*([0-9]+)\s*([smhdw])\s*")


def parsed(text: str) -> int:
    """A size such as ``64 MiB`` in bytes.

    Raises:
        ValueError: It is none.
    """
    found = re.fullmatch(r"\s*([0-9]+)\s*([A-Za-z]*)\s*", text)
    if found is None or found[2].lower() not in _UNITS:
        raise ValueError(f"{text!r} is no size; write bytes as 65536, or with a unit as 64KiB, 8MiB, 1GiB")
    return int(found[1]) * _UNITS[found[2].lower()]


def _bytes(value: object) -> object:
    """A size in bytes; what is no text is left to the type check."""
    return parsed(value) if isinstance(value, str) else value


def seconds(value: object) -> object:
    """A span of time such as ``10m`` in seconds; what is no text is left to the type check."""
    if not isinstance(value, str):
        return value
    found = _SPAN.fullmatch(value)
    if found is None or not int(found[1]):
        raise ValueError(f"{value!r} is no span of time; write it as 90s, 10m, 2h or 1d")
    return int(found[1]) * _SECONDS[found[2]]


Size = Annotated[int, BeforeValidator(_bytes)]

Span = Annotated[int, BeforeValidator(seconds)]
"""Seconds, written as a span of time; above 0."""
