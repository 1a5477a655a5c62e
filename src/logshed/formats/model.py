"""What a format file says: its keys, their checks, and the frozen object that the machinery works with."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logshed.errors import FormatError
from logshed.schema import SILVER

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

LOG_TYPES = ("access", "application", "security", "audit", "system", "performance")
KINDS = ("regex", "apache", "json", "logfmt")

_KEPT_BY_THE_PIPELINE = frozenset(
    {
        *(
            "timestamp_source",
            "observed_timestamp",
            "collection",
            "attributes",
            "log_format",
            "log_type",
            "parse_error",
        ),
        *("redaction_count", "source", "generation", "offset", "item", "batch", "severity_number"),
    }
)
VIRTUAL = frozenset(
    {
        *("request_line", "url_original", "duration_s", "duration_us", "duration_ns"),
        *("syslog_priority", "structured_data"),
    }
)
"""Targets that end up in other columns: a request line, a URL or a path with its query, times in other units, the
number before a syslog line, RFC 5424's structured data."""
TARGETS = frozenset(column.name for column in SILVER) - _KEPT_BY_THE_PIPELINE | VIRTUAL
"""What a field may be called to fill a column; any other name is an attribute."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample record and what must come out of it.

    Attributes:
        line: The raw record; its physical lines joined by a line feed.
        expect: Column or ``attributes.<key>`` to its value; times as ISO 8601.
        absent: Columns or ``attributes.<key>`` that must be null.
        origin: Where it is from, such as the title of a page of documentation.
    """

    line: str
    expect: Mapping[str, Any]
    absent: tuple[str, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Step:
    """A pattern that takes one field further apart.

    Attributes:
        source: The field; where the pattern matches it stays as it is, unless a group has its name or it is consumed.
        pattern: Its groups replace what their targets held, where it matches.
        groups: Group to target, beside the format's own.
        consume: Whether the field is emptied where the pattern matches.
    """

    source: str
    pattern: str
    groups: Mapping[str, str]
    consume: bool = False


@dataclass(frozen=True, slots=True)
class Envelope:
    """How lines that carry other lines are unwrapped.

    Attributes:
        payload: The field that holds the inner text.
        stream: Fields that tell interleaved streams apart.
        partial: A regular expression on ``partial_field``; where it matches, the next line of the stream goes on.
        partial_field: The field that tells, the payload by default.
        trim: What is cut from the payload's end once the pieces are joined.
    """

    payload: str
    stream: tuple[str, ...] = ()
    partial: str | None = None
    partial_field: str = ""
    trim: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """One log format, as its file says; see the module's readers below for each key."""

    name: str
    title: str
    kind: str
    log_type: str
    specificity: int
    aliases: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    log_format: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    requires: tuple[tuple[str, ...], ...] = ()
    times: tuple[str, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    nulls: tuple[str, ...] = ()
    severities: Mapping[str, str] = field(default_factory=dict)
    unescape: bool = False
    traces: bool = False
    lenient: tuple[str, ...] = ()
    min_share: float = 0.0
    start: str | None = None
    envelope: Envelope | None = None
    samples: tuple[Sample, ...] = ()

    @property
    def multiline(self) -> bool:
        """Whether a record may span lines."""
        return self.start is not None


def read_format(name: str, file: Traversable) -> Format:
    """Read and check one format file.

    Raises:
        FormatError: The file is no TOML or a key is missing, unknown or wrong; the text names file and key.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"cannot read format {file}: {error}; mend the TOML") from error
    return format_from(name, data, str(file))


def format_from(name: str, data: dict[str, Any], where: str) -> Format:
    """Build a format from its file's keys; ``where`` is named in errors.

    Raises:
        FormatError: A key is missing, unknown or wrong.
    """
    reader = _Reader(dict(data), where)
    kind = reader.choice("kind", KINDS)
    found = Format(
        name=name,
        title=reader.text("title"),
        kind=kind,
        log_type=reader.choice("log_type", LOG_TYPES),
        specificity=reader.typed("specificity", int, None),
        aliases=reader.texts("aliases"),
        references=reader.texts("references"),
        patterns=reader.patterns(),
        log_format=reader.typed("log_format", str, ""),
        groups=reader.mapping("groups"),
        steps=reader.steps(),
        columns=reader.columns(),
        requires=tuple(tuple(paths.split(" | ")) for paths in reader.texts("requires")),
        times=reader.texts("times"),
        constants=reader.mapping("constants"),
        nulls=reader.texts("nulls"),
        severities=reader.mapping("severities"),
        unescape=reader.typed("unescape", bool, default=False),
        traces=reader.typed("traces", bool, default=False),
        lenient=reader.texts("lenient"),
        min_share=float(reader.typed("min_share", (int, float), 0.0)),
        start=reader.start(),
        envelope=reader.envelope(),
        samples=reader.samples(),
    )
    reader.finish()
    needs = {"regex": found.patterns, "apache": found.log_format, "json": found.columns, "logfmt": True}
    if not needs[kind]:
        wanted = {"regex": "pattern", "apache": "log_format", "json": "columns"}[kind]
        raise FormatError(f"cannot read format {where}: key `{wanted}` is missing; a format of kind {kind} needs it")
    return found


class _Reader:
    """Takes keys out of a format file's table and says which one is wrong."""

    def __init__(self, data: dict[str, Any], where: str) -> None:
        self.data = data
        self.where = where

    def wrong(self, key: str, cause: str) -> FormatError:
        return FormatError(f"cannot read format {self.where}: key `{key}` {cause}; mend that key")

    def typed(self, key: str, kind: type | tuple[type, ...], default: Any) -> Any:
        value = self.data.pop(key, default)
        if value is None:
            raise self.wrong(key, "is missing")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            names = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
            raise self.wrong(key, f"must be {names}")
        return value

    def text(self, key: str) -> str:
        return str(self.typed(key, str, None))

    def choice(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise self.wrong(key, f"is {value!r} but must be one of {', '.join(allowed)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.typed(key, list, [])
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(key, "must be a list of strings")
        return tuple(values)

    def mapping(self, key: str) -> dict[str, str]:
        values: dict[str, str] = self.typed(key, dict, {})
        if not all(isinstance(value, str) for value in values.values()):
            raise self.wrong(key, "must map names to strings")
        return values

    def patterns(self) -> tuple[str, ...]:
        patterns = self.texts("patterns")
        single = self.typed("pattern", str, "")
        return tuple(self.regex("pattern", one) for one in ((single,) if single else patterns))

    def regex(self, key: str, pattern: str) -> str:
        """A pattern, checked by the engine that will run it."""
        import polars as pl  # noqa: PLC0415 - heavy, and only files with patterns need it

        try:
            pl.Series([""]).str.contains(pattern)
        except pl.exceptions.ComputeError as error:
            raise self.wrong(key, f"is no regular expression ({str(error).splitlines()[-1]})") from error
        return pattern

    def columns(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for column, paths in self.typed("columns", dict, {}).items():
            listed = [paths] if isinstance(paths, str) else paths
            if not isinstance(listed, list) or not all(isinstance(path, str) for path in listed):
                raise self.wrong(f"columns.{column}", "must be a path or a list of paths")
            found[target(column, {})] = tuple(listed)
        return found

    def steps(self) -> tuple[Step, ...]:
        found = []
        for index, table in enumerate(self.typed("step", list, [])):
            inner = _Reader(dict(table), f"{self.where}, step {index + 1}")
            source = inner.text("source")
            pattern = inner.regex("pattern", inner.text("pattern"))
            consume = inner.typed("consume", bool, default=False)
            found.append(Step(source, pattern, inner.mapping("groups"), consume))
            inner.finish()
        return tuple(found)

    def start(self) -> str | None:
        table = self.typed("multiline", dict, {})
        if not table:
            return None
        inner = _Reader(dict(table), f"{self.where}, multiline")
        pattern = inner.regex("start", inner.text("start"))
        inner.finish()
        return pattern

    def envelope(self) -> Envelope | None:
        table = self.typed("envelope", dict, {})
        if not table:
            return None
        inner = _Reader(dict(table), f"{self.where}, envelope")
        partial = inner.typed("partial", str, "")
        payload = inner.text("payload")
        found = Envelope(
            payload=payload,
            stream=inner.texts("stream"),
            partial=inner.regex("partial", partial) if partial else None,
            partial_field=inner.typed("partial_field", str, payload),
            trim=inner.typed("trim", str, ""),
        )
        inner.finish()
        return found

    def samples(self) -> tuple[Sample, ...]:
        found = []
        for index, table in enumerate(self.typed("sample", list, [])):
            inner = _Reader(dict(table), f"{self.where}, sample {index + 1}")
            expect = inner.typed("expect", dict, None)
            found.append(Sample(inner.text("line"), expect, inner.texts("absent"), inner.typed("origin", str, "")))
            inner.finish()
        return tuple(found)

    def finish(self) -> None:
        if self.data:
            key = min(self.data)
            raise self.wrong(key, "is unknown")


def target(name: str, groups: Mapping[str, str]) -> str:
    """The field that a named group or key fills: a column's name, or ``@key`` for an attribute."""
    mapped = groups.get(name, name)
    return mapped if mapped in TARGETS or mapped.startswith("@") else f"@{mapped}"
