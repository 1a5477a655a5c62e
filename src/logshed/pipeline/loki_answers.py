"""Answers what Loki's API is asked: lines, series over time, labels and their values, volumes, what arrives."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from logshed.errors import UsageError
from logshed.logql import Log, Steps, labels, parse, ranges, selection, statements
from logshed.logql.series import plain
from logshed.pipeline import loki_json, loki_times
from logshed.pipeline.search import Search, found, of_batches
from logshed.search.scope import Scope
from logshed.search.statements import ORDER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from logshed.logql.model import Query as Tree
    from logshed.logql.statements import Lines
    from logshed.sql.result import Result

    Query = Callable[[str], Result]

MOST_VALUES = 10_000
"""Values of a label, and streams, that are listed."""
_VOLUMES, _FIELDS = 100, 1_000
SAMPLE = 10_000
"""Records that are looked at to tell which fields there are."""
Answer = dict[str, Any]
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Listing(Search):
    """A search for lines with their labels.

    Attributes:
        selected: What stands behind SELECT.
    """

    selected: str = "*"

    @property
    def sql(self) -> str:
        """The statement."""
        down = "" if self.oldest_first else " DESC"
        order = ", ".join(f'"{name}"{down}' for name in ORDER)
        most = "" if self.limit is None else f"\nLIMIT {self.limit}"
        return f"SELECT {self.selected}\nFROM logs\nWHERE {self.scope.where}\nORDER BY {order}{most}"


class LokiAnswers:
    """Answers in Loki's forms.

    Args:
        query: Runs a statement over the lake, as far as the asker may see it.
        now: The present; None takes the clock.
    """

    def __init__(self, query: Query, now: datetime | None = None) -> None:
        self._query = query
        self._now = now or datetime.now(UTC)

    def query_range(self, asked: Mapping[str, str], *, apart: bool = False) -> Answer:
        """Lines or series between two moments.

        Args:
            asked: ``query``, ``start``, ``end``, ``step``, ``limit``, ``direction``.
            apart: Whether metadata is to stand with each line.

        Raises:
            logshed.errors.QueryError: The query is wrong; the error points at the place.
            logshed.errors.UsageError: A time, a step or a limit is none.
        """
        begun, text = time.monotonic(), _text(asked)
        tree = parse(text)
        if isinstance(tree, Log):
            lines = statements.lines(tree, text)
            rows = loki_json.streams(found(self._listing(lines, asked), self._query), lines, apart=apart)
            return _answer("streams", rows, begun, apart=apart)
        steps = loki_times.steps(asked, loki_times.span(asked, self._now))
        return _answer("matrix", loki_json.matrix(*self._series(tree, steps, text), steps), begun)

    def query(self, asked: Mapping[str, str]) -> Answer:
        """Series at one moment.

        Raises:
            logshed.errors.QueryError: The query is wrong, or asks for lines.
            logshed.errors.UsageError: The time is none.
        """
        begun, text = time.monotonic(), _text(asked)
        tree = parse(text)
        if isinstance(tree, Log):
            raise UsageError("cannot tell lines of one moment: they have a time each; ask query_range for them")
        when = asked.get("time")
        moment = loki_times.moment(when, "time") if when else round(self._now.timestamp() * loki_times.MICROSECONDS)
        steps = Steps(moment, loki_times.MICROSECONDS, 0)
        rows = loki_json.vector(*self._series(tree, steps, text), steps)
        return _answer("scalar", rows[0]["value"], begun) if plain(tree) else _answer("vector", rows, begun)

    def labels(self, asked: Mapping[str, str]) -> Answer:
        """The labels of streams that any record of a time has."""
        there = self._query(statements.names_there(self._where(asked, asked.get("query")))).rows()[0]
        return _told(sorted(name for name, has in zip(labels.streams(), there, strict=True) if has))

    def values(self, name: str, asked: Mapping[str, str]) -> Answer:
        """The values of a label in a time, at most ``MOST_VALUES``."""
        where = self._where(asked, asked.get("query"))
        return _told([value for (value,) in self._query(statements.values_of(name, where, MOST_VALUES)).rows()])

    def series(self, asked: Mapping[str, str], matches: Sequence[str]) -> Answer:
        """The streams of a time that one of some selectors matches.

        Raises:
            logshed.errors.QueryError: A selector is wrong.
            logshed.errors.UsageError: There is none.
        """
        if not matches:
            raise UsageError('cannot list streams: no selector is given; send match[]={service_name="shop"}')
        where = " OR ".join(f"({self._where(asked, one)})" for one in matches)
        rows = self._query(statements.streams_there(where, MOST_VALUES)).rows()
        return _told(
            [{name: value for name, value in zip(labels.streams(), row, strict=True) if value} for row in rows]
        )

    def stats(self, asked: Mapping[str, str]) -> Answer:
        """How much a selector would read: streams, records, bytes of lines. Chunks are none of this lake's."""
        text = _text(asked)
        streams, entries, size = self._query(statements.figures(self._where(asked, text))).rows()[0]
        return {"streams": streams, "chunks": 0, "entries": entries, "bytes": int(size)}

    def volume(self, asked: Mapping[str, str]) -> Answer:
        """Bytes of lines by the labels that a selector or ``targetLabels`` names, most first."""
        text = _text(asked)
        wanted = [name for name in asked.get("targetLabels", "").split(",") if name]
        names = wanted or [one.name for one in selection(text)]
        most = min(loki_times.lines({"limit": asked.get("limit") or str(_VOLUMES)}), loki_json.MOST_SERIES)
        rows = self._query(statements.volume(names, self._where(asked, text), most)).rows()
        moment = loki_times.span(asked, self._now).end // loki_times.MICROSECONDS
        told = [
            {
                "metric": {name: value for name, value in zip(names, row, strict=False) if value},
                "value": [moment, str(row[-1])],
            }
            for row in rows
        ]
        return _answer("vector", told, time.monotonic())

    def detected_labels(self, asked: Mapping[str, str]) -> Answer:
        """The labels of streams with how many values each has."""
        there = self._query(statements.sizes_of_streams(self._where(asked, asked.get("query")))).rows()[0]
        named = zip(labels.streams(), there, strict=True)
        return {"detectedLabels": [{"label": name, "cardinality": count} for name, count in sorted(named) if count]}

    def detected_fields(self, asked: Mapping[str, str]) -> Answer:
        """The fields of some of the lines that a query selects: they need no parser.

        Raises:
            logshed.errors.QueryError: The query is wrong.
            logshed.errors.UsageError: It asks for no lines.
        """
        most = loki_times.lines({"limit": asked.get("limit") or str(_FIELDS)})
        rows = self._query(statements.fields_there(self._selected(asked), SAMPLE, most)).rows()
        return {
            "fields": [
                {
                    "label": loki_json.label_of(key),
                    "type": "float" if number else "string",
                    "cardinality": count,
                    "parsers": None,
                }
                for key, count, number in rows
            ],
            "limit": most,
        }

    def detected_values(self, name: str, asked: Mapping[str, str]) -> Answer:
        """The values of a field in the lines that a query selects.

        Raises:
            logshed.errors.QueryError: The query is wrong.
            logshed.errors.UsageError: It asks for no lines.
        """
        most = loki_times.lines({"limit": asked.get("limit") or str(_FIELDS)})
        rows = self._query(statements.values_of(name, self._selected(asked), most)).rows()
        return {"values": [value for (value,) in rows], "limit": most}

    def latest(self, asked: Mapping[str, str], *, apart: bool = False) -> Answer:
        """The latest lines, with which a tail begins, oldest first.

        Args:
            asked: ``query``, ``start``, ``limit``.
            apart: Whether metadata is to stand with each line.

        Raises:
            logshed.errors.QueryError: The query is wrong.
            logshed.errors.UsageError: It asks for no lines.
        """
        lines = followed(_text(asked))
        streams = loki_json.streams(found(self._listing(lines, asked), self._query), lines, apart=apart)
        return {"streams": [{**one, "values": one["values"][::-1]} for one in streams]}

    def arrived(self, text: str, batches: Sequence[str], *, apart: bool = False) -> Answer | None:
        """The lines of some batches, oldest first; None where there are none.

        Args:
            text: The query.
            batches: The batches.
            apart: Whether metadata is to stand with each line.

        Raises:
            logshed.errors.QueryError: The query is wrong.
            logshed.errors.UsageError: It asks for no lines.
        """
        lines = followed(text)
        listing = Listing(Scope(lines.condition), (), None, selected=lines.selected)
        streams = loki_json.streams(self._query(of_batches(listing, batches)), lines, apart=apart)
        return {"streams": streams} if streams else None

    def _listing(self, lines: Lines, asked: Mapping[str, str]) -> Listing:
        within = loki_times.span(asked, self._now, up=True)
        scope = Scope(lines.condition, ranges.moment(within.start), ranges.moment(within.end))
        return Listing(scope, (), loki_times.lines(asked), loki_times.oldest_first(asked), selected=lines.selected)

    def _selected(self, asked: Mapping[str, str]) -> str:
        """The condition of the lines that a query selects in a time."""
        text = _text(asked)
        tree = parse(text)
        if not isinstance(tree, Log):
            raise UsageError("cannot tell fields of a metric: it has no lines; take its selector")
        within = loki_times.span(asked, self._now)
        return f"{statements.window((), within.start, within.end)} AND {statements.lines(tree, text).condition}"

    def _series(self, tree: Tree, steps: Steps, text: str) -> tuple[Result, tuple[str, ...]]:
        if isinstance(tree, Log):  # its callers have looked
            raise UsageError("cannot compute with lines: they are no metric; count them")
        statement, names = statements.metric(tree, steps, text)
        return self._query(statement), names

    def _where(self, asked: Mapping[str, str], selector: str | None) -> str:
        within = loki_times.span(asked, self._now)
        # Grafana sends {} where nothing is chosen yet.
        chosen = selection(selector) if selector and selector.replace(" ", "") != "{}" else ()
        return statements.window(chosen, within.start, within.end)


def followed(text: str) -> Lines:
    """What of lines a query tells that somebody follows.

    Raises:
        logshed.errors.QueryError: The query is wrong.
        logshed.errors.UsageError: It asks for no lines.
    """
    tree = parse(text)
    if not isinstance(tree, Log):
        raise UsageError("cannot follow a metric: it has no lines; take its selector")
    return statements.lines(tree, text)


def _text(asked: Mapping[str, str]) -> str:
    text = asked.get("query", "")
    if not text.strip():
        raise UsageError("cannot answer nothing: the parameter query is missing; send a query of LogQL")
    return text


def _told(data: list[Kind]) -> Answer:
    return {"status": "success", "data": data}


def _answer(kind: str, result: Any, begun: float, *, apart: bool = False) -> Answer:
    summary = {"execTime": time.monotonic() - begun, "totalEntriesReturned": _entries(kind, result)}
    data: Answer = {"resultType": kind, "result": result, "stats": {"summary": summary}}
    if apart:
        data["encodingFlags"] = ["categorize-labels"]
    return {"status": "success", "data": data}


def _entries(kind: str, result: Any) -> int:
    return sum(len(one["values"]) for one in result) if kind in {"streams", "matrix"} else len(result)
