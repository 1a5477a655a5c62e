"""The guards of all rules together let through what each rule's own guard does."""

from __future__ import annotations

import polars as pl

from logshed.redaction.guards import Guards, alternatives
from logshed.redaction.registry import load_rules
from logshed.redaction.uncover import GUARD

RULES = list(load_rules().values())
TEXTS = [text for rule in RULES for text in (*(example.text for example in rule.true), *rule.false)] + [
    "user.access_token : x",
    "TOKEN=1 and API KEY: 2 and credit-card='3'",
    "nothing at all",
    "\u017fecret= pa\u00a0= x",
]


def test_an_expression_is_taken_apart_only_at_its_own_bars() -> None:
    assert alternatives(r"a|(?i-u:b|c)d|[|(]e|f\|g|") == ["a", "(?i-u:b|c)d", "[|(]e", r"f\|g"]


def test_each_rule_sees_the_texts_that_its_guard_matches_and_no_others() -> None:
    text = pl.Series(TEXTS, dtype=pl.String)
    for rule, rows in zip(RULES, Guards(RULES, GUARD).by_rule(text), strict=True):
        assert rows.to_list() == text.str.contains(rule.guard).arg_true().to_list(), rule.name


def test_no_text_of_any_rule_is_passed_over() -> None:
    text = pl.Series(TEXTS, dtype=pl.String)
    guards = Guards(RULES, GUARD)
    asked = guards.any(text)
    for rule, rows in zip(RULES, guards.by_rule(text), strict=True):
        assert asked.gather(rows).all(), rule.name


def test_a_missing_text_holds_nothing() -> None:
    guards = Guards(RULES, GUARD)
    text = pl.Series([None, "password=x"], dtype=pl.String)
    assert guards.any(text).to_list() == [False, True]
    assert all(0 not in rows for rows in guards.by_rule(text))
