"""The rules find as much of CrowdSec's own tests as they did, and alert on none that is quiet."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - fixtures name it
from typing import TYPE_CHECKING

import pytest
from tests.truth_detect.scoring import Found, Score, Truth, Verdict, class_of, load_map, measured, plain

from logshed.detections import registry

if TYPE_CHECKING:
    from collections.abc import Mapping

PARSED, ALL = 97.0, 97.0
"""Per cent of expected pairs found at least, where the log type is parsed and everywhere; raise them as rules come."""
SURE = {
    "brute_force": 97.0,
    "user_enumeration": 95.0,
    "impossible_travel": 100.0,
    "honeypot": 100.0,
    "port_scan": 100.0,
}
"""Per cent of classes that must not fall."""


@pytest.fixture(scope="module")
def score(shared: Path) -> Score:
    """All cases, measured once."""
    return measured(shared)


@pytest.mark.truth
def test_no_less_is_found_than_was(score: Score) -> None:
    for parsed, floor in ((True, PARSED), (False, ALL)):
        hit, of = score.recall(parsed=parsed)
        assert 100 * hit / of >= floor


@pytest.mark.truth
@pytest.mark.parametrize("name", SURE)
def test_a_class_is_found_as_well_as_it_was(score: Score, name: str) -> None:
    hit, of = score.by_class(parsed=True)[name]
    assert 100 * hit / of >= SURE[name]


@pytest.mark.truth
def test_quiet_cases_raise_no_alert(score: Score) -> None:
    assert score.false_alerts == []


@pytest.mark.truth
def test_every_excuse_is_needed(score: Score) -> None:
    assert set(score.attacks) == {name for name, _ in score.excused_alerts}


def test_the_map_names_rules_that_there_are() -> None:
    assert set(load_map()["rules"]) <= set(registry.load().rules)


@pytest.mark.parametrize(
    ("scenario", "name"),
    [
        ("crowdsecurity/ssh-bf", "brute_force"),
        ("crowdsecurity/ssh-bf_user-enum", "user_enumeration"),
        ("crowdsecurity/CVE-2022-46169-cmd", "cve-2022-46169"),
        ("baudneo/zoneminder_cve-2022-39285", "cve-2022-39285"),
        ("crowdsecurity/apache_log4j2_cve-2021-44228", "cve-2021-44228"),
        ("crowdsecurity/impossible-travel-user", "impossible_travel"),
        ("crowdsecurity/endlessh-bf", "honeypot"),
        ("crowdsecurity/http-bf-wordpress_bf", "brute_force"),
    ],
)
def test_scenarios_have_classes(scenario: str, name: str) -> None:
    patterns: Mapping[str, str] = load_map()["scenarios"]
    assert class_of(scenario, patterns) == name


def test_a_pair_needs_its_class_and_its_address() -> None:
    found = Found("rule", "high", ("brute_force",), frozenset({"192.0.2.1"}))
    assert found.meets(("brute_force", "192.0.2.1"))
    assert found.meets(("brute_force", "*"))
    assert not found.meets(("brute_force", "192.0.2.2"))
    assert not found.meets(("sqli", "192.0.2.1"))


def test_an_alert_of_another_class_than_the_excused_is_false() -> None:
    quiet = Truth("quiet", "nginx", (), frozenset())
    alerts = tuple(Found("rule", "high", (name,), frozenset()) for name in ("brute_force", "sqli"))
    low = Found("rule", "low", ("xss",), frozenset())
    score = Score((Verdict(quiet, (*alerts, low), parsed=True, formats=()),), {"quiet": {"brute_force": "It is one."}})
    assert [found.classes for _, found in score.false_alerts] == [("sqli",)]
    assert [found.classes for _, found in score.excused_alerts] == [("brute_force",)]


@pytest.mark.parametrize(("address", "same"), [("::ffff:192.0.2.1", "192.0.2.1"), ("2001:DB8::1", "2001:db8::1")])
def test_an_address_has_one_form(address: str, same: str) -> None:
    assert plain(address) == same
