"""Where a page of a list ends: opaque texts that the next page is asked with."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TYPE_CHECKING

import orjson

from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def written(values: Sequence[object]) -> str:
    """The cursor after a row with these values."""
    return base64.urlsafe_b64encode(orjson.dumps(list(values))).rstrip(b"=").decode()


def read(cursor: str, kinds: Mapping[str, type]) -> dict[str, object]:
    """The values of a cursor by name.

    Args:
        cursor: What ``written`` made.
        kinds: Their names and types, in order.

    Raises:
        UsageError: It was made otherwise.
    """
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        pairs = list(zip(kinds.items(), values, strict=True))
        return {name: _value(value, kind) for (name, kind), value in pairs}
    except (ValueError, TypeError):
        raise UsageError(f"cannot go on at {cursor[:40]!r}: it is no cursor of this list; begin without one") from None


def _value(value: object, kind: type) -> object:
    if kind is datetime:
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is None:
            raise ValueError(value)
        return moment
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind is str and isinstance(value, str):
        return value
    raise TypeError(value)
