"""Finds the dashboards: ours, installed packages' and the user's; the units of columns, and the fields they are of."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, cast, get_args

from logshed import queries
from logshed.dashboards.model import Dashboard, Unit
from logshed.dashboards.reading import parse
from logshed.errors import DashboardError
from logshed.plugins import data_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from logshed.queries import Question


def load(
    extra: Iterable[Path] = (),
    questions: Mapping[str, Question] | None = None,
    broken: dict[str, str] | None = None,
) -> dict[str, Dashboard]:
    """All dashboards by name, in the order of their pages.

    Args:
        extra: More roots to look in (the ``plugins`` path of logshed.toml).
        questions: The questions that they may name; None takes all that there are.
        broken: Is given what is wrong with a dashboard, by its name, which is left out then; None raises it.

    Raises:
        logshed.errors.DashboardError: A file is wrong; the text names it and the key.
        logshed.errors.QueryError: A question's header is wrong.
    """
    roots = tuple(extra)
    known = queries.load(roots) if questions is None else questions
    found: list[Dashboard] = []
    for name, file in data_files("dashboards", ".toml", roots).items():
        try:
            found.append(parse(name, file.read_text("utf-8"), known))
        except (DashboardError, OSError, UnicodeDecodeError) as error:
            if broken is None:
                raise
            broken[name] = str(error)
    return {one.name: one for one in sorted(found, key=lambda one: (one.order, one.name))}


def units(columns: Iterable[str]) -> dict[str, Unit]:
    """What the figures of columns are in, by the patterns of ``_units.toml``; the first that fits counts.

    Raises:
        logshed.errors.DashboardError: The file names a unit that is none.
    """
    said = tomllib.loads((files("logshed") / "dashboards" / "_units.toml").read_text("utf-8"))
    for unit in said:
        if unit not in get_args(Unit):
            raise DashboardError(f"cannot load _units.toml: {unit} is no unit; take one of {', '.join(get_args(Unit))}")
    patterns = [(cast("Unit", unit), re.compile(pattern)) for unit, pattern in said.items()]
    return {column: next((unit for unit, pattern in patterns if pattern.search(column)), "count") for column in columns}


@cache
def fields() -> dict[str, str]:
    """Columns of questions whose values a search finds, each with the search's field: ``_fields.toml``."""
    said = tomllib.loads((files("logshed") / "dashboards" / "_fields.toml").read_text("utf-8"))
    return {column: str(field) for column, field in said.items()}
