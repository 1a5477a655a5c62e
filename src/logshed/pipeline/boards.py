"""What the web application shows of a dashboard: its layout, and the answers that its tiles and panels need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from logshed.dashboards import fields, units
from logshed.pipeline.narrowing import narrowed, reaches
from logshed.pipeline.report_answers import described
from logshed.queries.header import PARAMETER
from logshed.queries.times import EARLIEST, LATEST, back, moment, moved
from logshed.search.sql import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from logshed.dashboards import Dashboard, Panel, Tile
    from logshed.dashboards.model import Asked
    from logshed.queries import Question
    from logshed.sql.result import Result

    Query = Callable[[str, dict[str, object]], Result]

_DATE = len("2026-01-01")
"""A text that is shorter is no moment that stays, unless it is ``all``."""
MOST_ROWS = 5_000
"""Rows of an answer that a page is given; the whole of it is the question's own answer."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question as a page asks it.

    Attributes:
        question: Its name.
        params: Its own parameters, sorted.
        since: First moment, as ``--since`` takes it; empty takes the question's window.
        until: First moment after; empty takes all.
        collection: The only collection, or empty.
        timezone: The zone of days, and of times that name none.
        matching: A search: only records that it finds count.
        back: ``previous``, or how long before the window to ask of instead; or empty.
    """

    question: str
    params: tuple[tuple[str, object], ...] = ()
    since: str = ""
    until: str = ""
    collection: str = ""
    timezone: str = "UTC"
    matching: str = ""
    back: str = ""

    @property
    def moves(self) -> bool:
        """Whether its window moves with the clock."""
        relative = [one for one in (self.since or "now", self.until) if one and one != "all" and len(one) < _DATE]
        return bool(self.back or relative)


def asked(board: Dashboard) -> dict[str, Asked]:
    """What a dashboard asks, each once, by short names."""
    found: dict[str, Asked] = {}
    known: set[str] = set()
    shown: list[Tile | Panel] = [*board.tiles, *board.panels]
    for one in shown:
        if (key := one.asked.key) not in known:
            known.add(key)
            found[f"a{len(found) + 1}"] = one.asked
    return found


def layout(board: Dashboard, questions: Mapping[str, Question], gold: Iterable[str] = ()) -> dict[str, Any]:
    """A dashboard without its answers: tiles, panels, and what is asked for them.

    Args:
        board: The dashboard.
        questions: The questions by name.
        gold: Short names of the gold tables.
    """
    gold = tuple(gold)
    answers = asked(board)
    names = {one.key: name for name, one in answers.items()}

    def reached(one: Asked) -> bool:
        return reaches(questions[one.question].sql, gold)

    return {
        "name": board.name,
        "title": board.title,
        "description": board.description,
        "window": board.window,
        "tiles": [_tile(one, names, reached=reached(one.asked)) for one in board.tiles],
        "panels": [_panel(one, questions, names, reached=reached(one.asked)) for one in board.panels],
        "answers": {
            name: {"question": one.question, "params": one.params, "window": one.window, "reached": reached(one)}
            for name, one in answers.items()
        },
    }


def _tile(tile: Tile, names: Mapping[str, str], *, reached: bool) -> dict[str, Any]:
    return {
        "title": tile.title,
        "answer": names[tile.asked.key],
        "column": tile.column,
        "unit": units([tile.column])[tile.column],
        "row": tile.row,
        "share_of": tile.share_of,
        "level": tile.level,
        "find": tile.find,
        "opens": tile.opens,
        "less_is_better": tile.less_is_better,
        "reached": reached,
    }


def _panel(
    panel: Panel, questions: Mapping[str, Question], names: Mapping[str, str], *, reached: bool
) -> dict[str, Any]:
    question = questions[panel.asked.question]
    chart = panel.chart
    columns = list(panel.columns or question.columns)
    return {
        "title": panel.title,
        "note": panel.note,
        "what": panel.what,
        "description": question.description,
        "width": panel.width,
        "sorted": panel.sorted,
        "columns": columns,
        "keys": list(question.keys),
        "chart": None if chart is None else {"kind": chart.kind, "x": chart.x, "y": chart.y, "by": chart.by},
        "answer": names[panel.asked.key],
        "fields": _fields(panel, question) if reached else {},
        "opens": panel.opens,
        "reached": reached,
    }


def _fields(panel: Panel, question: Question) -> dict[str, str]:
    if panel.fields is not None:
        return dict(panel.fields)
    known = fields()
    return {column: known[column] for column in question.columns if column in known}


def answer(
    ask: Ask, question: Question, query: Query, gold: Iterable[str] = (), now: datetime | None = None
) -> dict[str, Any]:
    """The answer to a question as a page takes it: columns with their values, and the window that it is of.

    Args:
        ask: What is asked.
        question: The question of that name.
        query: Runs a statement in the zone of ``ask``.
        gold: Short names of the gold tables.
        now: The present; None takes the clock.

    Raises:
        logshed.errors.QueryError: The search is wrong, or the statement failed.
        logshed.errors.UsageError: A time or a parameter is wrong.
    """
    statement = understood(ask, question, gold, now)
    with query(statement.sql, statement.values) as result:
        frame = result.pl()
    told = described(question, dict(ask.params), frame.head(MOST_ROWS))
    window = {"since": _told(statement.begin, EARLIEST), "until": _told(statement.end, LATEST)}
    return told | {"rows": frame.height, "cut": frame.height > MOST_ROWS, "reached": statement.reached, **window}


@dataclass(frozen=True, slots=True)
class Statement:
    """A question that is ready to be asked.

    Attributes:
        sql: The statement.
        values: Its parameters.
        begin: First moment of its window.
        end: First moment after it.
        reached: Whether a search can narrow it.
    """

    sql: str
    values: dict[str, object]
    begin: datetime
    end: datetime
    reached: bool


def understood(ask: Ask, question: Question, gold: Iterable[str] = (), now: datetime | None = None) -> Statement:
    """The statement of a question that is asked, and its parameters.

    Args:
        ask: What is asked.
        question: The question of that name.
        gold: Short names of the gold tables.
        now: The present; None takes the clock.

    Raises:
        logshed.errors.QueryError: The search is wrong.
        logshed.errors.UsageError: A time or a parameter is wrong.
    """
    present = now or datetime.now(UTC)
    begin, end = _window(ask, question, present)
    bound = question.bind(
        dict(ask.params), now=present, since=begin, until=end, collection=ask.collection or None, timezone=ask.timezone
    )
    reached = reaches(question.sql, gold)
    sql = question.sql
    if ask.matching and reached:
        sql = narrowed(sql, ask.matching, now=present, timezone=ask.timezone)
    return Statement(sql, bound, begin, end, reached)


def _window(ask: Ask, question: Question, now: datetime) -> tuple[datetime, datetime]:
    begin = moment(ask.since or question.window, now=now, timezone=ask.timezone)
    end = moment(ask.until, now=now, timezone=ask.timezone) if ask.until else LATEST
    if not ask.back:
        return begin, end
    end = min(end, now)
    away = back(ask.back, begin, end)
    return moved(begin, -away, ask.timezone), moved(end, -away, ask.timezone)


def _told(when: datetime, no_bound: datetime) -> str | None:
    return None if when == no_bound else when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def as_text(statement: Statement) -> str:
    """A statement with its values in it, for people who want to go on with it."""
    return PARAMETER.sub(lambda found: _literal(statement.values[found[1]]), statement.sql)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, datetime):
        return f"TIMESTAMPTZ '{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}+00'"
    return str(value) if isinstance(value, bool | int | float) else literal(str(value))
