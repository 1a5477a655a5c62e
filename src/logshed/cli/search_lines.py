"""Shows a record as one line for people: time, level, service, what it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from logshed.cli import terminal
from logshed.cli.cells import shown
from logshed.cli.view import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, tzinfo

    from logshed.sql.result import Result

FIELDS = (
    "timestamp",
    "level",
    "severity_number",
    "service",
    "host",
    "source",
    "body",
    "exception",
    "exception_message",
    "client",
    "user",
    "method",
    "path",
    "query",
    "status",
    "size",
    "duration",
    "event",
    "outcome",
    "attributes",
)
"""What a line is made of."""
ROWS_AT_ONCE = 500
BETWEEN_BLOCKS = "--"
_SERVER_ERROR, _CLIENT_ERROR, _ERROR, _WARN = 500, 400, 17, 13


def lines(result: Result, zone: tzinfo, counter: list[int], *, own: tuple[str, ...] = ()) -> Iterator[str]:
    """One line a record; between blocks of records that do not follow each other stands ``--``.

    Args:
        result: The records, with the columns of ``FIELDS`` or of ``own``.
        zone: The zone of their times.
        counter: Its first figure is raised by every record.
        own: The fields that a user wants to see, instead.
    """
    block = None
    for batch in result.batches():
        for start in range(0, batch.num_rows, ROWS_AT_ONCE):
            columns = [one.to_pylist(maps_as_pydicts="lossy") for one in batch.slice(start, ROWS_AT_ONCE).columns]
            for values in zip(*columns, strict=True):
                row = dict(zip(result.columns, values, strict=True))
                counter[0] += 1
                if "block" in row and block not in (None, row["block"]):
                    yield BETWEEN_BLOCKS
                block = row.get("block")
                yield _line(row, zone, own)


def _line(row: Mapping[str, Any], zone: tzinfo, own: tuple[str, ...]) -> str:
    if own:
        values = [row[name] for name in row if name not in {"match", "block"}]
        return _marked(row) + "  ".join(
            _time(one, zone) if hasattr(one, "astimezone") else shown(one) for one in values
        )
    told = " ".join(part for part in (_who(row), _what(row)) if part)
    text = f"{_marked(row)}{_time(row['timestamp'], zone)} {(row['level'] or '-').upper():5} {told}"
    return _coloured(text, _severity(row))


def _marked(row: Mapping[str, Any]) -> str:
    """In context the records that were looked for begin with a sign."""
    return "" if "match" not in row else "> " if row["match"] else "  "


def _who(row: Mapping[str, Any]) -> str:
    names = [row["service_name"], row["host_name"]]
    found = [shown(name) for name in names if name]
    return f"{'@'.join(found)}:" if found else f"{shown(str(row['source']).rsplit('/', 1)[-1])}:"


def _what(row: Mapping[str, Any]) -> str:
    parts = []
    if row["http_request_method"] or row["url_path"]:
        parts.append(_request(row))
    if row["body"]:
        parts.append(str(row["body"]))
    if row["exception_type"]:
        parts.append(f"{row['exception_type']}: {row['exception_message'] or ''}".rstrip(": "))
    if not parts:
        parts += [str(row[name]) for name in ("event_name", "event_outcome", "user_id", "client_address") if row[name]]
        parts += [f"{key}={value}" for key, value in (row["attributes"] or {}).items() if value]
    return shown(re.sub(r"\s*\n\s*", " ⏎ ", " ".join(parts)))


def _request(row: Mapping[str, Any]) -> str:
    path = (row["url_path"] or "") + (f"?{row['url_query']}" if row["url_query"] else "")
    parts = [row["client_address"], row["user_id"], row["http_request_method"], path]
    parts.append(row["http_response_status_code"])
    if row["http_response_body_size"] is not None:
        parts.append(f"{row['http_response_body_size']}B")
    if row["duration_ms"] is not None:
        parts.append(f"{shown(row['duration_ms'])}ms")
    return " ".join(str(part) for part in parts if part not in (None, ""))


def _severity(row: Mapping[str, Any]) -> int:
    """The severity that a line is coloured by, as in ``logshed view``."""
    status = row["http_response_status_code"] or 0
    by_status = _ERROR if status >= _SERVER_ERROR else _WARN if status >= _CLIENT_ERROR else 0
    return int(row["severity_number"] or by_status)


def _coloured(text: str, severity: int) -> str:
    code = next((code for least, code in COLOURS if severity >= least), "")
    return f"\x1b[{code}m{text}\x1b[0m" if code and terminal.colours() else text


def _time(moment: datetime, zone: tzinfo) -> str:
    """Milliseconds, and the zone where it is not UTC."""
    own = moment.astimezone(zone)
    return (
        own.strftime("%Y-%m-%d %H:%M:%S.")
        + f"{own.microsecond // 1000:03d}"
        + ("Z" if not own.utcoffset() else own.strftime("%z"))
    )
