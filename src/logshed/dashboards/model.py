"""What a page is made of: tiles and panels, each the answer of a named question and how it is shown."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from logshed.queries import Chart

Width = Literal["full", "two-thirds", "half", "third"]
Shown = Literal["everywhere", "web", "report"]
WINDOW = "24h"
"""What the web application shows first of a dashboard that says nothing of it."""
Unit = Literal["count", "bytes", "percent", "ms", "seconds", "ratio", "plain", "level"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the parameters that it is asked with.

    Attributes:
        question: Its name.
        params: Its parameters.
        window: The time that it is asked of whatever time the page shows, as ``--since`` takes it; empty takes that.
    """

    question: str
    params: dict[str, object] = field(default_factory=dict)
    window: str = ""

    @property
    def key(self) -> str:
        """A name for the answer: the same for the same question with the same parameters."""
        values = json.dumps(self.params, sort_keys=True, default=str) if self.params else ""
        return " ".join(one for one in (self.question, values, self.window) if one)


@dataclass(frozen=True, slots=True)
class ByDay:
    """What a panel or tile is computed from when days are chosen on the page: its figures by day, to be added up.

    Attributes:
        asked: The question whose rows have a day.
        day: Its column with the day: a date, or a moment.
        columns: For columns of the panel whose names differ: that of the panel, then that of this question.
        shares: Columns of the panel that are the percentage of another column's total.
    """

    asked: Asked
    day: str = "day"
    columns: dict[str, str] = field(default_factory=dict)
    shares: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drill:
    """The rows behind one label of a chart.

    Attributes:
        asked: The question that has them for all labels.
        on: Its column with the label; it is not shown.
        at: The column of the panel that is looked up there.
    """

    asked: Asked
    on: str
    at: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A single figure from a row of an answer.

    Attributes:
        title: A few words.
        asked: The question.
        column: The column with the figure.
        row: Values that tell the row; empty takes the first.
        share_of: A column; the figure is then the percentage of it.
        by_day: Where the figure comes from when days are chosen; None where it cannot be added up.
        level: A column of the row that says how grave it is, or None.
        find: A search that finds the records that it counts, or empty.
        opens: What it leads to instead: the name of a dashboard, or a path of the web application.
        less_is_better: Whether it is good news when the figure falls.
    """

    title: str
    asked: Asked
    column: str
    row: dict[str, object] = field(default_factory=dict)
    share_of: str | None = None
    by_day: ByDay | None = None
    level: str | None = None
    find: str = ""
    opens: str = ""
    less_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """An answer as a chart, a table, or both.

    Attributes:
        title: A few words.
        asked: The question.
        what: What its rows are, in the plural: an empty panel says that there are none of them.
        chart: How it is drawn; None shows a table.
        width: How much of the page's width it takes.
        columns: The columns of its table; empty takes all.
        time: The column with the time of a row: chosen days keep their rows.
        by_day: Where the figures come from when days are chosen.
        drill: The rows behind a label.
        note: A sentence below the title.
        sorted: Whether bars have the longest first; else they stand as the answer has them, as steps do.
        fields: For columns whose values a search can look for, the field; None takes those of ``_fields.toml``.
        opens: What its title leads to: the name of a dashboard, or a path of the web application; or empty.
    """

    title: str
    asked: Asked
    what: str
    chart: Chart | None = None
    width: Width = "half"
    columns: tuple[str, ...] = ()
    time: str | None = None
    by_day: ByDay | None = None
    drill: Drill | None = None
    note: str = ""
    sorted: bool = True
    fields: dict[str, str] | None = None
    opens: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A page.

    Attributes:
        name: Its file's stem, and the stem of its HTML file.
        title: A few words.
        description: A sentence.
        order: Its place among the pages; the least comes first.
        tiles: Single figures, shown first.
        panels: What follows.
        shown: Where: in the web application, in reports, or in both.
        window: The time that the web application shows first, as ``--since`` takes it.
    """

    name: str
    title: str
    description: str
    order: int
    tiles: tuple[Tile, ...]
    panels: tuple[Panel, ...]
    shown: Shown = "everywhere"
    window: str = WINDOW

    def questions(self) -> list[Asked]:
        """All that the page asks, in order; the same question may come several times."""
        found: list[Asked] = []
        shown: list[Tile | Panel] = [*self.tiles, *self.panels]
        for one in shown:
            found.append(one.asked)
            if one.by_day is not None:
                found.append(one.by_day.asked)
            if isinstance(one, Panel) and one.drill is not None:
                found.append(one.drill.asked)
        return found
