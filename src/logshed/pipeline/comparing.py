"""Puts the answer of a question beside that of an earlier time: what became more, what less, what is new or gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import polars as pl

from logshed.errors import UsageError
from logshed.queries.times import back, moved
from logshed.sql.result import of_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from logshed.queries.model import Question
    from logshed.sql.result import Result

    Ask = Callable[[datetime, datetime, Mapping[str, object]], Result]

MOST = 1_000_000
"""Rows of an answer that are compared: those that a limit would hide are there too."""
BEFORE, CHANGE = "_before", "_change_percent"


def compared(
    question: Question,
    ask: Ask,
    window: tuple[str | datetime | None, str | datetime | None, datetime | None],
    params: Mapping[str, object],
    compare: str,
    timezone: str,
) -> Result:
    """The answer with each figure's value of the time before, and its change.

    Args:
        question: What is asked; its ``keys`` tell which rows belong together.
        ask: Answers it from a moment up to another with parameters.
        window: First moment, first moment after, and the present, as ``Question.bind`` takes them.
        params: The question's own parameters.
        compare: ``previous`` or a length of time.
        timezone: The zone on whose clock days are moved.

    Returns:
        The rows of the window in their order, then those that only the time before has. A figure ``n`` has
        ``n_before`` and ``n_change_percent`` (null without a figure before, or where that is 0) beside it.

    Raises:
        UsageError: The question's rows are single records, its keys do not tell them apart, or a time is wrong.
    """
    if not question.keys:
        raise UsageError(
            f"cannot compare {question.name}: its rows are single records; take a question that counts, such as traffic"
        )
    since, until, now = window
    present = now or datetime.now(UTC)
    bound = question.bind(params, now=present, since=since, until=until or present, timezone=timezone)
    begin, end = cast("datetime", bound["since"]), cast("datetime", bound["until"])
    away = back(compare, begin, end)
    limit = cast("int", bound["limit"]) if "limit" in question.parameters else None
    values = {**params, **({} if limit is None else {"limit": max(limit, MOST)})}
    shown = ask(begin, end, values).pl()
    before = ask(moved(begin, -away, timezone), moved(end, -away, timezone), values).pl()
    keys = list(question.keys)
    for frame in (shown, before):
        if frame.select(keys).is_duplicated().any():
            raise UsageError(
                f"cannot compare {question.name}: several of its rows have the same {', '.join(keys)}; "
                "name the columns that tell them apart with keys = [...] in its header"
            )
    return of_frame(_beside(shown, _shifted(before, keys, away, timezone), keys, limit))


def _beside(now: pl.DataFrame, before: pl.DataFrame, keys: list[str], limit: int | None) -> pl.DataFrame:
    figures = [name for name, dtype in now.schema.items() if dtype.is_numeric() and name not in keys]
    earlier = before.select(*keys, *(pl.col(name).alias(name + BEFORE) for name in figures))
    there = now.slice(0, limit).join(earlier, on=keys, how="left", nulls_equal=True, maintain_order="left")
    gone = earlier.join(now.select(keys), on=keys, how="anti", nulls_equal=True, maintain_order="left").slice(0, limit)
    rows = pl.concat([there, gone], how="diagonal")
    shown: list[pl.Expr] = []
    for name in now.columns:
        shown.append(pl.col(name))
        if name in figures:
            old = pl.col(name + BEFORE)
            change = ((pl.col(name).cast(pl.Float64) - old) * 100 / old.cast(pl.Float64)).round(2)
            shown += [old, pl.when(old != 0).then(change).alias(name + CHANGE)]
    return rows.select(shown)


def _shifted(frame: pl.DataFrame, keys: list[str], back: timedelta, timezone: str) -> pl.DataFrame:
    """The rows of before with their times as those of the window; of an hour that the clock has twice the first."""
    times = [name for name in keys if frame.schema[name].is_temporal()]
    return frame.with_columns(_moved(frame.schema[name], name, back, timezone) for name in times).unique(
        keys, keep="first", maintain_order=True
    )


def _moved(dtype: pl.DataType, name: str, back: timedelta, timezone: str) -> pl.Expr:
    """What ``queries.times.moved`` does, for a column."""
    column = pl.col(name)
    if not isinstance(dtype, pl.Datetime) or dtype.time_zone is None or back % timedelta(days=1):
        return column + back
    clock = column.dt.convert_time_zone(timezone).dt.replace_time_zone(None) + back
    there = clock.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return there.dt.convert_time_zone(dtype.time_zone).fill_null(column + back)
