"""A named question: its SQL and what its header says of it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args

from logshed.errors import QueryError, UsageError
from logshed.queries.times import EARLIEST, LATEST, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

ParameterKind = Literal["integer", "number", "string", "boolean"]
ChartKind = Literal["bar", "line"]

SCOPE = ("since", "until", "collection", "before")
"""Parameters that every question has."""

_HEADER = re.compile(r"\s*/\*(.*?)\*/(.*)", re.DOTALL)
_PARAMETER = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_KEYS = {"title", "description", "window", "columns", "parameters", "chart"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that the asker may choose.

    Attributes:
        kind: Its type.
        default: Its value where none is given; None means any.
        meaning: One line that says what it does.
    """

    kind: ParameterKind
    default: object
    meaning: str

    def read(self, name: str, value: object) -> object:
        """A given value, text from a command line too, in the parameter's type.

        Raises:
            logshed.errors.UsageError: It is not of that type.
        """
        try:
            return _READERS[self.kind](value)
        except (TypeError, ValueError, KeyError) as error:
            raise UsageError(f"cannot set {name} to {value!r}: it is no {self.kind}; give one") from error


@dataclass(frozen=True, slots=True)
class Chart:
    """How an answer is best drawn.

    Attributes:
        kind: ``bar`` or ``line``.
        x: The column along the axis.
        y: The column with the height.
    """

    kind: ChartKind
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Question:
    """A named question.

    Attributes:
        name: The file's stem.
        title: A few words.
        description: What it answers, and what it counts.
        sql: The statement, with ``$since``, ``$until``, ``$collection``, its own parameters, and ``$before`` where it
            looks at the time of the same length before ``$since`` too.
        window: The time that it looks back over by default, as ``--since`` takes it.
        columns: What each column of the answer means, in order.
        parameters: Its own parameters by name.
        chart: How to draw it, or None.
    """

    name: str
    title: str
    description: str
    sql: str
    window: str
    columns: dict[str, str]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    chart: Chart | None = None

    def bind(
        self,
        values: Mapping[str, object] | None = None,
        *,
        now: datetime | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        collection: str | None = None,
        timezone: str = "UTC",
    ) -> dict[str, object]:
        """The statement's parameters.

        Args:
            values: The question's own parameters; the rest take their defaults.
            now: The present; None takes the clock.
            since: First moment; None takes the question's window.
            until: First moment after; None takes all that is there.
            collection: The only collection to look at; None looks at all.
            timezone: The zone of days and of times that name none.

        Raises:
            logshed.errors.UsageError: A value is wrong, or there is no such parameter.
        """
        given = dict(values or {})
        unknown = sorted(set(given) - set(self.parameters))
        if unknown:
            known = ", ".join(self.parameters) or "none but since, until and collection"
            raise UsageError(f"cannot set {unknown[0]} for {self.name}: it has no such parameter; it has {known}")
        present = now or datetime.now(UTC)
        begin = _moment(self.window if since is None else since, present, timezone)
        end = LATEST if until is None else _moment(until, present, timezone)
        bound: dict[str, object] = {
            "since": begin,
            "until": end,
            "collection": collection,
            "before": _before(begin, min(end, present)),
        }
        for name, parameter in self.parameters.items():
            value = given.get(name)
            bound[name] = parameter.default if value is None else parameter.read(name, value)
        return bound


def parse(name: str, text: str) -> Question:
    """A question from its file's text: a TOML header in a block comment, then the statement.

    Raises:
        logshed.errors.QueryError: The header is wrong; the text names the question and the key.
    """
    match = _HEADER.fullmatch(text)
    if match is None:
        raise _wrong(name, "it begins with no /* header */", "begin it with its title, description and columns")
    try:
        header = tomllib.loads(match[1])
    except tomllib.TOMLDecodeError as error:
        raise _wrong(name, f"its header is no TOML ({error})", "mend it") from error
    unknown = sorted(set(header) - _KEYS)
    if unknown:
        raise _wrong(name, f"its header has the unknown key {unknown[0]!r}", f"take {', '.join(sorted(_KEYS))}")
    columns = _texts(name, header, "columns")
    parameters = {key: _parameter(name, key, value) for key, value in header.get("parameters", {}).items()}
    sql = match[2].strip().removesuffix(";")
    _check_parameters(name, sql, parameters)
    return Question(
        name=name,
        title=_text(name, header, "title"),
        description=_text(name, header, "description"),
        sql=sql,
        window=_window(name, header),
        columns=columns,
        parameters=parameters,
        chart=_chart(name, header, columns),
    )


def _moment(value: str | datetime, now: datetime, timezone: str) -> datetime:
    if isinstance(value, str):
        return moment(value, now=now, timezone=timezone)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def _before(begin: datetime, end: datetime) -> datetime:
    """Where the time of the same length before a window begins."""
    return max(EARLIEST, begin - max(end - begin, timedelta())) if begin > EARLIEST else EARLIEST


def _text(name: str, header: Mapping[str, Any], key: str) -> str:
    value = header.get(key)
    if not isinstance(value, str) or not value.strip():
        raise _wrong(name, f"{key} is missing or no text", f"write {key} = '...' in its header")
    return " ".join(value.split())


def _texts(name: str, header: Mapping[str, Any], key: str) -> dict[str, str]:
    value = header.get(key)
    if not isinstance(value, dict) or not value or not all(isinstance(text, str) for text in value.values()):
        raise _wrong(name, f"{key} is missing or no table of texts", f"write [{key}] in its header")
    return dict(value)


def _window(name: str, header: Mapping[str, Any]) -> str:
    window = _text(name, header, "window")
    try:
        moment(window, now=datetime(2026, 1, 1, tzinfo=UTC))
    except UsageError as error:
        raise _wrong(name, f"window is {window!r}", "write 7d, 24h, today or all") from error
    return window


def _parameter(name: str, key: str, value: object) -> Parameter:
    if key in SCOPE or not isinstance(value, dict) or not {"kind", "meaning"} <= set(value) <= _PARAMETER_KEYS:
        raise _wrong(name, f"parameters.{key} is wrong", f"give it kind, default and meaning; {SCOPE} are given")
    if value["kind"] not in get_args(ParameterKind):
        raise _wrong(name, f"parameters.{key}.kind is {value['kind']!r}", f"take {get_args(ParameterKind)}")
    return Parameter(value["kind"], value.get("default"), str(value["meaning"]))


def _chart(name: str, header: Mapping[str, Any], columns: Mapping[str, str]) -> Chart | None:
    value = header.get("chart")
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"kind", "x", "y"} or value["kind"] not in get_args(ChartKind):
        raise _wrong(name, "chart is wrong", "write chart = { kind = 'bar', x = 'a column', y = 'a column' }")
    if not {value["x"], value["y"]} <= set(columns):
        raise _wrong(name, "chart names a column that [columns] has not", "name one of its columns")
    return Chart(value["kind"], value["x"], value["y"])


def _check_parameters(name: str, sql: str, parameters: Mapping[str, Parameter]) -> None:
    used = set(_PARAMETER.findall(sql))
    if extra := sorted(used - set(parameters) - set(SCOPE)):
        raise _wrong(name, f"its statement uses ${extra[0]}, which no [parameters] declares", "declare it")
    if idle := sorted(set(parameters) - used):
        raise _wrong(name, f"parameters.{idle[0]} is not used by the statement", "use or remove it")


def _wrong(name: str, cause: str, advice: str) -> QueryError:
    return QueryError(f"cannot load the question {name}: {cause}; {advice}")


def _boolean(value: object) -> bool:
    return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]


_PARAMETER_KEYS = {"kind", "default", "meaning"}
_READERS: dict[str, Any] = {"integer": int, "number": float, "string": str, "boolean": _boolean}
