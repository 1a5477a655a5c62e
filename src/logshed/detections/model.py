"""What a rule is: a condition on a record, or on how often and in which order records come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

FieldKind = Literal["text", "number", "boolean"]
Level = Literal["informational", "low", "medium", "high", "critical"]
Confidence = Literal["high", "low"]
CorrelationKind = Literal[
    "event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile"
]
Guard = frozenset[tuple[str, str]]
"""Fields and texts in small letters: a record that meets the condition holds at least one of them in its field."""

PLACE = ("client_geo_lat", "client_geo_lon")
"""Columns that say where an address is, in degrees."""
LEVELS: tuple[Level, ...] = ("informational", "low", "medium", "high", "critical")
"""From the least to the worst."""


@dataclass(frozen=True, slots=True)
class Field:
    """What a rule's field is in ``logs``.

    Attributes:
        name: The rule's name for it.
        sql: Expression over the columns of ``logs``, in DuckDB's dialect; empty where the scanner makes it.
        kind: Its type.
        known: Whether a column, a taxonomy or a format vouches for it; else it is looked for among the attributes.
    """

    name: str
    sql: str
    kind: FieldKind = "text"
    known: bool = True

    @property
    def raw(self) -> str:
        """The column of a scan that holds its value."""
        return f"f:{self.name}"

    @property
    def lower(self) -> str:
        """The column of a scan that holds its text in small letters."""
        return f"l:{self.name}"


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition on one record.

    Attributes:
        sql: Over the ``raw`` and ``lower`` columns of its fields, in DuckDB's dialect; never NULL for a NOT.
        fields: Its fields by name.
        guards: What lets most records be passed over: a record that meets it holds something of each of them.
    """

    sql: str
    fields: Mapping[str, Field]
    guards: tuple[Guard, ...]


@dataclass(frozen=True, slots=True)
class Bucket:
    """A leaky bucket: it overflows on the event after ``capacity`` ones that have not leaked yet.

    Attributes:
        capacity: Events that it holds.
        leak_s: Seconds in which it loses one.
        distinct: Field of which only new values count; empty counts every event.
    """

    capacity: int
    leak_s: float
    distinct: str = ""


@dataclass(frozen=True, slots=True)
class Novelty:
    """A value that a group has not had within the timespan.

    Attributes:
        field: Whose values are looked at; records without it do not count.
        after: Records that the group must have had before, so that its habits are known.
    """

    field: str
    after: int


@dataclass(frozen=True, slots=True)
class Correlation:
    """A condition on several records.

    Attributes:
        kind: Sigma's type.
        rules: Names of the rules whose records count, in order.
        group_by: Fields that are the same for all of them; columns of ``logs``.
        timespan_s: Seconds in which they come.
        op: ``gte``, ``gt``, ``lte``, ``lt``, ``eq`` or ``neq``.
        count: What the figure is compared with.
        value: Field whose values count; empty where records do.
        percentile: With ``value_percentile``.
        bucket: Instead of the timespan.
        per_value: With ``value_count``, records that one value has on average at most; 0 is any number.
        novelty: Instead of the figure: the record brings a new value.
        travel_kmh: Instead of the figure: the record comes from where nobody gets in time at this speed; 0 is off.
    """

    kind: CorrelationKind
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    timespan_s: float
    op: str = "gte"
    count: float = 1
    value: str = ""
    percentile: int = 50
    bucket: Bucket | None = None
    per_value: float = 0
    novelty: Novelty | None = None
    travel_kmh: float = 0

    @property
    def columns(self) -> frozenset[str]:
        """Columns and attributes that hits of its rules must bring along."""
        named = {*self.group_by, self.value, self.bucket.distinct if self.bucket else ""}
        return frozenset((named | set(self.needs)) - {""})

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns without which it finds nothing, such as places of addresses, that an enrichment must fill."""
        placed = PLACE if self.travel_kmh else ()
        return (*placed, *((self.novelty.field,) if self.novelty else ()))

    @property
    def reach_s(self) -> float:
        """How far apart, in seconds, records may lie that are counted together."""
        return self.bucket.capacity * self.bucket.leak_s if self.bucket else self.timespan_s


@dataclass(frozen=True, slots=True)
class Case:
    """Records and whether the rule must find something in them.

    Attributes:
        title: What they are, in a sentence.
        holds: Whether it must.
        lines: Raw lines, parsed by ``format``.
        format: A format choice; empty detects it.
        events: Or columns of ``logs``; ``attributes.<key>`` too, ``{n}`` in a text counts the repetitions.
        repeat: How often they come.
        every_s: Seconds between two repetitions.
    """

    title: str
    holds: bool
    lines: tuple[str, ...] = ()
    format: str = ""
    events: tuple[Mapping[str, Any], ...] = ()
    repeat: int = 1
    every_s: float = 1.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A detection.

    Attributes:
        name: The file's stem, or the name in it where a file holds several.
        id: Its UUID.
        title: What it finds.
        description: More of it.
        version: Date and hash of its text.
        author: Who wrote it; shown on every finding.
        license: Under which it came; empty for our own.
        status: Sigma's status.
        level: How bad a find is.
        confidence: ``high`` alerts, ``low`` counts towards scores only.
        tags: Sigma's tags.
        references: Pages about it.
        falsepositives: What else may look so.
        logsource: Sigma's logsource, for people.
        where: Condition over the columns of ``logs`` for the records that it is about; empty is all.
        predicate: Its condition; None for a correlation.
        correlation: Or this.
        bases: The correlation's rules.
        actors: Columns that name the actor, the first that is filled does.
        explanation: Template of the sentence on a finding; empty takes the general one.
        file: Where it is from.
        text: Its source.
        cases: Records that prove it.
    """

    name: str
    id: str
    title: str
    description: str = ""
    version: str = ""
    author: str = ""
    license: str = ""
    status: str = "test"
    level: Level = "medium"
    confidence: Confidence = "high"
    tags: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    logsource: str = ""
    where: str = ""
    predicate: Predicate | None = None
    correlation: Correlation | None = None
    bases: tuple[Rule, ...] = ()
    actors: tuple[str, ...] = ()
    explanation: str = ""
    file: str = ""
    text: str = field(default="", repr=False)
    cases: tuple[Case, ...] = ()

    @property
    def techniques(self) -> str:
        """ATT&CK's techniques, such as ``T1110.003``, separated by blanks."""
        found = [tag.removeprefix("attack.").upper() for tag in self.tags if tag.startswith("attack.t")]
        return " ".join(one for one in found if one[1:2].isdigit())

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns that an enrichment must fill before it can find anything; mostly none."""
        return self.correlation.needs if self.correlation else ()

    @property
    def fields(self) -> dict[str, Field]:
        """Every field that it or its rules look at."""
        own = dict(self.predicate.fields) if self.predicate else {}
        for base in self.bases:
            own |= base.fields
        return own
