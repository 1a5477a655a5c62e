from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.alerts import servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Run


@pytest.fixture
def web() -> Iterator[servers.Web]:
    with servers.web() as got:
        yield got


SETTINGS = """
[[alert]]
name = "ops"
to = "slack"
url = "env:SLACK_URL"
group = "10m"
quiet = "22:00-07:00 Europe/Berlin"

[[alert]]
name = "siem"
to = "ocsf"
path = "siem.ndjson"
"""


def test_a_test_alert_is_marked_and_goes_to_all_or_to_the_one_named(
    logshed: Run, tmp_path: Path, web: servers.Web
) -> None:
    (tmp_path / "logshed.toml").write_text(SETTINGS)
    done = logshed("alert", "test", env={"SLACK_URL": web.url})
    assert done.stdout == "ops: took the test alert\nsiem: took the test alert\n"
    assert done.returncode == 0
    assert "[TEST]" in web.json()["text"]
    assert json.loads((tmp_path / "siem.ndjson").read_text())["metadata"]["labels"] == ["test"]
    assert logshed("alert", "test", "ops", env={"SLACK_URL": web.url}).returncode == 0
    assert (len(web.bodies), len((tmp_path / "siem.ndjson").read_text().splitlines())) == (2, 1)


def test_a_test_that_is_not_taken_exits_with_1_and_shows_no_secret(
    logshed: Run, tmp_path: Path, web: servers.Web
) -> None:
    (tmp_path / "logshed.toml").write_text(SETTINGS)
    web.always = (404, {}, b"no_service")
    done = logshed("alert", "test", "ops", "--log-level", "debug", env={"SLACK_URL": web.url})
    assert done.returncode == 1
    assert "ops: cannot send to 127.0.0.1: it answered 404 no_service" in done.stdout
    assert "planted" not in done.stdout + done.stderr
    unset = logshed("alert", "test", "ops")
    assert (unset.returncode, "env:SLACK_URL: the variable is not set; set it" in unset.stdout) == (1, True)
    unknown = logshed("alert", "test", "nobody")
    assert (unknown.returncode, "the names are ops, siem" in unknown.stderr) == (2, True)


def test_the_list_shows_what_is_set_and_no_secret(logshed: Run, tmp_path: Path, web: servers.Web) -> None:
    (tmp_path / "logshed.toml").write_text(SETTINGS)
    env = {"SLACK_URL": web.url, "LOGSHED_LAKE": str(tmp_path / "lake")}
    shown = logshed("alert", "list", env=env)
    assert "60/1h" in shown.stdout
    listed = json.loads(logshed("alert", "list", "--json", env=env).stdout)
    assert [one["name"] for one in listed["destinations"]] == ["ops", "siem"]
    assert listed["destinations"][0]["secrets"] == {"url": "env:SLACK_URL"}
    assert listed["destinations"][0]["quiet"] == "22:00-07:00 Europe/Berlin"
    assert "planted" not in shown.stdout + json.dumps(listed)
    assert not (tmp_path / "lake").exists()
    (tmp_path / "logshed.toml").unlink()
    assert "add [[alert]] to logshed.toml" in logshed("alert", "list").stdout


def test_a_saved_query_is_asked_at_once_listed_and_removed(
    logshed: Run, tmp_path: Path, lake: Path, web: servers.Web
) -> None:
    (tmp_path / "logshed.toml").write_text(SETTINGS)
    env = {"LOGSHED_LAKE": str(lake), "SLACK_URL": web.url}
    sql = "SELECT * FROM logs WHERE http_response_status_code >= 500"
    words = ("alert", "add", "errors", "--sql", sql, "--when", "count > 50 in 5m", "--level", "high")
    done = logshed(*words, "--to", "ops", env=env)
    assert done.returncode == 0, done.stderr
    assert "errors.toml. In the newest whole window it does not alert." in done.stdout
    listed = json.loads(logshed("alert", "list", "--json", env=env).stdout)["queries"]
    assert listed == [{"name": "errors", "when": "count > 50 in 5m", "level": "high", "to": ["ops"], "sql": sql}]
    assert "there is one" in logshed(*words, env=env).stderr
    assert "no such destination" in logshed(*words, "--to", "nobody", env=env).stderr
    wrong = logshed("alert", "add", "b", "--sql", "SELECT nonsense FROM logs", "--when", "count > 1 in 1h", env=env)
    assert (wrong.returncode, "nonsense" in wrong.stderr) == (1, True)
    assert "Removed " in logshed("alert", "remove", "errors", env=env).stdout
    assert logshed("alert", "remove", "errors", env=env).returncode == 2


def test_check_tells_an_alert_that_is_wrong(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "logshed.toml").write_text(SETTINGS + '\n[[alert]]\nname = "x"\nto = "slak"\n')
    done = logshed("check")
    assert done.returncode == 1
    assert "alert x: to: there is no destination 'slak'; did you mean slack?" in done.stdout
    assert "env:SLACK_URL: the variable is not set" in done.stdout
    assert "alert siem is sound" in done.stdout
