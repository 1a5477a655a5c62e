"""Every rule file finds what its own cases say, and nothing in their near misses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from logshed.detections import registry
from logshed.pipeline.rule_cases import CaseReader, outcome
from logshed.settings import Settings

if TYPE_CHECKING:
    from logshed.detections.model import Rule

RULES = registry.load().rules


@pytest.fixture(scope="module")
def reader() -> CaseReader:
    """Makes records of cases."""
    return CaseReader(Settings())


def test_no_rule_of_ours_is_broken() -> None:
    assert registry.load().broken == {}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_finds_its_cases_and_ignores_the_others(rule: Rule, reader: CaseReader) -> None:
    outcomes = [outcome(rule, case, reader.rows(case)) for case in rule.cases]
    assert [str(one) for one in outcomes if not one.ok] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_is_complete(rule: Rule) -> None:
    assert {case.holds for case in rule.cases} == {True, False}
    assert all(case.title for case in rule.cases)
    assert UUID(rule.id).version == 4
    assert rule.references
    assert rule.falsepositives
    assert rule.author
    assert re.match(r"\d{4}-\d{2}-\d{2} ", rule.version)


def test_no_two_rules_have_one_id() -> None:
    ids = [rule.id for rule in RULES.values()]
    assert len(ids) == len(set(ids))
