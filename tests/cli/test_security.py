"""Rules are switched, findings muted and incidents given to somebody by command, as the pages do it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.pipeline import security_lake

from logshed.pipeline import casebook
from logshed.pipeline.trail import actor
from logshed.queries.times import EARLIEST, LATEST

if TYPE_CHECKING:
    from conftest import Run
    from logshed.api import Lake


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return security_lake.filled(tmp_path_factory.mktemp("watched"))


def test_a_rule_is_switched_off_and_on_again_and_that_is_audited(logshed: Run, watched: Lake) -> None:
    off = logshed("rules", "disable", "web_xss", "--reason", "noise", "--lake", watched.root)
    assert off.stdout == "web_xss is off.\n", off.stderr
    assert not watched.security.switches().on("web_xss")
    assert logshed("rules", "enable", "--as-settings", "web_xss", "--lake", watched.root).stdout == "web_xss is on.\n"
    sql = "SELECT target, details FROM audit WHERE verb = 'rule' ORDER BY sequence"
    told = [(target, json.loads(details)["on"]) for target, details in watched.query(sql).rows()]
    assert told == [("web_xss", False), ("web_xss", None)]
    wrong = logshed("rules", "disable", "web_xs", "--lake", watched.root)
    assert wrong.returncode == 1
    assert "did you mean web_xss?" in wrong.stderr


def test_findings_are_muted_by_command_and_the_mute_is_ended(logshed: Run, watched: Lake) -> None:
    made = logshed(
        "mutes", "add", "ours", "--actor", "198.51.100.0/24", "--until", "2099-01-31", "--lake", watched.root
    )
    assert made.returncode == 0, made.stderr
    (kept,) = json.loads(logshed("mutes", "list", "--json", "--lake", watched.root).stdout)
    assert (kept["name"], kept["actor"], kept["until"]) == ("ours", "198.51.100.0/24", "2099-01-31")
    assert logshed("mutes", "end", "ours", "--lake", watched.root).returncode == 0
    assert logshed("mutes", "list", "--lake", watched.root).stdout == "Nothing is muted.\n"
    sql = "SELECT verb, target, actor FROM audit WHERE verb LIKE '%mute' ORDER BY sequence"
    assert watched.query(sql).rows() == [("mute", "ours", actor()), ("unmute", "ours", actor())]
    for words in (
        ("mutes", "end", "ours"),
        ("mutes", "add", "all"),
        ("mutes", "add", "x", "--rule", "y", "--until", "z"),
    ):
        assert logshed(*words, "--lake", watched.root).returncode == 2, words


def test_an_incident_is_given_to_somebody(logshed: Run, watched: Lake) -> None:
    (row,) = casebook.incidents(watched.query, casebook.Filter(EARLIEST, LATEST, globs={"actor": "192.0.2.2"})).items
    done = logshed("incidents", "assign", row["incident_id"][:12], "ann", "--lake", watched.root)
    assert "ann works on it" in done.stdout, done.stderr
    assert watched.security.incident(row["incident_id"])["assignee"] == "ann"
    sql = "SELECT target, actor, collection, details FROM audit WHERE verb = 'incident'"
    told = (row["incident_id"], actor(), row["collection"], '{"assignee": "ann"}')
    assert watched.query(sql).rows() == [told]


def test_who_decides_whom_to_block_stands_in_the_trail_and_no_secret_in_the_reason(logshed: Run, watched: Lake) -> None:
    made = logshed(
        "decisions", "add", "192.0.2.77/24", "--reason", "password=hunter2", "--for", "2d", "--lake", watched.root
    )
    assert made.returncode == 0, made.stderr
    assert "hunter2" not in logshed("decisions", "list", "--json", "--lake", watched.root).stdout
    assert logshed("decisions", "delete", "192.0.2.0/24", "--lake", watched.root).returncode == 0
    assert logshed("decisions", "delete", "192.0.2.0/24", "--lake", watched.root).returncode == 2
    rows = watched.query("SELECT target, actor, details FROM audit WHERE verb = 'decide' ORDER BY sequence").rows()
    assert [(target, by) for target, by, _ in rows] == [("192.0.2.0/24", actor())] * 2
    assert "hunter2" not in str(rows)
