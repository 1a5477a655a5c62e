"""Shows a trace: all of its records in the order of their times, as a tree of spans for a waterfall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from logshed.pipeline.explore_places import ORDER_FORWARD
from logshed.pipeline.explore_records import columns
from logshed.search import sql
from logshed.search.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from logshed.pipeline.explore import Query

MOST = 2_000
"""Records of a trace that are shown."""
FIELDS = (
    "timestamp",
    "level",
    "service",
    "host",
    "span",
    "body",
    "event",
    "exception",
    "exception_message",
    "method",
    "path",
    "status",
    "duration",
    "attributes",
)
PARENTS = ("parent_span_id", "parentSpanId", "parent_id", "parent.id", "parentId")
"""Attributes that name the span above."""
_MILLISECOND = 1000.0


class Line(NamedTuple):
    """One line of the waterfall: a span's records, or a record without a span.

    Attributes:
        depth: How deep it lies below the first one.
        start: Milliseconds since the trace began.
        length: Milliseconds that it took; 0 where nobody says.
        span: Its span, or None.
        records: Its records.
    """

    depth: int
    start: float
    length: float
    span: str | None
    records: list[dict[str, Any]]


class Trace(NamedTuple):
    """A trace.

    Attributes:
        id: Its id.
        begin: When its first record was written.
        length: Milliseconds to its end.
        services: The services that take part, in the order in which they come.
        lines: Its waterfall.
        records: How many records are shown.
        more: Whether there are more of them.
    """

    id: str
    begin: datetime | None
    length: float
    services: list[str]
    lines: list[Line]
    records: int
    more: bool


def trace(query: Query, trace_id: str, since: datetime | None = None, until: datetime | None = None) -> Trace:
    """A trace by its id.

    Args:
        query: Runs a statement.
        trace_id: Its id.
        since: First moment that is looked at; None takes all.
        until: First moment after.
    """
    scope = Scope(f"trace_id = {sql.literal(trace_id)}", since, until)
    statement = f"SELECT {columns(FIELDS)} FROM logs WHERE {scope.where} ORDER BY {ORDER_FORWARD} LIMIT {MOST + 1}"
    found = query(statement).arrow().to_pylist(maps_as_pydicts="lossy")
    records, more = found[:MOST], len(found) > MOST
    if not records:
        return Trace(trace_id, None, 0.0, [], [], 0, more=False)
    begin: datetime = records[0]["timestamp"]
    services = list(dict.fromkeys(one["service_name"] for one in records if one["service_name"]))
    lines = _nested(_spans(records, begin))
    length = max(line.start + line.length for line in lines)
    return Trace(trace_id, begin, length, services, lines, len(records), more)


def _spans(records: Sequence[dict[str, Any]], begin: datetime) -> list[tuple[Line, str | None]]:
    """The lines in the order of their first records, each with the span above it."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for place, record in enumerate(records):
        grouped.setdefault(record["span_id"] or f"\x00{place}", []).append(record)
    found = []
    for name, own in grouped.items():
        start = (own[0]["timestamp"] - begin).total_seconds() * _MILLISECOND
        ends = [_end(record, begin) for record in own]
        span = None if name.startswith("\x00") else name
        found.append((Line(0, start, max(0.0, max(ends) - start), span, own), _parent(own)))
    return found


def _end(record: dict[str, Any], begin: datetime) -> float:
    took = record["duration_ms"]
    usable = took if took is not None and took == took and took > 0 else 0.0  # noqa: PLR0124 - NaN is no duration
    return float((record["timestamp"] - begin).total_seconds() * _MILLISECOND + usable)


def _parent(records: Sequence[dict[str, Any]]) -> str | None:
    for record in records:
        attributes = record["attributes"] or {}
        named = next((attributes[name] for name in PARENTS if attributes.get(name)), None)
        if named:
            return str(named)
    return None


def _nested(lines: Sequence[tuple[Line, str | None]]) -> list[Line]:
    """Each line behind the one above it; a parent that is not there, or that lies below its own child, is none."""
    spans = {line.span for line, _ in lines if line.span}
    below: dict[str | None, list[Line]] = {}
    for line, parent in lines:
        below.setdefault(parent if parent in spans and parent != line.span else None, []).append(line)
    found: list[Line] = []
    seen: set[str] = set()
    waiting = [(line, 0) for line in reversed(below.get(None, []))]
    while waiting:
        line, depth = waiting.pop()
        found.append(line._replace(depth=depth))
        if line.span and line.span not in seen:
            seen.add(line.span)
            waiting += [(one, depth + 1) for one in reversed(below.get(line.span, []))]
    shown = {id(line.records) for line in found}
    return found + [line for line, _ in lines if id(line.records) not in shown]
