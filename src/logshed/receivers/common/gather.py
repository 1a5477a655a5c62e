"""Lines of a request gathered by stream, and the line of a structured record."""

from __future__ import annotations

from typing import Any

import orjson

from logshed.receivers.model import RECEIVED, Part, Request

_LONGEST = 200
_TRACE, _SPAN = 32, 16
_HEX = frozenset("0123456789abcdefABCDEF")


class Lines:
    """The lines of a stream, in one buffer: as objects of their own they would take several times as much memory."""

    __slots__ = ("count", "data")

    def __init__(self) -> None:
        self.count = 0
        self.data = bytearray()

    def append(self, line: bytes) -> None:
        """Add a line, which ends in a line feed."""
        self.count += 1
        self.data += line


class Gather:
    """The lines of a request by stream and collection."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str], Lines] = {}

    def lines(self, stream: str, collection: str = "") -> Lines:
        """Where the lines of a stream go."""
        key = (stream, collection)
        found = self._lines.get(key)
        if found is None:
            self._lines[key] = found = Lines()
        return found

    def parts(self) -> tuple[Part, ...]:
        """One part for each stream that has lines."""
        return tuple(
            Part(stream, bytes(lines.data), lines.count, RECEIVED, collection)
            for (stream, collection), lines in self._lines.items()
            if lines.count
        )


def line(record: dict[str, Any]) -> bytes:
    """A record as the line that ``formats/received.toml`` reads."""
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def named(name: str, otherwise: str = "unnamed") -> str:
    """A client's name for a stream or collection: on one line and of bounded length."""
    if not (name.isprintable() and name.isascii()):
        name = "".join(one for one in name if one.isprintable())
    return name.strip()[:_LONGEST] or otherwise


def asked(name: str) -> str:
    """The collection that a client asks for; empty where it asks for none."""
    return named(name, "")


def take_ids(
    attributes: dict[str, Any], record: dict[str, Any], traces: tuple[str, ...], spans: tuple[str, ...]
) -> None:
    """Move the ids of trace and span out of the attributes; what only has their name stays there."""
    for column, keys, length in (("trace_id", traces, _TRACE), ("span_id", spans, _SPAN)):
        for key in keys:
            value = attributes.get(key)
            if isinstance(value, str) and len(value) == length and _HEX.issuperset(value):
                record[column] = attributes.pop(key).lower()
                break


def take_text(attributes: dict[str, Any], record: dict[str, Any], column: str, keys: tuple[str, ...]) -> None:
    """Move the first of some attributes that is text out of them."""
    for key in keys:
        if isinstance(attributes.get(key), str):
            record[column] = attributes.pop(key)
            break


def header(request: Request, name: str) -> str:
    """A header's value, or nothing."""
    return request.headers.get(name, "")
