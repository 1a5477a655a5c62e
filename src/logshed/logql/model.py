"""The tree of a LogQL query: what is selected, what is done with each line, what is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Comparing = Literal["=", "!=", ">", ">=", "<", "<=", "=~", "!~"]
Unit = Literal["text", "number", "duration", "bytes", "ip"]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the query's text.

    Attributes:
        at: Where it begins.
        end: Where it ends.
    """

    at: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Matcher:
    """A label compared with a text.

    Attributes:
        name: The label.
        operator: ``=``, ``!=``, ``=~`` or ``!~``.
        value: The text, or the regular expression that all of the label must match.
        spot: Where it stands.
    """

    name: str
    operator: Comparing
    value: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class LineFilter:
    """A condition on the line.

    Attributes:
        operator: ``|=``, ``!=``, ``|~``, ``!~``, ``|>`` or ``!>``.
        texts: One of them is enough.
        spot: Where it stands.
    """

    operator: str
    texts: tuple[str, ...]
    spot: Spot


@dataclass(frozen=True, slots=True)
class Parser:
    """``| json`` or ``| logfmt``.

    Attributes:
        kind: Which.
        pairs: Labels and what in the line they are of; none take all.
        spot: Where it stands.
    """

    kind: Literal["json", "logfmt"]
    pairs: tuple[tuple[str, str], ...]
    spot: Spot


@dataclass(frozen=True, slots=True)
class Capture:
    """``| regexp`` or ``| pattern``: labels are cut out of the line.

    Attributes:
        expression: The regular expression.
        names: The label of each group in order; None takes none.
    """

    expression: str
    names: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A label compared with a value.

    Attributes:
        name: The label.
        operator: How.
        value: A text; of numbers, durations (seconds) and bytes a float.
        unit: What the value is.
        spot: Where it stands.
    """

    name: str
    operator: Comparing
    value: str | float
    unit: Unit
    spot: Spot


@dataclass(frozen=True, slots=True)
class Joined:
    """Conditions on labels, all of which or one of which must hold."""

    word: Literal["AND", "OR"]
    parts: tuple[Condition, ...]


Condition = Compared | Joined


@dataclass(frozen=True, slots=True)
class LineFormat:
    """``| line_format``: the line is written anew by a template."""

    template: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class LabelFormat:
    """``| label_format``: labels are renamed, or written by a template.

    Attributes:
        pairs: The new label, what it is made of, and whether that is a template.
        spot: Where it stands.
    """

    pairs: tuple[tuple[str, str, bool], ...]
    spot: Spot


@dataclass(frozen=True, slots=True)
class Choice:
    """``| drop`` or ``| keep``.

    Attributes:
        keep: Whether the others are dropped.
        items: Labels, each with a condition under which alone it is meant, or None.
    """

    keep: bool
    items: tuple[tuple[str, Matcher | None], ...]


@dataclass(frozen=True, slots=True)
class Decolorize:
    """``| decolorize``: ANSI's signs for colours are taken out."""


Stage = LineFilter | Parser | Capture | Compared | Joined | LineFormat | LabelFormat | Choice | Decolorize


@dataclass(frozen=True, slots=True)
class Unwrap:
    """``| unwrap``: the number that a range is computed of.

    Attributes:
        name: The label.
        conversion: ``duration``, ``bytes`` or empty for a plain number.
        stages: What follows it.
        spot: Where it stands.
    """

    name: str
    conversion: str
    stages: tuple[Stage, ...]
    spot: Spot


@dataclass(frozen=True, slots=True)
class Log:
    """Lines: their streams, and what is done with each."""

    matchers: tuple[Matcher, ...]
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """``by (…)``, or ``without (…)``."""

    names: tuple[str, ...]
    without: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """A figure of the lines in a window before each step.

    Attributes:
        function: Such as ``count_over_time``.
        log: Which lines.
        unwrap: Of which number, or None.
        window: Microseconds that the window is long.
        offset: Microseconds that it lies before the step.
        parameter: The quantile, or None.
        grouping: By which labels, or None.
        spot: Where it stands.
    """

    function: str
    log: Log
    unwrap: Unwrap | None
    window: int
    offset: int
    parameter: float | None
    grouping: Grouping | None
    spot: Spot


@dataclass(frozen=True, slots=True)
class Aggregation:
    """Series put together, or chosen among.

    Attributes:
        function: Such as ``sum`` or ``topk``.
        of: The series.
        parameter: How many ``topk`` keeps, or None.
        grouping: By which labels; None puts all together.
    """

    function: str
    of: Metric
    parameter: int | None
    grouping: Grouping | None


@dataclass(frozen=True, slots=True)
class Binary:
    """Two metrics, or a metric and a number.

    Attributes:
        operator: Such as ``/``, ``>`` or ``and``.
        left: The first.
        right: The second.
        flag: Whether a comparison gives 0 and 1 instead of choosing.
        matching: The labels by which series belong together; None takes all.
        spot: Where it stands.
    """

    operator: str
    left: Metric
    right: Metric
    flag: bool
    matching: Grouping | None
    spot: Spot


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Vector:
    """``vector(…)``: one series without labels that is always this number."""

    value: float


@dataclass(frozen=True, slots=True)
class Replaced:
    """``label_replace(…)``: a label is made of another.

    Attributes:
        of: The series.
        target: The label.
        template: What it becomes; ``$1`` is the first group.
        source: The other.
        expression: What all of that must match.
    """

    of: Metric
    target: str
    template: str
    source: str
    expression: str


Metric = Range | Aggregation | Binary | Number | Vector | Replaced
Query = Log | Metric
