"""What a page is made of: tiles and panels, each the answer of a named question and how it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from logshed.queries import Chart

Width = Literal["full", "half", "third"]
Unit = Literal["count", "bytes", "percent", "ms", "seconds", "ratio", "plain", "level"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the parameters that it is asked with."""

    question: str
    params: dict[str, object] = field(default_factory=dict)


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
    """

    title: str
    asked: Asked
    column: str
    row: dict[str, object] = field(default_factory=dict)
    share_of: str | None = None
    by_day: ByDay | None = None
    level: str | None = None


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
    """

    name: str
    title: str
    description: str
    order: int
    tiles: tuple[Tile, ...]
    panels: tuple[Panel, ...]

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
