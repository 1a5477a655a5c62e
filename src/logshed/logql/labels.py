"""What a label of LogQL is in the lake: the entries of ``labels.toml``, a column, or an attribute by its key."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import product

from logshed.schema import SILVER, UNMAPPED
from logshed.search import sql, statements
from logshed.search.fields import ALIASES, Field, field

LEVEL = "level"
_SUFFIX = "_extracted"
_KEPT = frozenset(
    {"timestamp", "observed_timestamp", "timestamp_source", "body", UNMAPPED, "generation", "offset", "item"}
)
_KEPT_TOO = frozenset({"batch", "redaction_count", "exception_stacktrace", "severity_text", "severity_number"})
_MOST_PLACES = 3
"""Underscores of which each may stand for a dot."""
_OF_CLIENT, _OF_SERVER = 400, 500


@dataclass(frozen=True, slots=True)
class Label:
    """A label with a name of its own.

    Attributes:
        of: What it is of.
        example: A query with it.
        also: Its other names.
        stream: Whether it tells streams apart.
    """

    of: tuple[str, ...]
    example: str
    also: tuple[str, ...] = ()
    stream: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a label is.

    Attributes:
        text: Its text, in SQL; NULL where a record has none.
        numbers: Columns that hold it as a number.
        kind: The kind of these.
    """

    text: str
    numbers: tuple[str, ...] = ()
    kind: str = "text"


@cache
def known() -> dict[str, Label]:
    """The labels of the data file by their names."""
    data = tomllib.loads(files("logshed.logql").joinpath("labels.toml").read_text(encoding="utf-8"))
    return {
        name: Label(tuple(one["of"]), one["example"], tuple(one.get("also", ())), one.get("stream", False))
        for name, one in data.items()
    }


@cache
def streams() -> tuple[str, ...]:
    """The labels that tell streams apart."""
    return tuple(name for name, label in known().items() if label.stream)


@cache
def metadata() -> tuple[str, ...]:
    """Columns that are a line's metadata."""
    of_streams = {column for name in streams() for column in known()[name].of}
    without = of_streams | _KEPT | _KEPT_TOO
    return tuple(column.name for column in SILVER if column.name not in without)


def canonical(name: str) -> str:
    """The name under which a label stands in the lists."""
    return _others().get(name, name)


@cache
def _others() -> dict[str, str]:
    return {other: name for name, label in known().items() for other in label.also}


def level() -> str:
    """The level's name: of the severity, else of a request's status."""
    status = "http_response_status_code"
    of_request = (
        f"CASE WHEN {status} >= {_OF_SERVER} THEN 'error' WHEN {status} >= {_OF_CLIENT} THEN 'warn' "
        f"WHEN {status} IS NOT NULL THEN 'info' END"
    )
    return f"coalesce({statements.level_name()}, {of_request})"


def found(name: str) -> Found:
    """What a label is: one of the known, a column, an attribute."""
    own = canonical(name)
    if own in known():
        sides = [_side(of) for of in known()[own].of]
        return Found(sides[0] if len(sides) == 1 else f"coalesce({', '.join(sides)})")
    if name.endswith(_SUFFIX) and name != _SUFFIX:
        return found(name.removesuffix(_SUFFIX))
    column = ALIASES.get(name, name)
    keys = [f"{UNMAPPED}[{sql.literal(key)}]" for key in keys_of(name)]
    if column not in _columns():
        return Found(keys[0] if len(keys) == 1 else f"coalesce({', '.join(keys)})")
    known_field = field(column)
    text = known_field.sql if known_field.kind in {"text", "address"} else f"CAST({known_field.sql} AS VARCHAR)"
    if column != name:  # a short name may be an attribute's as well
        text = f"coalesce({text}, {', '.join(keys)})"
    return Found(text, *_numbers(known_field))


def keys_of(name: str) -> list[str]:
    """The keys of attributes that a label may stand for: each underscore may be a dot."""
    bare = name.lstrip("_").rstrip("_")
    if not bare:
        return [name]
    begin = name.index(bare)
    head, tail, pieces = name[:begin], name[begin + len(bare) :], bare.split("_")
    joints, places = ("_", "."), len(pieces) - 1
    ways = product(joints, repeat=places) if places <= _MOST_PLACES else ((joint,) * places for joint in joints)
    keys = ("".join(piece + joint for piece, joint in zip(pieces, (*way, ""), strict=True)) for way in ways)
    return list(dict.fromkeys(f"{head}{key}{tail}" for key in keys))


def _numbers(known_field: Field) -> tuple[tuple[str, ...], str]:
    if known_field.kind in {"integer", "number", "size", "duration"}:
        return (known_field.sql,), known_field.kind
    return (), "text"


@cache
def _columns() -> frozenset[str]:
    return frozenset(column.name for column in SILVER if column.name != UNMAPPED)


def _side(of: str) -> str:
    if of == LEVEL:
        return level()
    key = of.removeprefix(f"{UNMAPPED}.")
    return f"{UNMAPPED}[{sql.literal(key)}]" if key != of else sql.quoted(of)
