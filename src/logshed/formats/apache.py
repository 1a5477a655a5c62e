"""Access logs by their own format string: an Apache ``LogFormat`` or an nginx ``log_format``, compiled to patterns.

The first pattern is quick and takes the lines as servers write them; the second takes what clients can do to them:
a request that is none, spaces in user names, several addresses. A third, for formats that ask for it, takes a line
that lacks its user or goes on after the last field.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from logshed.errors import FormatError
from logshed.formats import strftime
from logshed.formats.access_fields import of_directive, of_variable
from logshed.formats.regex import Pattern, first_match

if TYPE_CHECKING:
    import polars as pl

    from logshed.formats.model import Format

_QUOTED = r'((?:[^"\\]|\\.)*)'
_REQUEST = r'([^ "\\]*) ([^ ?"\\]*)(?:\?([^ "\\]*))? HTTP/([^ "\\]*)'
_BARE_REQUEST = r"([^ ]+ [^ ]+ HTTP/[0-9.]+|-|.*?)"
_REQUEST_TARGETS = ("http_request_method", "url_path", "url_query", "network_protocol_version")
_ADDRESS = r'([^ "\[]*)'
_ADDRESSES = r'([^ ,"\[]+|\[[0-9A-Fa-f:.]+\])(?:, ([^ ,"]+(?:, [^ ,"]+)*))?'
_SPACED_USER = r'(-|""|[^\- "\[:][^"\[:]*?)'  # HTTP forbids a colon in user names
_NUMBERS = frozenset({"@server.port", "@http.response.size", "@http.request.size", "@http.size", "client_port"})
_TIME = r"(?:\[([^\]]*)\]|-)"

_TOKEN = re.compile(
    r"%(?P<before>[!0-9,<>]*)(?:\{(?P<argument>[^}]*)\}(?P<after>[!0-9,<>]*))?(?P<letter>\^FB|\^ti|\^to|[A-Za-z]|%)"
    r"|\$(?:\{(?P<braced>[a-z0-9_]+)\}|(?P<variable>[a-z][a-z0-9_]*))"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A literal text, or a field.

    Attributes:
        text: The literal, or the field's target.
        is_field: Which of them it is.
        version: ``<`` for a request's original value, ``>`` for its final one, else empty.
        time: The strftime form of a time, or None.
    """

    text: str
    is_field: bool = False
    version: str = ""
    time: str | None = None


@dataclass(frozen=True, slots=True)
class Compiled:
    """Patterns in the order in which they are tried, each with the targets of its groups."""

    patterns: tuple[tuple[str, tuple[str, ...]], ...]


def extract(form: Format, text: pl.Series) -> pl.DataFrame:
    """Fields of each row as text, one column a target, and ``_ok``; as many rows as ``text``."""
    return strftime.composed(first_match(text, patterns(form)))


def patterns(form: Format) -> list[Pattern]:
    """What a line is tried against, in this order."""
    written = (form.log_format, *form.log_formats)
    return [Pattern(*pattern) for one in written for pattern in _compiled(one, form.extra).patterns]


@lru_cache(maxsize=64)
def _compiled(log_format: str, extra: bool) -> Compiled:
    return compile_format(log_format, extra=extra)


def compile_format(log_format: str, *, extra: bool = False) -> Compiled:
    """Compile a format string.

    Args:
        log_format: An Apache ``LogFormat`` (``%h %l %u %t "%r" %>s %b``) or nginx ``log_format`` (``$remote_addr``).
        extra: Whether a line may lack its user and go on after the last field (to the attribute ``extra``).

    Raises:
        FormatError: It names no field at all.
    """
    pieces = _pieces(log_format)
    if not any(piece.is_field for piece in pieces):
        raise FormatError(
            f"cannot use log format {log_format!r}: it holds no %directive and no $variable; quote it in single quotes"
        )
    pieces = _distinct(pieces)
    found = [_pattern(pieces, loose=False), _pattern(pieces, loose=True)]
    if extra:
        found.append(_pattern(pieces, loose=True, extra=True))
    return Compiled(tuple(found))


def has_fields(log_format: str) -> bool:
    """Whether a string names at least two fields."""
    return sum(piece.is_field for piece in _pieces(log_format)) > 1


def times(log_format: str) -> list[str]:
    """The forms in which the fields of a format string hold times."""
    names = {token["variable"] or token["braced"] for token in _TOKEN.finditer(log_format)}
    shown = [token["argument"] for token in _TOKEN.finditer(log_format) if token["letter"] == "t"]
    others = {"time_iso8601", "msec"} & names or any(shown)
    common = ["%d/%b/%Y:%H:%M:%S %z"] if "time_local" in names or not all(shown) else []
    return common + (["iso", "epoch", "any"] if others or not common else [])


def _pieces(log_format: str) -> list[Piece]:
    pieces: list[Piece] = []
    position = 0
    for token in _TOKEN.finditer(log_format):
        _add_literal(pieces, log_format[position : token.start()])
        position = token.end()
        if token["letter"] == "%":
            _add_literal(pieces, "%")
            continue
        if token["letter"] is None:
            pieces.append(Piece(of_variable(token["braced"] or token["variable"]), is_field=True))
            continue
        flags = token["before"] + (token["after"] or "")
        version = (re.findall("[<>]", flags) or [""])[-1]
        if token["letter"] == "t":
            time = token["argument"] or ""
            pieces.append(Piece("timestamp", is_field=True, version=version, time=time))
        else:
            pieces.append(Piece(of_directive(token["argument"], token["letter"]), is_field=True, version=version))
    _add_literal(pieces, log_format[position:])
    return pieces


def _add_literal(pieces: list[Piece], text: str) -> None:
    text = text.replace('\\"', '"').replace("\\t", "\t")
    if pieces and not pieces[-1].is_field:
        pieces[-1] = Piece(pieces[-1].text + text)
    elif text:
        pieces.append(Piece(text))


def _distinct(pieces: list[Piece]) -> list[Piece]:
    """Where a request's original, plain and final value are all logged, only one is the column's."""
    versions: dict[str, set[str]] = {}
    for piece in pieces:
        if piece.is_field:
            versions.setdefault(piece.text, set()).add(piece.version)
    result = []
    for piece in pieces:
        if piece.is_field and len(versions[piece.text]) > 1 and piece.time is None:
            best = ">" if piece.text == "http_response_status_code" and ">" in versions[piece.text] else ""
            best = best if best in versions[piece.text] else ">"
            if piece.version != best:
                kind = {"<": "original", ">": "final", "": "plain"}[piece.version]
                result.append(Piece(f"@{kind}.{piece.text.lstrip('@')}", is_field=True))
                continue
        result.append(piece)
    return result


def _pattern(pieces: list[Piece], *, loose: bool, extra: bool = False) -> tuple[str, tuple[str, ...]]:
    built = ["^"]
    targets: list[str] = []
    counts: dict[str, int] = {}
    for piece in pieces:
        if piece.is_field:
            counts[piece.text] = counts.get(piece.text, 0) + 1
    for index, piece in enumerate(pieces):
        if not piece.is_field:
            built.append(re.escape(piece.text).replace("\\ ", " ").replace('\\"', '"'))
            continue
        before = pieces[index - 1].text if index and not pieces[index - 1].is_field else ""
        after = pieces[index + 1].text if index + 1 < len(pieces) and not pieces[index + 1].is_field else ""
        again = counts[piece.text] > 1
        pattern, names = _group(piece, before[-1:], after[:1], loose=loose or again)
        if again and piece.time is None:
            pattern = f"(?:-|{pattern})"
        if extra and piece.text == "user_id" and built[-1].endswith(" ") and after[:1] == " ":
            built[-1] = built[-1][:-1]
            pattern = f"(?: {pattern})?"
        built.append(pattern)
        targets.extend(names)
    if extra:
        built.append("(?: (.*?))?")
        targets.append("@extra")
    return "".join(built) + " *$", tuple(targets)


def _group(piece: Piece, before: str, after: str, *, loose: bool) -> tuple[str, tuple[str, ...]]:
    """The group of one field, given the literal characters around it."""
    name = piece.text
    quoted = before == '"' and after == '"'
    if piece.time is not None:
        return strftime.pattern(piece.time) if piece.time else (_TIME, (name,))
    if name == "request_line":
        if not loose:
            return _REQUEST, _REQUEST_TARGETS
        return (_QUOTED if quoted else _BARE_REQUEST), (name,)
    address = name in ("client_address", "server_address")
    rules = (
        (name == "url_query" and not before, r"(?:\?([^ \"]*))?"),
        (name == "url_path" and not after, r"([^ ?\"]*)"),
        (name == "network_protocol_version", r"(?:HTTP/)?([^ \"]*)"),
        (quoted, _QUOTED),
        (address and after == ":", r"([^ ]*?)"),
        (name == "client_address" and after == " ", _ADDRESS),
        (loose and name == "user_id", _SPACED_USER),
        (name in _NUMBERS, "(-|[0-9]+)"),
    )
    if loose and name == "client_address" and after in (" ", ""):
        return _ADDRESSES, (name, "@client.forwarded")
    stop = re.escape(after) if after else " "
    return next((group for applies, group in rules if applies), f"([^{stop}]*)"), (name,)
