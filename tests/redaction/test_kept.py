from __future__ import annotations

from logshed.redaction.kept import redactor
from logshed.redaction.policy_files import load_policy


def test_a_policy_has_one_redactor_and_another_policy_never_gets_it() -> None:
    first, same_rules = load_policy("default"), load_policy("default")
    assert redactor(first) is redactor(first)
    assert redactor(same_rules) is not redactor(first)
    for _ in range(20):
        other = load_policy("none")
        assert redactor(other).policy is other
    assert redactor(first).policy is first
