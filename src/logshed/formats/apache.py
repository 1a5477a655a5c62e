"""Access logs by their own format string: an Apache ``LogFormat`` or an nginx ``log_format``, compiled to patterns.

The first pattern is quick and takes the lines as servers write them; the second takes what clients can do to them:
a request that is none, spaces in user names, several addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from logshed.errors import FormatError
from logshed.formats.regex import first_match

if TYPE_CHECKING:
    import polars as pl

    from logshed.formats.model import Format

_QUOTED = r'((?:[^"\\]|\\.)*)'
_REQUEST = r'([^ "\\]*) ([^ ?"\\]*)(?:\?([^ "\\]*))? HTTP/([^ "\\]*)'
_REQUEST_TARGETS = ("http_request_method", "url_path", "url_query", "network_protocol_version")
_ADDRESSES = r'([^ ,"]+)(?:, ([^ ,"]+(?:, [^ ,"]+)*))?'
_SPACED_USER = r'(-|[^\- "\[][^"\[]*?)'
_NUMBERS = frozenset({"@server.port", "@http.response.size", "@http.request.size", "@http.size"})

DIRECTIVES: dict[str, str] = {
    "a": "client_address", "h": "client_address", "{c}a": "client_address",
    "A": "server_address", "B": "http_response_body_size", "b": "http_response_body_size", "O": "@http.response.size",
    "I": "@http.request.size", "S": "@http.size", "D": "duration_us", "T": "duration_s", "{ms}T": "duration_ms",
    "{us}T": "duration_us", "{s}T": "duration_s", "f": "@file.path", "H": "@network.protocol",
    "k": "@http.keepalive", "l": "@client.identity", "L": "@log.id", "m": "http_request_method",
    "p": "@server.port", "{canonical}p": "@server.port", "{local}p": "@server.port", "{remote}p": "client_port",
    "P": "process_pid", "{pid}P": "process_pid", "{tid}P": "thread_name", "{hextid}P": "thread_name",
    "q": "url_query", "r": "request_line", "R": "@http.handler", "s": "http_response_status_code",
    "t": "timestamp", "u": "user_id", "U": "url_path", "v": "url_domain", "V": "url_domain",
    "X": "@http.connection_status", "{Referer}i": "http_referrer", "{Referrer}i": "http_referrer",
    "{User-Agent}i": "user_agent_original", "{User-agent}i": "user_agent_original", "{Host}i": "url_domain",
    "{X-Forwarded-For}i": "@http.request.header.x-forwarded-for",
}  # fmt: skip
VARIABLES: dict[str, str] = {
    "remote_addr": "client_address", "remote_port": "client_port", "remote_user": "user_id", "time_local": "timestamp",
    "time_iso8601": "timestamp", "msec": "timestamp", "request": "request_line", "status": "http_response_status_code",
    "body_bytes_sent": "http_response_body_size", "bytes_sent": "@http.response.size", "http_referer": "http_referrer",
    "http_user_agent": "user_agent_original", "request_time": "duration_s", "request_length": "@http.request.size",
    "request_method": "http_request_method", "request_uri": "url_original", "uri": "url_path", "args": "url_query",
    "query_string": "url_query", "host": "url_domain", "http_host": "url_domain", "server_name": "url_domain",
    "server_addr": "server_address", "server_port": "@server.port", "server_protocol": "@network.protocol",
    "request_id": "trace_id",
    "http_x_forwarded_for": "@http.request.header.x-forwarded-for", "pid": "process_pid", "scheme": "@url.scheme",
}  # fmt: skip

_TOKEN = re.compile(
    r"%[!0-9,]*[<>]?(?P<directive>(?:\{[^}]*\})?(?:\^FB|\^ti|\^to|[A-Za-z])|%)"
    r"|\$(?:\{(?P<braced>[a-z0-9_]+)\}|(?P<variable>[a-z][a-z0-9_]*))"
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """Patterns in the order in which they are tried, each with the targets of its groups."""

    patterns: tuple[tuple[str, tuple[str, ...]], ...]


def extract(form: Format, text: pl.Series) -> pl.DataFrame:
    """Fields of each row as text, one column a target, and ``_ok``; as many rows as ``text``."""
    return first_match(text, _compiled(form.log_format).patterns)


@lru_cache(maxsize=64)
def _compiled(log_format: str) -> Compiled:
    return compile_format(log_format)


def compile_format(log_format: str) -> Compiled:
    """Compile a format string.

    Args:
        log_format: An Apache ``LogFormat`` (``%h %l %u %t "%r" %>s %b``) or nginx ``log_format`` (``$remote_addr``).

    Raises:
        FormatError: It names no field at all.
    """
    pieces = _pieces(log_format)
    if not any(is_field for is_field, _ in pieces):
        raise FormatError(
            f"cannot use log format {log_format!r}: it holds no %directive and no $variable; quote it in single quotes"
        )
    return Compiled((_pattern(pieces, loose=False), _pattern(pieces, loose=True)))


def _pieces(log_format: str) -> list[tuple[bool, str]]:
    """Alternating literals ``(False, text)`` and fields ``(True, target)``."""
    pieces: list[tuple[bool, str]] = []
    position = 0
    for token in _TOKEN.finditer(log_format):
        _add_literal(pieces, log_format[position : token.start()])
        position = token.end()
        if token["directive"] == "%":
            _add_literal(pieces, "%")
        elif token["directive"] == "t":  # Apache writes its time in brackets that the format string does not show
            _add_literal(pieces, "[")
            pieces.append((True, "timestamp"))
            _add_literal(pieces, "]")
        else:
            pieces.append((True, _field(token)))
    _add_literal(pieces, log_format[position:])
    return pieces


def _add_literal(pieces: list[tuple[bool, str]], text: str) -> None:
    text = text.replace('\\"', '"')
    if pieces and not pieces[-1][0]:
        pieces[-1] = (False, pieces[-1][1] + text)
    elif text:
        pieces.append((False, text))


def _field(token: re.Match[str]) -> str:
    directive = token["directive"]
    if directive is None:
        name = token["braced"] or token["variable"]
        return VARIABLES.get(name, f"@{name}")
    if directive in DIRECTIVES:
        return DIRECTIVES[directive]
    argument, letter = re.fullmatch(r"(?:\{([^}]*)\})?(.+)", directive).groups()  # type: ignore[union-attr]
    if letter == "t":
        return "timestamp"
    named = {"i": "http.request.header", "o": "http.response.header", "C": "http.cookie", "e": "env", "n": "note"}
    named |= {"^ti": "http.request.trailer", "^to": "http.response.trailer"}
    if argument is not None and letter in named:
        return f"@{named[letter]}.{argument.lower()}"
    return f"@apache.{directive}"


def _pattern(pieces: list[tuple[bool, str]], *, loose: bool) -> tuple[str, tuple[str, ...]]:
    built = ["^"]
    targets: list[str] = []
    seen: set[str] = set()
    for index, (is_field, text) in enumerate(pieces):
        if not is_field:
            built.append(re.escape(text).replace("\\ ", " ").replace('\\"', '"'))
            continue
        before = pieces[index - 1][1] if index and not pieces[index - 1][0] else ""
        after = pieces[index + 1][1] if index + 1 < len(pieces) and not pieces[index + 1][0] else ""
        name = f"@{text}" if text in seen and not text.startswith("@") else text
        pattern, names = _group(name, before[-1:], after[:1], loose=loose)
        built.append(pattern)
        targets.extend(names)
        seen.update(names)
    return "".join(built) + " *$", tuple(targets)


def _group(name: str, before: str, after: str, *, loose: bool) -> tuple[str, tuple[str, ...]]:
    """The group of one field, given the literal characters around it."""
    quoted = before == '"' and after == '"'
    if name == "request_line" and quoted:
        return (_QUOTED, (name,)) if loose else (_REQUEST, _REQUEST_TARGETS)
    if quoted:
        return _QUOTED, (name,)
    if loose and name == "client_address":
        return _ADDRESSES, (name, "@client.forwarded")
    if loose and name == "user_id":
        return _SPACED_USER, (name,)
    if name in _NUMBERS:
        return "(-|[0-9]+)", (name,)
    stop = re.escape(after) if after else " "
    return f"([^{stop}]*)", (name,)
