"""Every rule file finds what its own cases say, and nothing in their near misses."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING
from uuid import UUID

from logshed.detections import registry
from logshed.detections.adding import add_from
from logshed.pipeline.rule_cases import CaseReader, outcome, run
from logshed.settings import Settings

if TYPE_CHECKING:
    from logshed.detections.model import Rule

RULES = registry.load().rules


def test_no_rule_of_ours_is_broken() -> None:
    assert registry.load().broken == {}


def test_every_rule_finds_its_cases_and_ignores_the_others() -> None:
    outcomes = run(RULES.values(), Settings())
    assert [str(one) for one in outcomes if not one.ok] == []
    assert len(outcomes) == sum(len(rule.cases) for rule in RULES.values())


def test_what_comes_of_cases_in_one_scan_is_what_comes_of_each_alone() -> None:
    some, reader = list(RULES.values())[::40], CaseReader(Settings())
    alone = [outcome(rule, case, reader.rows(case)) for rule in some for case in rule.cases]
    assert run(some, Settings()) == alone
    assert {one.found for one in alone} == {True, False}


def test_a_case_that_comes_otherwise_is_told_among_many() -> None:
    rule, *others = list(RULES.values())[::100]
    wrong = replace(rule, cases=tuple(replace(case, holds=not case.holds) for case in rule.cases))
    told = [one for one in run([*others, wrong], Settings()) if not one.ok]
    assert [(one.rule, one.case) for one in told] == [(rule.name, case) for case in wrong.cases]


def test_every_rule_is_complete() -> None:
    assert {name: lacks for name, rule in RULES.items() if (lacks := lacking(rule))} == {}


def lacking(rule: Rule) -> list[str]:
    """What a rule should have and has not."""
    there = {
        "a case that holds and one that does not": {case.holds for case in rule.cases} == {True, False},
        "titles of its cases": all(case.title for case in rule.cases),
        "an id of version 4": UUID(rule.id).version == 4,
        "references": bool(rule.references),
        "false positives": bool(rule.falsepositives),
        "an author": bool(rule.author),
        "a version": re.match(r"\d{4}-\d{2}-\d{2} ", rule.version) is not None,
    }
    return [name for name, holds in there.items() if not holds]


def test_no_two_rules_have_one_id() -> None:
    ids = [rule.id for rule in RULES.values()]
    assert len(ids) == len(set(ids))


def test_a_rule_that_is_added_anew_is_whole_for_who_reads_it_meanwhile(tmp_path: Path) -> None:
    own = next(Path(registry.__file__).parent.glob("*.yml"))
    source, to = tmp_path / own.name, tmp_path / "detections"
    source.write_text(own.read_text())
    add_from(source, folder=to)
    (path,), seen = to.iterdir(), set()
    over = Event()

    def looked() -> None:
        while not over.is_set():
            seen.add(path.read_text())

    reader = Thread(target=looked)
    reader.start()
    for _ in range(100):  # before it was mended, it was found empty now and then
        add_from(source, folder=to)
    over.set()
    reader.join(30)
    assert seen == {own.read_text()}
    assert list(to.iterdir()) == [path]
