from __future__ import annotations

from dataclasses import replace

from logshed.redaction.kept import redactor
from logshed.redaction.policy_files import load_policy


def test_policies_that_say_the_same_have_one_redactor_and_another_policy_never_gets_it() -> None:
    first, same = load_policy("default"), load_policy("default")
    assert first is not same
    assert redactor(first) is redactor(first)
    assert redactor(same) is redactor(first)
    for number in range(20):
        other = replace(load_policy("none"), title=str(number))
        assert redactor(other).policy is other
    assert redactor(first).policy == first


def test_a_policy_that_differs_in_one_treatment_alone_has_its_own_redactor() -> None:
    first = load_policy("default")
    name = next(iter(first.treatments))
    treatments = {**first.treatments, name: replace(first.treatments[name], tag="[OTHER]")}
    assert redactor(replace(first, treatments=treatments)).policy.treatments[name].tag == "[OTHER]"
    assert redactor(first).policy.treatments[name].tag != "[OTHER]"
