"""Tries a rule on made-up records, beside what its text tells: what holds for them holds for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from logshed.detections.lint import lint
from logshed.pipeline.rule_scan import Scan
from logshed.schema import SILVER, polars_schema

if TYPE_CHECKING:
    from logshed.detections.model import Rule

_FILLER = "\u2603"
"""A text that no rule looks for."""


def problems(rule: Rule) -> list[str]:
    """What is likely wrong with a rule, a sentence each."""
    return [
        *lint(rule),
        *(f"{_name(one, rule)}holds for every record" for one in (rule.bases or (rule,)) if _holds_always(one, rule)),
    ]


def _holds_always(rule: Rule, whole: Rule) -> bool:
    """Whether it holds for a record of which nothing is known, and for one whose texts mean nothing.

    A correlation's rules may take all records of a log source: it counts them.
    """
    if whole.correlation is not None or rule.predicate is None:
        return False
    schema = polars_schema(SILVER)
    texts = {name: [_FILLER] for name, dtype in schema.items() if dtype == pl.String}
    blank = pl.DataFrame({name: [None] for name in schema}, schema=schema)
    filled = blank.with_columns(**{name: pl.lit(value[0]) for name, value in texts.items()}).cast(schema)  # type: ignore[arg-type]
    anywhere = Scan([_unbound(rule)])
    return all(not anywhere.hits(rows.select(anywhere.columns)).is_empty() for rows in (blank, filled))


def _unbound(rule: Rule) -> Rule:
    """The rule without its log source."""
    from dataclasses import replace  # noqa: PLC0415 - only here

    return replace(rule, where="")


def _name(one: Rule, rule: Rule) -> str:
    return "it " if one is rule else f"its rule {one.name} "
