"""The line of a structured record, as ``formats/received.toml`` reads it, and lines gathered by stream."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from logshed.receivers.common.gather import Lines
from logshed.receivers.model import DEEPEST, MOST_RECORDS, RECEIVED, BadRequestError, Part

if TYPE_CHECKING:
    from collections.abc import Iterable

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1
_STREAMS = ("service.name", "host.name")
_UNNAMED = "unknown_service"
"""What OpenTelemetry's SDKs call a service without a name."""
_LONGEST_STREAM = 200
_LEVELS = 200
_MOST_VALUES = 2_000_000
TOO_MANY = f"it has more than {_MOST_VALUES:,} values"
TOO_DEEP = f"it is nested more than {DEEPEST} levels deep"


class UnfitError(Exception):
    """A record that cannot be decoded; the text is the reason."""


def bounded(records: int) -> None:
    """Check how many records a request holds.

    Raises:
        BadRequestError: There are too many.
    """
    if records > MOST_RECORDS:
        raise BadRequestError(413, f"it holds more than {MOST_RECORDS} records; send fewer at once")


def crowded(data: bytes) -> bool:
    """Whether JSON has more values than are read at once: an empty object is three bytes in it, and sixty in memory.

    Commas in texts count as well; no line of a log has so many.
    """
    return data.count(b",") + data.count(b"{") + data.count(b"[") > _MOST_VALUES


def nanoseconds(moment: datetime) -> int:
    """A time as nanoseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND * 1000


def number(value: Any) -> float | str:
    """A number as JSON can hold it: what is none, and what is too large, as text."""
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    whole: int = value
    return whole if _LOWEST <= whole <= _HIGHEST else str(whole)


def text_of(value: Any) -> str:
    """A value as text: JSON, unless it is text already."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def deep(value: Any) -> bytes:
    """A value as JSON, however deep the reader let it be: the writer takes a quarter as many levels.

    Args:
        value: Its lists and objects below that depth are exchanged for their JSON.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        pass
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(_LEVELS):
        level = [inner for one in level for _, inner in _items(one) if isinstance(inner, (dict, list))]
    for one in level:
        for key, inner in _items(one):
            if isinstance(inner, (dict, list)):
                one[key] = orjson.Fragment(deep(inner))
    return orjson.dumps(value)


def _items(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items() if isinstance(value, dict) else enumerate(value))


def keyed(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Values by key; of those with the same key the last has it, those before it ``<key>.1``, ``<key>.2`` ..."""
    found: dict[str, Any] = {}
    times: dict[str, int] = {}
    for key, value in pairs:
        if key in found:
            again = times.get(key, 0) + 1
            while f"{key}.{again}" in found:
                again += 1
            times[key] = again
            found[f"{key}.{again}"] = found[key]
        found[key] = value
    return found


def flat(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Attributes by key as ``keyed`` has them, lists and maps as JSON text."""
    return keyed((key, text_of(value) if isinstance(value, (list, dict)) else value) for key, value in pairs)


def counted(found: dict[str, Any], dropped: int | None, schema_url: str | None = None) -> None:
    """Add to attributes how many the client dropped, and the schema that names them."""
    if dropped:
        found["otel.dropped_attributes_count"] = dropped
    if schema_url:
        found["schema_url"] = schema_url


def stream_of(resource: dict[str, Any]) -> str:
    """The stream of a resource's records: the service's name or the host's, on one line and of bounded length."""
    for key in _STREAMS:
        value = resource.get(key)
        if value is not None and (name := "".join(one for one in str(value) if one.isprintable()).strip()):
            return name[:_LONGEST_STREAM]
    return _UNNAMED


class Streams:
    """The lines of a request by stream."""

    def __init__(self) -> None:
        self._lines: dict[str, Lines] = {}

    def lines(self, stream: str) -> Lines:
        """Where the lines of a stream go, each with its line feed."""
        return self._lines.setdefault(stream, Lines())

    def parts(self) -> tuple[Part, ...]:
        """One part for each stream that has lines."""
        return tuple(
            Part(stream, bytes(lines.data), lines.count, RECEIVED)
            for stream, lines in self._lines.items()
            if lines.count
        )
