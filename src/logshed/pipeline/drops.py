"""Drop rules: lines that are counted under the rule's name and not kept."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

import polars as pl

from logshed.errors import SettingsError
from logshed.schema import SILVER, polars_schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from logshed.settings import Drop


def check(rules: Iterable[Drop]) -> None:
    """Try every rule on no lines, so that a wrong one is refused before any work.

    Raises:
        SettingsError: A rule's ``match`` is no regular expression, or its ``where`` does not fit the columns.
    """
    text = pl.DataFrame({"text": [], "line_count": []}, schema={"text": pl.String, "line_count": pl.Int32})
    logs = pl.DataFrame(schema=polars_schema(SILVER))
    for rule in rules:
        drop_text(text, rule, {})
        condition(logs, rule, text["text"])


def applies(rule: Drop, source: str) -> bool:
    """Whether the rule looks at this source."""
    return rule.source is None or fnmatch.fnmatchcase(source, rule.source)


def drop_text(records: pl.DataFrame, rule: Drop, dropped: dict[str, int]) -> pl.DataFrame:
    """The records whose redacted text the rule does not match; the others' lines are counted in ``dropped``."""
    hit = pl.lit(value=True) if rule.match is None else pl.col("text").str.contains(rule.match)
    try:
        marked = records.with_columns(hit=hit)
    except pl.exceptions.ComputeError as error:
        cause = str(error).splitlines()[-1]
        raise SettingsError(
            f"cannot use drop rule {rule.name}: its `match` is no regular expression ({cause}); correct it"
        ) from error
    _count(dropped, rule.name, int(marked.filter("hit")["line_count"].sum()))
    return marked.filter(~pl.col("hit")).drop("hit")


def drop_where(
    records: pl.DataFrame, parsed: pl.DataFrame, logs: pl.DataFrame, rule: Drop, dropped: dict[str, int]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The records, parsed rows and rows of ``logs`` that the rule does not take, with rows numbered anew.

    A record is dropped where the rule takes all of its items.
    """
    hit = condition(logs, rule, records["text"].gather(parsed["row"]))
    return keep(records, parsed, logs, ~hit, rule.name, dropped)


def keep(
    records: pl.DataFrame,
    parsed: pl.DataFrame,
    logs: pl.DataFrame,
    stays: pl.Series,
    name: str,
    dropped: dict[str, int],
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """The records, parsed rows and rows of ``logs`` that stay, with rows numbered anew.

    A record is dropped where none of its items stays; its lines are counted in ``dropped`` under the name.
    """
    if stays.all():
        return records, parsed, logs
    parsed, logs = parsed.filter(stays), logs.filter(stays)
    numbered = records.with_row_index("row")
    left = numbered["row"].is_in(parsed["row"].unique().implode())
    _count(dropped, name, int(records.filter(~left)["line_count"].sum()))
    numbered = numbered.filter(left)
    places = pl.int_range(numbered.height, dtype=pl.UInt32, eager=True)
    renumbered = parsed["row"].replace_strict(numbered["row"], places, return_dtype=pl.UInt32)
    return numbered.drop("row"), parsed.with_columns(renumbered.alias("row")), logs


def condition(logs: pl.DataFrame, rule: Drop, text: pl.Series) -> pl.Series:
    """Which rows of ``logs`` a rule with a ``where`` takes, and, where it has a ``match`` too, both; else none.

    Args:
        logs: Rows of ``logs``.
        rule: The rule.
        text: The redacted record of each row.
    """
    if rule.where is None:
        return pl.Series("hit", [False]).new_from_index(0, logs.height)
    try:
        taken = pl.sql_expr(rule.where).fill_null(value=False)
        hit = logs.select(taken.alias("hit"))["hit"]
        return hit if rule.match is None else hit & text.str.contains(rule.match)
    except (pl.exceptions.PolarsError, ValueError) as error:
        cause = str(error).splitlines()[0]
        raise SettingsError(
            f"cannot use drop rule {rule.name}: its `where` does not fit the columns of logs ({cause}); correct it"
        ) from error


def _count(dropped: dict[str, int], name: str, lines: int) -> None:
    if lines:
        dropped[name] = dropped.get(name, 0) + lines
