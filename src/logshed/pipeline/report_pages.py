"""Puts together what a report's pages show: each page's tiles and panels with the answers that they need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from logshed.pipeline.report_days import trimmed

if TYPE_CHECKING:
    from logshed.dashboards import ByDay, Dashboard, Panel, Tile
    from logshed.dashboards.model import Drill
    from logshed.pipeline.report_answers import Answers

MOST_DRILLED = 100
"""Labels whose rows a panel brings along."""


def page_data(dashboard: Dashboard, answers: Answers) -> dict[str, Any]:
    """What a page shows: ``page``, ``tiles``, ``panels``, and ``answers`` by the names that these use.

    Raises:
        logshed.errors.QueryError: A question failed.
    """
    made = _Page(answers)
    return {
        "page": {"name": dashboard.name, "title": dashboard.title, "description": dashboard.description},
        "tiles": [made.tile(tile) for tile in dashboard.tiles],
        "panels": [made.panel(panel) for panel in dashboard.panels],
        "answers": made.shown,
    }


class _Page:
    """One page on its way: the answers that it shows, and their short names."""

    def __init__(self, answers: Answers) -> None:
        self.shown: dict[str, dict[str, Any]] = {}
        self._answers = answers
        self._names: dict[str, str] = {}

    def tile(self, tile: Tile) -> dict[str, Any]:
        return {
            "title": tile.title,
            "answer": self._whole(tile),
            "column": tile.column,
            "row": tile.row,
            "share_of": tile.share_of,
            "level": tile.level,
            "by_day": None if tile.by_day is None else self._summed(tile.by_day),
        }

    def panel(self, panel: Panel) -> dict[str, Any]:
        chart = panel.chart
        return {
            "title": panel.title,
            "note": panel.note,
            "what": panel.what,
            "width": panel.width,
            "sorted": panel.sorted,
            "columns": list(panel.columns),
            "chart": None if chart is None else {"kind": chart.kind, "x": chart.x, "y": chart.y, "by": chart.by},
            "answer": self._whole(panel),
            "limit": self._answers.limit(panel.asked),
            "time": panel.time,
            "by_day": None if panel.by_day is None else self._by_day(panel, panel.by_day),
            "drill": None if panel.drill is None else self._drill(panel, panel.drill),
        }

    def _named(self, key: str) -> tuple[str, bool]:
        """The short name of an answer, and whether it is new."""
        new = key not in self._names
        return self._names.setdefault(key, f"a{len(self._names) + 1}"), new

    def _whole(self, one: Tile | Panel) -> str:
        name, new = self._named(one.asked.key)
        if new:
            self.shown[name] = self._answers.described(one.asked, self._answers.frame(one.asked))
        return name

    def _summed(self, by_day: ByDay) -> dict[str, Any]:
        name, new = self._named(by_day.asked.key)
        if new:
            self.shown[name] = self._answers.described(by_day.asked, self._answers.frame(by_day.asked))
        return _source(name, by_day)

    def _by_day(self, panel: Panel, by_day: ByDay) -> dict[str, Any]:
        """The figures by day of a panel, no more of them than it can show."""
        if panel.chart is None:
            return self._summed(by_day)
        named = {column: by_day.columns.get(column, column) for column in (panel.chart.x, panel.chart.by or "")}
        figure = by_day.columns.get(panel.chart.y, panel.chart.y)
        keys = [column for column in named.values() if column]
        name, new = self._named(f"{by_day.asked.key} by {keys} {figure}")
        if new:
            rows = self._answers.frame(by_day.asked).filter(pl.col(figure) != 0)
            wanted = list(dict.fromkeys((by_day.day, *keys, figure, *self._taken(panel, by_day))))
            kept, left = trimmed(rows.select(wanted), by_day.day, keys, figure)
            self.shown[name] = self._answers.described(by_day.asked, kept) | left
        return _source(name, by_day)

    def _taken(self, panel: Panel, by_day: ByDay) -> list[str]:
        """The columns that the panel takes from the figures by day."""
        there = self._answers.frame(by_day.asked).columns
        columns = self._answers.frame(panel.asked).columns
        return [by_day.columns.get(one, one) for one in columns if by_day.columns.get(one, one) in there]

    def _drill(self, panel: Panel, drill: Drill) -> dict[str, Any]:
        """The rows behind the labels that the panel shows, for the whole window or for chosen days."""
        labels = self._answers.frame(panel.asked)[drill.at].cast(pl.String)
        if panel.by_day is not None and panel.chart is not None:
            by_day, chart = panel.by_day, panel.chart
            label, figure = (by_day.columns.get(one, one) for one in (drill.at, chart.y))
            sums = self._answers.frame(by_day.asked).group_by(label, maintain_order=True).agg(pl.col(figure).sum())
            most = sums.filter(pl.col(figure) > 0).sort(figure, descending=True).head(MOST_DRILLED)
            labels = pl.concat([labels, most[label].cast(pl.String)])
        name, new = self._named(f"{drill.asked.key} behind {panel.title}")
        if new:
            rows = self._answers.frame(drill.asked)
            wanted = pl.col(drill.on).cast(pl.String).is_in(labels.unique().implode(), nulls_equal=True)
            self.shown[name] = self._answers.described(drill.asked, rows.filter(wanted))
        return {"answer": name, "on": drill.on, "at": drill.at}


def _source(name: str, by_day: ByDay) -> dict[str, Any]:
    return {"answer": name, "day": by_day.day, "columns": by_day.columns, "shares": by_day.shares}
