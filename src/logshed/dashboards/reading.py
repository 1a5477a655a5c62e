"""Reads a dashboard's file and checks it against the questions that it names; an error says the file and the key."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast, get_args

from logshed.dashboards.model import WINDOW, Asked, ByDay, Dashboard, Drill, Panel, Shown, Tile, Width
from logshed.errors import DashboardError, QueryError, UsageError
from logshed.queries.chart import read as read_chart
from logshed.queries.times import moment
from logshed.search import parse as parse_search
from logshed.search.fields import field
from logshed.search.model import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from logshed.queries import Chart, Question

_PAGE = {"title", "description", "order", "tiles", "panels", "shown", "window"}
_ASKED = {"question", "params", "window"}
_TILE = {*_ASKED, "title", "column", "row", "share_of", "by_day", "level", "find", "opens", "less_is_better"}
_SHOWN = {"title", "what", "chart", "width", "columns", "time", "by_day", "drill", "note", "sorted", "fields", "opens"}
_PANEL = _ASKED | _SHOWN
_BY_DAY = {*_ASKED, "day", "columns", "shares"}
_DRILL = {*_ASKED, "on", "at"}


def parse(name: str, text: str, questions: Mapping[str, Question]) -> Dashboard:
    """A dashboard from its file's text.

    Args:
        name: The file's stem.
        text: Its text.
        questions: The questions that it may name.

    Raises:
        logshed.errors.DashboardError: The file is wrong; the text names the key.
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DashboardError(f"cannot load the dashboard {name}: it is no TOML ({error}); mend it") from error
    page = _Key(name, "", questions)
    page.known(said, _PAGE)
    panels = page.tables(said, "panels")
    if not panels:
        raise page.wrong("panels is missing or empty", "write [[panels]]")
    return Dashboard(
        name=name,
        title=page.words(said, "title"),
        description=page.words(said, "description"),
        order=page.number(said, "order", 1_000),
        tiles=tuple(_tile(page.at(f"tiles[{place}]"), one) for place, one in enumerate(page.tables(said, "tiles"))),
        panels=tuple(_panel(page.at(f"panels[{place}]"), one) for place, one in enumerate(panels)),
        shown=cast("Shown", page.one_of(said, "shown", get_args(Shown), "everywhere")),
        window=page.window(said, WINDOW),
    )


@dataclass(frozen=True)
class _Key:
    """A place in a file, for errors and for what is read there."""

    name: str
    path: str
    questions: Mapping[str, Question]

    def at(self, key: str) -> _Key:
        return _Key(self.name, f"{self.path}.{key}" if self.path else key, self.questions)

    def wrong(self, cause: str, advice: str) -> DashboardError:
        place = f"{self.path}: " if self.path else ""
        return DashboardError(f"cannot load the dashboard {self.name}: {place}{cause}; {advice}")

    def known(self, said: object, keys: set[str]) -> dict[str, Any]:
        if not isinstance(said, dict):
            raise self.wrong("it is no table", f"give it {', '.join(sorted(keys))}")
        if unknown := sorted(set(said) - keys):
            raise self.wrong(f"{unknown[0]} is no key", f"take {', '.join(sorted(keys))}")
        return said

    def words(self, said: Mapping[str, Any], key: str, default: str | None = None) -> str:
        value = said.get(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.wrong(f"{key} is missing or no text", f"write {key} = '...'")
        return " ".join(value.split())

    def number(self, said: Mapping[str, Any], key: str, default: int) -> int:
        value = said.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(f"{key} is no whole number", f"write {key} = {default}")
        return value

    def one_of(self, said: Mapping[str, Any], key: str, choices: Iterable[str], default: str) -> str:
        value = said.get(key, default)
        if value not in tuple(choices):
            raise self.wrong(f"{key} is {value!r}", f"take one of {', '.join(choices)}")
        return str(value)

    def flag(self, said: Mapping[str, Any], key: str, *, default: bool) -> bool:
        value = said.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(f"{key} is neither true nor false", f"write {key} = {str(not default).lower()}")
        return value

    def window(self, said: Mapping[str, Any], default: str) -> str:
        value = self.words(said, "window", default)
        try:
            moment(value, now=datetime(2026, 1, 1, tzinfo=UTC))
        except UsageError as error:
            raise self.wrong(f"window is {value!r}", "write 24h, 7d, today or all") from error
        return value

    def search(self, said: Mapping[str, Any], key: str) -> str:
        value = self.words(said, key, "")
        try:
            parse_search(value)
        except QueryError as error:
            raise self.wrong(f"{key} is {value!r}, no search", "write such as level>=error") from error
        return value

    def tables(self, said: Mapping[str, Any], key: str) -> list[Any]:
        value = said.get(key, [])
        if not isinstance(value, list):
            raise self.wrong(f"{key} is no list of tables", f"write [[{key}]]")
        return value

    def asked(self, said: Mapping[str, Any]) -> Asked:
        name = self.words(said, "question")
        if name not in self.questions:
            raise self.wrong(f"question is {name!r}, which is none", "logshed run lists them")
        params = said.get("params", {})
        try:
            self.questions[name].bind(params)
        except (UsageError, TypeError, ValueError) as error:
            raise self.wrong(f"params do not fit {name} ({error})", f"logshed run {name} --show tells them") from error
        return Asked(name, dict(params), self.window(said, "") if "window" in said else "")

    def column(self, asked: Asked, key: str, value: object) -> str:
        columns = self.questions[asked.question].columns
        if value not in columns:
            raise self.wrong(f"{key} is {value!r}, no column of {asked.question}", f"take {', '.join(columns)}")
        return str(value)

    def columns(self, asked: Asked, key: str, values: Iterable[object]) -> tuple[str, ...]:
        return tuple(self.column(asked, key, value) for value in values)


def _tile(key: _Key, said: object) -> Tile:
    given = key.known(said, _TILE)
    asked = key.asked(given)
    row = key.at("row").known(given.get("row", {}), set(key.questions[asked.question].columns))
    column = key.column(asked, "column", given.get("column"))
    share_of = key.column(asked, "share_of", given["share_of"]) if "share_of" in given else None
    needed = [column, *([share_of] if share_of else []), *row]
    return Tile(
        title=key.words(given, "title"),
        asked=asked,
        column=column,
        row=row,
        share_of=share_of,
        by_day=_by_day(key.at("by_day"), given["by_day"], asked, needed) if "by_day" in given else None,
        level=key.column(asked, "level", given["level"]) if "level" in given else None,
        find=key.search(given, "find"),
        opens=key.words(given, "opens", ""),
        less_is_better=key.flag(given, "less_is_better", default=False),
    )


def _panel(key: _Key, said: object) -> Panel:
    given = key.known(said, _PANEL)
    asked = key.asked(given)
    if "time" in given and "by_day" in given:
        raise key.wrong("it has both time and by_day", "take time where the rows are of a time, else by_day")
    chart = _chart(key, given, asked)
    needed = [chart.x, chart.y, *([chart.by] if chart.by else [])] if chart else []
    return Panel(
        title=key.words(given, "title"),
        asked=asked,
        what=key.words(given, "what"),
        chart=chart,
        width=cast("Width", key.one_of(given, "width", get_args(Width), "half")),
        columns=key.columns(asked, "columns", key.tables(given, "columns")),
        time=key.column(asked, "time", given["time"]) if "time" in given else None,
        by_day=_by_day(key.at("by_day"), given["by_day"], asked, needed) if "by_day" in given else None,
        drill=_drill(key.at("drill"), given["drill"], asked, chart) if "drill" in given else None,
        note=key.words(given, "note", ""),
        sorted=key.flag(given, "sorted", default=True),
        fields=_fields(key.at("fields"), given["fields"], asked) if "fields" in given else None,
        opens=key.words(given, "opens", ""),
    )


def _chart(key: _Key, given: Mapping[str, Any], asked: Asked) -> Chart | None:
    """The question's own chart, what the panel says instead, or none where it says ``chart = false``."""
    said = given.get("chart")
    question = key.questions[asked.question]
    if said is None:
        return question.chart
    if said is False:
        return None
    try:
        return read_chart(f"the dashboard {key.name}: {key.path}", {"chart": said}, question.columns)
    except QueryError as error:
        raise DashboardError(str(error)) from error


def _by_day(key: _Key, said: object, of: Asked, needed: Iterable[str]) -> ByDay:
    given = key.known(said, _BY_DAY)
    asked = key.asked(given)
    columns = key.at("columns").known(given.get("columns", {}), set(key.questions[of.question].columns))
    key.columns(asked, "columns", columns.values())
    shares = key.at("shares").known(given.get("shares", {}), set(key.questions[of.question].columns))
    for column in [one for one in needed if one not in shares]:
        key.column(asked, "columns", columns.get(column, column))
    for column in shares.values():
        key.column(asked, "shares", columns.get(column, column))
    return ByDay(asked, key.column(asked, "day", given.get("day", "day")), dict(columns), dict(shares))


def _fields(key: _Key, said: object, of: Asked) -> dict[str, str]:
    """Columns of the question, each with the field of a search."""
    given = key.known(said, set(key.questions[of.question].columns))
    for column, name in given.items():
        try:
            field(str(name))
        except Mistake as mistake:
            raise key.wrong(f"{column} is {name!r}: {mistake}", "name a field of logshed search") from mistake
    return {column: str(name) for column, name in given.items()}


def _drill(key: _Key, said: object, of: Asked, chart: Chart | None) -> Drill:
    given = key.known(said, _DRILL)
    asked = key.asked(given)
    at = given.get("at", chart.x if chart else None)
    return Drill(asked, key.column(asked, "on", given.get("on")), key.column(of, "at", at))
