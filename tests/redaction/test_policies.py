"""Policies and rules as files: what they may say, and how a wrong one is reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from logshed.errors import RedactionError
from logshed.redaction import Redactor, load_policy, load_rules, rule_failures

if TYPE_CHECKING:
    from pathlib import Path


def _policy(folder: Path, text: str) -> str:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def _rule(folder: Path, text: str) -> None:
    (folder / "redaction").mkdir()
    (folder / "redaction" / "ticket.toml").write_text(text, encoding="utf-8")


def test_the_default_policy_turns_rules_for_secrets_and_personal_data_on_and_none_turns_none_on() -> None:
    direct = [name for name, rule in load_rules().items() if rule.kind in ("secret", "personal")]
    assert [rule.name for rule in load_policy("default").rules] == direct
    assert load_policy("none").rules == ()


def test_a_policy_file_keeps_a_class_but_one_rule_of_it_and_renames_a_tag(tmp_path: Path) -> None:
    text = "title='t'\n[classes]\nsecret='tag'\n[rules]\nemail='tag'\njwt='keep'\n[tags]\nemail='EMAIL_REDACTED'\n"
    policy = load_policy(_policy(tmp_path, text))
    assert "payment_card" not in policy.treatments
    assert "jwt" not in policy.treatments
    found = Redactor(policy).redact(pl.Series(["a@example.com 4111111111111111"]))
    assert found.text.to_list() == ["[EMAIL_REDACTED] 4111111111111111"]


def test_a_users_own_rule_is_found_and_proves_itself(tmp_path: Path, ticket_rule: str) -> None:
    _rule(tmp_path, ticket_rule)
    rule = load_rules([tmp_path])["ticket"]
    assert rule_failures(rule) == []
    assert Redactor(load_policy("default", [tmp_path])).redact(pl.Series(["TCK-1"])).text.to_list() == ["[TICKET]"]


def test_an_example_that_its_rule_misses_is_named(tmp_path: Path, ticket_rule: str) -> None:
    _rule(tmp_path, ticket_rule.replace("TCK-12", "TCK-x", 1))
    assert rule_failures(load_rules([tmp_path])["ticket"]) == [
        "ticket: 'see TCK-x' became 'see TCK-x', not 'see [TICKET]'"
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "title: it is missing; add it"),
        ("title = 1", "title: it is a int, not a str; correct it"),
        (
            "title = 't'\n[classes]\nprivate = 'tag'",
            "classes: 'private' is unknown; use one of personal, secret, identifier, address, trace",
        ),
        (
            "title = 't'\n[classes]\nsecret = 'burn'",
            r"classes\.secret: 'burn' is unknown; use one of tag, mask, pseudonym, drop, keep",
        ),
        ("title = 't'\n[rules]\nemails = 'tag'", "rules: 'emails' is unknown; use one of "),
        ("title = 't'\n[tags]\nemail = 'x y'", r"tags\.email: 'x y' is no tag"),
        ("title = 't'\nclass = 'x'", "class: no such key is known; remove it"),
        ("title = ", "correct the file"),
    ],
)
def test_a_wrong_policy_is_refused_with_the_file_and_the_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(RedactionError, match=rf"cannot load policy .*own\.toml: .*{message}"):
        load_policy(_policy(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('tag = "TICKET"', 'tag = "ticket"', "tag: 'ticket' is no tag"),
        ('class = "personal"', 'class = "public"', "class: 'public' is unknown"),
        ("'TCK-[0-9]+'", "'TCK-(?=x)'", "patterns: .* is no regular expression"),
        ("'TCK-[0-9]+'", "'TCK-[0-9]+', ''", "patterns: it must be a list of texts that are not empty"),
        ('needles = ["TCK-"]', "", "needles: nothing says which texts may hold a span"),
        (
            'source = "our own"',
            'source = "our own"\ncheck = "luhn"',
            "check: 'luhn' is unknown; use one of payment_card",
        ),
        (', redacted = "see [TICKET]"', "", "true: an example has exactly the keys text and redacted"),
        ("patterns = ['TCK-[0-9]+']", "", "patterns: the rule has neither patterns nor keys"),
        ('title = "Ticket"', 'titel = "Ticket"', "title: it is missing"),
    ],
)
def test_a_wrong_rule_is_refused_with_the_file_and_the_key(
    tmp_path: Path, old: str, new: str, message: str, ticket_rule: str
) -> None:
    _rule(tmp_path, ticket_rule.replace(old, new))
    with pytest.raises(RedactionError, match=rf"cannot load redaction rule .*ticket\.toml: {message}"):
        load_rules([tmp_path])


def test_an_unknown_policy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RedactionError, match=r"cannot load policy strickt: .*use one of default, "):
        load_policy("strickt")


def test_a_missing_policy_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RedactionError, match=r"cannot load policy .*gone\.toml: No such file or directory"):
        load_policy(str(tmp_path / "gone.toml"))
