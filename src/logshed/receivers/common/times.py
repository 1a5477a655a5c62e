"""Times as clients write them, as nanoseconds since 1970."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from logshed.receivers.common.records import nanoseconds

_NANOSECONDS = 1_000_000_000
_BEYOND = re.compile(r"[.,][0-9]{6}([0-9]{1,3})")
_HIGHEST = 2**63 - 1
_LONGEST = 40
_UNITS = ((10**11, _NANOSECONDS), (10**14, 1_000_000), (10**17, 1_000))
"""Numbers below the first are in units of so many nanoseconds: seconds, milliseconds, microseconds."""


def instant(value: Any) -> int | None:
    """A time in ISO 8601, UTC where it has no zone, or a number since 1970 whose size tells its unit.

    Returns:
        None where it is no time between 1970 and 2262.
    """
    if isinstance(value, str):
        if value[4:5] == "-" and len(value) <= _LONGEST:
            return _iso(value)
        if not value.isascii():  # digits of other scripts are digits to the reader of numbers
            return None
        try:
            value = int(value) if value.isdigit() and len(value) < 20 else float(value)  # noqa: PLR2004 - 2**63 has 19
        except ValueError:
            return None
    return since_1970(value)


def since_1970(value: Any, unit: int | None = None) -> int | None:
    """A number since 1970.

    Args:
        value: The number.
        unit: Nanoseconds of its unit; None is told by its size.

    Returns:
        None where it is no time between 1970 and 2262.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _HIGHEST:
        return None
    if unit is None:
        unit = next((unit for below, unit in _UNITS if value < below), 1)
    # A double has no digits left for nanoseconds.
    found = value * unit if isinstance(value, int) else round(value * (unit / 1000)) * 1000
    return found if found <= _HIGHEST else None


@lru_cache(1_000)
def _iso(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        found = nanoseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
    if beyond := _BEYOND.search(text):  # the reader of datetimes stops at microseconds
        found += int(beyond[1].ljust(3, "0"))
    return found if 0 <= found <= _HIGHEST else None
