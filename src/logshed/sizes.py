"""Sizes as people write them: ``65536``, ``64KiB``, ``8 MB``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def _bytes(value: object) -> object:
    """A size such as ``"64 MiB"`` in bytes; what is no text is left to the type check."""
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*([0-9]+)\s*([A-Za-z]*)\s*", value)
    if found is None or found[2].lower() not in _UNITS:
        raise ValueError(f"{value!r} is no size; write bytes as 65536, or with a unit as 64KiB, 8MiB, 1GiB")
    return int(found[1]) * _UNITS[found[2].lower()]


Size = Annotated[int, BeforeValidator(_bytes)]
