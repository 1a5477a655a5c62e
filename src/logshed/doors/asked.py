"""Reads what an HTTP server says of a request: address, headers, query, sender."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from logshed.doors.senders import named
from logshed.receivers.model import BadRequestError

if TYPE_CHECKING:
    from starlette.types import Scope

    from logshed.doors.http_limits import HttpLimits

MOST_FIELDS = 64
"""Of a query."""
_LINE = 4
"""Bytes of a header that are neither its name nor its value."""


def headers_of(scope: Scope) -> dict[str, str]:
    """The headers, by their names in small letters; one that comes again is joined to the first, as HTTP has it."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1")
        text = value.decode("latin-1")
        found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def too_long(scope: Scope, limits: HttpLimits) -> bool:
    """Whether the first line and the headers are more than a door bears."""
    headers = scope["headers"]
    size = len(scope.get("raw_path") or b"") + len(scope["query_string"]) + _LINE * len(headers)
    size += sum([len(name) + len(value) for name, value in headers])
    return size > limits.header_bytes or len(headers) > limits.headers


def path_of(scope: Scope) -> str:
    """The path under the application's own root, as it was sent: a name in it may have an escaped slash."""
    raw = scope.get("raw_path")
    path: str = raw.decode("latin-1") if raw else quote(scope["path"])
    root: str = scope.get("root_path", "")
    return path.removeprefix(quote(root)) or "/" if root else path


def query_of(scope: Scope) -> dict[str, str]:
    """What stands after the question mark; of a name that comes again the last.

    Raises:
        BadRequestError: That is too much.
    """
    raw = scope["query_string"]
    if not raw:
        return {}
    try:
        return dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise BadRequestError(400, f"the address has more than {MOST_FIELDS} fields after the question mark") from None


def peer_of(scope: Scope) -> str:
    """The sender's address; empty where the server does not know it."""
    client = scope.get("client")
    return _peer(client[0]) if client else ""


@lru_cache(4_096)
def _peer(host: str) -> str:
    try:
        return named(host)
    except ValueError:  # a server's own name for one who has no address
        return host
