"""Which older records correlations must see again, so that series that came in parts or late are found whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logshed.detections.model import Correlation, Rule

LONG = timedelta(hours=1)
"""Correlations of longer spans are looked for apart: few rules have them, and the others need few rows."""


@dataclass(frozen=True, slots=True)
class Look:
    """One scan of older records.

    Attributes:
        names: Rules whose hits are wanted.
        first: First moment.
        last: Last moment.
        wanted: The correlations, each with its new hits.
    """

    names: tuple[str, ...]
    first: datetime
    last: datetime
    wanted: tuple[tuple[Correlation, pl.DataFrame], ...]

    def same_groups(self, hits: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """For each correlation the hits of its rules in the groups that have new ones."""
        for asked, own in self.wanted:
            keys = ["collection", *asked.group_by]
            same = hits.filter(pl.col("rule").is_in(list(asked.rules)))
            yield same.join(own.select(keys).unique(), on=keys, how="semi")


def looks(rules: Iterable[Rule], new: pl.DataFrame) -> Iterator[Look]:
    """The scans that the correlations among some rules need.

    Args:
        rules: The rules.
        new: New hits of their own rules.
    """
    asked = [rule.correlation for rule in rules if rule.correlation is not None]
    near = [(one, own) for one in asked if not (own := new.filter(pl.col("rule").is_in(list(one.rules)))).is_empty()]
    for long in (False, True):
        some = [(one, own) for one, own in near if (_reach(one) > LONG) is long]
        if some:
            yield Look(
                names=tuple(sorted({name for one, _ in some for name in one.rules})),
                first=min(span(own)[0] - _reach(one) for one, own in some),
                last=max(span(own)[1] + _reach(one) for one, own in some),
                wanted=tuple(some),
            )


def span(rows: pl.DataFrame, column: str = "timestamp") -> tuple[datetime, datetime]:
    """The first and the last moment of a column."""
    return cast("datetime", rows[column].min()), cast("datetime", rows[column].max())


def _reach(asked: Correlation) -> timedelta:
    return timedelta(seconds=asked.reach_s)
