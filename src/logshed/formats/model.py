"""What a format is: the frozen object that its file becomes and that the machinery works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logshed.schema import SILVER

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_TYPES = ("access", "application", "security", "audit", "system", "performance")
KINDS = ("regex", "apache", "json", "logfmt", "csv", "w3c", "grok", "items")

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
        *("redaction_count", "source", "generation", "offset", "item", "batch"),
    }
)
VIRTUAL = frozenset(
    {
        *("request_line", "url_original", "duration", "duration_s", "duration_us", "duration_ns"),
        *("syslog_priority", "structured_data"),
    }
)
"""Targets that end up in other columns: a request line, a URL or a path with its query, times in other units
(``duration`` with its unit in the text), the number before a syslog line, RFC 5424's structured data."""
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
class Shape:
    """A pattern and what is known of the records that it takes.

    Attributes:
        pattern: Its named groups are fields.
        groups: Group to target, beside the format's own.
        sets: Target to value, for rows that this pattern takes and whose target it leaves empty.
        literal: A text without which no row is worth the pattern.
    """

    pattern: str
    groups: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, str] = field(default_factory=dict)
    literal: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A pattern that takes one field further apart, finds pairs in it, replaces parts of it, or reads it another way.

    Attributes:
        source: The field; where the pattern matches it stays as it is, unless a group has its name or it is consumed.
        pattern: Its groups replace what their targets held, where it matches.
        pairs: Instead: each match is a pair; its group ``key`` names it, its first filled group ``value...`` is it.
        replace: Instead: each match becomes ``replacement`` in the field.
        groups: Group (or key of a pair) to target, beside the format's own.
        sets: Target to value where the pattern matches.
        consume: Whether the field is emptied where the pattern matches.
        prefix: What stands before the names of attributes made of pairs.
        replacement: What a match becomes, ``$1`` for its first group.
        otherwise: Target to value where the pattern does not match or there is no such field.
        unless: A target: rows that have it are passed over.
        json: Instead of a pattern: the field is a JSON object; ``groups`` maps its paths, other leaves are attributes.
        byte_array: Instead of a pattern: a field that is an array of the numbers of bytes becomes the text they spell.
        join: Between the values of a key that comes again; None keeps the first.
    """

    source: str
    pattern: str = ""
    groups: Mapping[str, str] = field(default_factory=dict)
    consume: bool = False
    sets: Mapping[str, str] = field(default_factory=dict)
    pairs: str = ""
    prefix: str = ""
    replace: str = ""
    replacement: str = ""
    join: str | None = None
    otherwise: Mapping[str, str] = field(default_factory=dict)
    unless: str = ""
    json: bool = False
    byte_array: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """What a file's header lines say about the lines after them.

    Attributes:
        text: The header lines as written.
        fields: Names of the fields, in order.
        delimiter: What parts the fields; empty for a tab where a line has one, else a space.
        facts: Other things that the header says, by name.
    """

    text: str
    fields: tuple[str, ...]
    delimiter: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Envelope:
    """How lines that carry other lines are unwrapped.

    Attributes:
        payload: The field that holds the inner text; empty where there are ``items``.
        stream: Fields that tell interleaved streams apart.
        partial: A regular expression on ``partial_field``; where it matches, the next line of the stream goes on.
        partial_field: The field that tells, the payload by default.
        trim: What is cut from the payload's end once the pieces are joined.
        single: Whether each line is a record of its own, whatever is in it.
    """

    payload: str
    stream: tuple[str, ...] = ()
    partial: str | None = None
    partial_field: str = ""
    trim: str = ""
    single: bool = False


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
    shapes: tuple[Shape, ...] = ()
    log_format: str = ""
    log_formats: tuple[str, ...] = ()
    extra: bool = False
    groups: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fold: bool = False
    requires: tuple[tuple[str, ...], ...] = ()
    times: tuple[str, ...] = ()
    zone: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)
    nulls: tuple[str, ...] = ()
    severities: Mapping[str, str] = field(default_factory=dict)
    unescape: bool = False
    traces: bool = False
    lenient: tuple[str, ...] = ()
    min_share: float = 0.0
    start: str | None = None
    more: str | None = None
    opener: str | None = None
    whole: bool = False
    copies: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    programs: str = ""
    pair_arrays: tuple[str, ...] = ()
    unprefixed: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    fewest: int = 0
    delimiter: str = ""
    quote: str = '"'
    plus: tuple[str, ...] = ()
    has_header: bool = False
    header: Header | None = None
    pin: str = ""
    envelope: Envelope | None = None
    samples: tuple[Sample, ...] = ()

    @property
    def spelling(self) -> str:
        """How a choice names it: its name, or its whole definition where no file holds that."""
        return self.pin or self.name

    @property
    def multiline(self) -> bool:
        """Whether a record may span lines."""
        return self.start is not None or self.more is not None


def target(name: str, groups: Mapping[str, str]) -> str:
    """The field that a named group or key fills: a column's name, or ``@key`` for an attribute."""
    mapped = groups.get(name, name)
    return mapped if mapped in TARGETS or mapped.startswith("@") else f"@{mapped}"
