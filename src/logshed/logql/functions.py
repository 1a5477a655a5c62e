"""What can be computed of lines and of series: the entries of ``functions.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    Attributes:
        example: A query that uses it.
        done: The figure, in SQL.
        of: What is computed with.
        fold: What of a fine bucket is kept, in SQL; empty where the lines themselves are needed.
        same: The aggregation that gives the same when it is computed with it at once.
        parameter: Whether a number stands before what it is computed of.
        order: Which series an aggregation keeps, where it chooses: the greatest (``DESC``) or the least.
    """

    example: str
    done: str = ""
    of: Literal["lines", "bytes", "number"] = "lines"
    fold: str = ""
    same: str = ""
    parameter: bool = False
    order: str = ""


@cache
def known() -> dict[str, dict[str, Function]]:
    """The functions: ``range`` ones of lines, ``aggregation`` ones of series."""
    data = tomllib.loads(files("logshed.logql").joinpath("functions.toml").read_text(encoding="utf-8"))
    return {kind: {name: Function(**entry) for name, entry in found.items()} for kind, found in data.items()}


def of_range(name: str) -> Function:
    """The function of lines in a window."""
    return known()["range"][name]


def of_series(name: str) -> Function:
    """The function of series."""
    return known()["aggregation"][name]
