from __future__ import annotations

import json
from typing import TYPE_CHECKING

from logshed.redaction import load_rules

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


def _rule(folder: Path, text: str) -> dict[str, str]:
    (folder / "redaction").mkdir()
    (folder / "redaction" / "ticket.toml").write_text(text)
    return {"LOGSHED_PLUGINS": str(folder)}


def test_every_policy_is_listed_and_the_one_that_is_set_is_marked(logshed: Run) -> None:
    shown = json.loads(logshed("policy", "list", "--json").stdout)
    assert {"none", "default", "strict", "gdpr"} <= {one["name"] for one in shown}
    assert [one["name"] for one in shown if one["set"]] == ["default"]
    assert "\ndefault *" in logshed("policy", "list").stdout


def test_a_policy_shows_what_every_rule_does_without_need_of_a_key(logshed: Run) -> None:
    shown = json.loads(logshed("policy", "show", "strict", "--json").stdout)
    rules = {one["rule"]: one for one in shown["rules"]}
    assert set(rules) == set(load_rules())
    assert rules["email"]["in_place"] == "[EMAIL]"
    assert rules["stack_trace"]["action"] == "drop"
    assert rules["user_id"]["in_place"] == "user:{key}:{32 hex digits}"
    assert rules["ipv4"]["in_place"].startswith("24 bits of IPv4")
    text = logshed("policy", "show", "strict").stdout
    assert "Left: names of people in prose" in text
    assert rules["email"]["source"] in text


def test_columns_and_overrides_of_a_policy_are_shown(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(
        'title = "t"\nextends = "default"\nallow = ["^bot$"]\n[columns]\nuser_id = "mask"\n'
        '[[override]]\ncollection = "tests"\n[override.rules]\nemail = "keep"\n'
    )
    text = logshed("policy", "show", "ours.toml").stdout
    assert "column user_id: mask at most the last 4 characters" in text
    assert "stays in any case: (?:^bot$)" in text
    assert "for collection tests, source *: email keep the value" in text


def test_shipped_policies_and_rules_are_sound(logshed: Run) -> None:
    done = logshed("policy", "check")
    assert done.returncode == 0
    assert done.stdout.endswith("rules: all sound.\n")


def test_a_policy_with_an_unknown_rule_is_one_line_with_its_file_and_key(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text('title = "t"\n[rules]\nemial = "tag"\n')
    done = logshed("policy", "check", "ours.toml")
    assert done.returncode == 1
    problem, summary = done.stdout.splitlines()
    assert "ours.toml" in problem
    assert "rules: 'emial' is unknown" in problem
    assert summary.endswith("1 problems.")


def test_an_example_that_comes_out_wrong_is_named_with_its_rule_file(
    logshed: Run, tmp_path: Path, ticket_rule: str
) -> None:
    env = _rule(tmp_path, ticket_rule + 'false = ["not TCK-1"]\n')
    done = logshed("policy", "check", "--json", env=env)
    assert done.returncode == 1
    (problem,) = json.loads(done.stdout)["problems"]
    assert "ticket.toml: true/false: ticket: 'not TCK-1' became" in problem


def test_a_broken_rule_file_is_one_line_however_many_policies_need_it(
    logshed: Run, tmp_path: Path, ticket_rule: str
) -> None:
    env = _rule(tmp_path, ticket_rule.replace('"personal"', '"secretive"'))
    done = logshed("policy", "check", env=env)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2
    assert "ticket.toml: class: 'secretive' is unknown" in done.stdout


def test_a_policy_that_needs_a_key_is_unsound_without_one(logshed: Run, tmp_path: Path) -> None:
    env = {"LOGSHED_KEYS": str(tmp_path / "keys")}
    assert "there is no file" in logshed("policy", "check", "strict", env=env).stdout
    logshed("key", "new", env=env)
    assert logshed("policy", "check", "strict", env=env).returncode == 0


def test_two_policies_differ_in_the_rules_that_they_treat_differently(logshed: Run) -> None:
    shown = json.loads(logshed("policy", "diff", "default", "strict", "--json").stdout)
    names = {one["name"] for one in shown}
    assert {"user_id", "ipv4", "stack_trace"} <= names
    assert "email" not in names
    assert "treat everything alike" in logshed("policy", "diff", "default", "default").stdout
