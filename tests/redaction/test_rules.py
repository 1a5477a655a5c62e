"""Every rule's data file proves itself."""

from __future__ import annotations

import polars as pl
import pytest

from logshed.redaction import Redactor, load_policy, load_rules, rule_failures

RULES = load_rules()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_gets_all_of_its_own_examples_right(name: str) -> None:
    assert rule_failures(RULES[name]) == []


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_true_and_false_examples_and_says_where_its_check_comes_from(name: str) -> None:
    rule = RULES[name]
    assert rule.true
    assert rule.false
    assert rule.source


def test_under_the_default_policy_no_rule_spoils_the_examples_of_another() -> None:
    redactor = Redactor(load_policy("default"))
    active = redactor.policy.rules
    texts = [example.text for rule in active for example in rule.true]
    wanted = [example.redacted for rule in active for example in rule.true]
    false = [text for rule in active for text in rule.false]
    assert redactor.redact(pl.Series(texts)).text.to_list() == wanted
    assert redactor.redact(pl.Series(false)).text.to_list() == false


def test_examples_that_are_redacted_already_stay_as_they_are() -> None:
    done = pl.Series([example.redacted for rule in RULES.values() for example in rule.true])
    again = Redactor(load_policy("default")).redact(done)
    assert again.text.to_list() == done.to_list()
    assert again.by_rule == {}
