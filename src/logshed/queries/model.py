"""A named question: its SQL and what its header says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from logshed.errors import UsageError
from logshed.queries import chart as charts
from logshed.queries import parameters as params
from logshed.queries.header import PARAMETER, names, split, words, wrong
from logshed.queries.parameters import SCOPE
from logshed.queries.parts import assembled
from logshed.queries.times import EARLIEST, LATEST, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.queries.chart import Chart
    from logshed.queries.parameters import Parameter
    from logshed.queries.parts import Part

_KEYS = frozenset({"title", "description", "window", "columns", "parameters", "chart", "uses", "keys"})


@dataclass(frozen=True, slots=True)
class Question:
    """A named question.

    Attributes:
        name: The file's stem.
        title: A few words.
        description: What it answers, and what it counts.
        sql: The statement with the parts that it uses, with ``$since``, ``$until``, ``$collection``, its own
            parameters, and ``$before`` where it looks at the time of the same length before ``$since`` too.
        window: The time that it looks back over by default, as ``--since`` takes it.
        columns: What each column of the answer means, in order.
        parameters: Its own parameters by name.
        chart: How to draw it, or None.
        keys: Columns that together tell a row from the others, by which two answers are compared; empty where rows
            are single records.
    """

    name: str
    title: str
    description: str
    sql: str
    window: str
    columns: dict[str, str]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    chart: Chart | None = None
    keys: tuple[str, ...] = ()

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


def parse(name: str, text: str, parts: Mapping[str, Part] | None = None) -> Question:
    """A question from its file's text: a TOML header in a block comment, then the statement.

    Args:
        name: The file's stem.
        text: Its text.
        parts: The parts that it may use, by name.

    Raises:
        logshed.errors.QueryError: The header is wrong; the text names the question and the key.
    """
    what = f"the question {name}"
    header, own = split(what, text, _KEYS)
    columns = _columns(what, header)
    sql, brought = assembled(what, own, names(what, header, "uses"), parts or {})
    parameters = {**params.read(what, header), **brought}
    _check_parameters(what, sql, parameters)
    chart = charts.read(what, header, columns)
    return Question(
        name=name,
        title=words(what, header, "title"),
        description=words(what, header, "description"),
        sql=sql,
        window=_window(what, header),
        columns=columns,
        parameters=parameters,
        chart=chart,
        keys=_keys(what, header, columns, chart),
    )


def _moment(value: str | datetime, now: datetime, timezone: str) -> datetime:
    if isinstance(value, str):
        return moment(value, now=now, timezone=timezone)
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def _before(begin: datetime, end: datetime) -> datetime:
    """Where the time of the same length before a window begins."""
    return max(EARLIEST, begin - max(end - begin, timedelta())) if begin > EARLIEST else EARLIEST


def _columns(what: str, header: Mapping[str, Any]) -> dict[str, str]:
    value = header.get("columns")
    if not isinstance(value, dict) or not value or not all(isinstance(text, str) for text in value.values()):
        raise wrong(what, "columns is missing or no table of texts", "write [columns] in its header")
    return dict(value)


def _keys(what: str, header: Mapping[str, Any], columns: Mapping[str, str], chart: Chart | None) -> tuple[str, ...]:
    """Those that the header names, else what the chart has beside its sizes."""
    if "keys" not in header:
        return chart.keys if chart is not None else ()
    keys = names(what, header, "keys")
    if not set(keys) <= set(columns):
        raise wrong(what, "keys names a column that [columns] has not", "name one of its columns")
    return keys


def _window(what: str, header: Mapping[str, Any]) -> str:
    window = words(what, header, "window")
    try:
        moment(window, now=datetime(2026, 1, 1, tzinfo=UTC))
    except UsageError as error:
        raise wrong(what, f"window is {window!r}", "write 7d, 24h, today or all") from error
    return window


def _check_parameters(what: str, sql: str, parameters: Mapping[str, Parameter]) -> None:
    used = set(PARAMETER.findall(sql))
    if extra := sorted(used - set(parameters) - set(SCOPE)):
        raise wrong(what, f"its statement uses ${extra[0]}, which no [parameters] declares", "declare it")
    if idle := sorted(set(parameters) - used):
        raise wrong(what, f"parameters.{idle[0]} is not used by the statement", "use or remove it")
