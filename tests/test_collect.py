"""The Python interface to containers: shapes of what it returns and saves, errors, and nothing that is not redacted."""

from __future__ import annotations

import json
import time
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from tests.servers import Engine, Sshd

from logshed import collect
from logshed.collect import LogInterface, ProductionLogCollector
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Run

SHOP = """
echo '2026-01-05 10:00:00,001 INFO begun by bob@example.com'
echo '2026-01-05 10:00:00,002 WARNING low on space'
echo '2026-01-05 10:00:00,003 ERROR payment failed' >&2
echo 'Traceback (most recent call last):' >&2
echo '  File "a.py", line 1, in <module>' >&2
echo 'ValueError: no' >&2
echo '2026-01-05 10:00:00,004 CRITICAL out of memory' >&2
echo '2026-01-05 10:00:00,005 ERROR again' >&2
"""
KEYS = {"container_name", "timestamp", "level", "message", "raw_line"}


@pytest.fixture(scope="module")
def host(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A host with two containers that have ended."""
    server = Sshd(tmp_path_factory.mktemp("host") / "ssh", environment={"DOCKER_HOST": engine.socket})
    engine.run("shop", SHOP)
    engine.run("till", "echo DEBUG nothing password=hunter2hunter2")
    while engine("ps", "-q"):
        time.sleep(0.1)
    yield server
    server.cut()
    engine.clear()


@pytest.fixture
def settings(host: Sshd, tmp_path: Path) -> Settings:
    """Settings that name the host."""
    return Settings.load(tmp_path, environ={"LOGSHED_SSH_HOST": host.address, **host.environment})


def test_entries_have_their_shape_their_level_and_no_secrets(settings: Settings) -> None:
    logs = LogInterface(settings=settings)
    assert sorted(logs.get_containers()) == ["shop", "till"]
    assert logs.check_health()
    found = logs.get_recent_logs(hours=2)
    assert {name: sorted(one["level"] for one in own) for name, own in found.items()} == {
        "shop": ["ERROR", "ERROR", "ERROR", "INFO", "WARNING"],
        "till": ["DEBUG"],
    }
    for own in found.values():
        for one in own:
            assert set(one) == KEYS
            datetime.fromisoformat(one["timestamp"])
            assert one["raw_line"].startswith(one["timestamp"])
        assert own == sorted(own, key=lambda one: one["timestamp"])
    errors = [one for one in found["shop"] if one["level"] == "ERROR"]
    assert [one["message"][24:29] for one in errors] == ["ERROR", "CRITI", "ERROR"]
    assert errors[0]["message"].endswith("\nValueError: no")
    told = json.dumps(found)
    assert "hunter2" not in told
    assert "bob@example.com" not in told
    assert logs.get_logs("till") == found["till"]
    assert logs.get_recent_errors() == {"shop": errors}


def test_a_summary_counts_errors_and_names_critical_ones(settings: Settings) -> None:
    summary = ProductionLogCollector(settings=settings).get_error_summary(hours=3)
    assert set(summary) == {
        "timestamp", "analysis_period_hours", "total_containers", "containers_with_errors", "total_error_entries",
        "error_breakdown", "critical_issues",
    }  # fmt: skip
    assert (summary["total_containers"], summary["containers_with_errors"], summary["total_error_entries"]) == (2, 1, 3)
    assert summary["error_breakdown"]["shop"]["error_count"] == 3
    assert len(summary["error_breakdown"]["shop"]["recent_errors"]) == 3
    (issue,) = summary["critical_issues"]
    assert set(issue) == {"container", "timestamp", "message", "severity"}
    assert (issue["container"], issue["message"]) == ("shop", "2026-01-05 10:00:00,004 CRITICAL out of memory")


def test_a_saved_file_has_its_shape_and_is_its_owners_alone(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "saved.json"
    assert LogInterface(settings=settings).save_all_logs(2, str(path)) == str(path)
    saved = json.loads(path.read_text())
    assert set(saved) == {"timestamp", "collection_source", "containers"}
    assert saved["collection_source"] == "production_ssh"
    assert {name: len(own) for name, own in saved["containers"].items()} == {"shop": 5, "till": 1}
    assert path.stat().st_mode & 0o077 == 0


def test_the_list_of_containers_tells_of_image_and_state(settings: Settings) -> None:
    collector = ProductionLogCollector(settings=settings)
    assert [(one["name"], one["image"], one["state"]) for one in collector.get_container_list()] == [
        ("shop", "lines", "exited"), ("till", "lines", "exited"),
    ]  # fmt: skip
    assert collector.health_check()["healthy"] is True


def test_the_functions_take_settings_from_the_environment(
    host: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"LOGSHED_SSH_HOST": host.address, **host.environment}.items():
        monkeypatch.setenv(name, value)
    assert set(collect.get_production_logs()) == {"shop", "till"}
    assert set(collect.get_production_errors()) == {"shop"}
    assert json.loads((tmp_path / collect.save_production_logs(1)).read_text())["containers"]


def test_wrong_settings_are_value_errors_and_what_fails_is_a_runtime_error(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no host is named"):
        LogInterface(settings=Settings.load(tmp_path, environ={}))
    with pytest.raises(ValueError, match="is no address of a host"):
        LogInterface(["web1; reboot"], settings=settings)
    logs = LogInterface(settings=settings)
    with pytest.raises(ValueError, match="no name of a container"):
        logs.get_logs("shop; reboot")
    with pytest.raises(ValueError, match="no number of hours"):
        logs.get_logs("shop", -1)
    with pytest.raises(RuntimeError, match="has no container nosuch"):
        logs.get_logs("nosuch")
    gone = LogInterface(["ssh://root@127.0.0.1:9"], settings=settings)
    assert not gone.check_health()
    with pytest.raises(RuntimeError, match="cannot connect to"):
        gone.get_recent_logs()


def test_a_container_that_is_larger_than_allowed_is_not_taken_whole(settings: Settings, engine: Engine) -> None:
    engine.run("loud", "head -c 200000 /dev/zero | tr '\\0' '\\n'")
    try:
        small = settings.model_copy(update={"ssh": settings.ssh.model_copy(update={"most_bytes": 2**16})})
        with pytest.raises(RuntimeError, match="more than 65,536 bytes"):
            LogInterface(settings=small).get_logs("loud")
        assert set(LogInterface(settings=small).get_recent_logs()) == {"shop", "till"}
    finally:
        engine("rm", "-f", "loud")


@pytest.mark.slow
def test_the_commands_show_the_same(host: Sshd, logshed: Run, tmp_path: Path) -> None:
    env = {"LOGSHED_SSH_HOST": host.address, **host.environment}
    assert "shop" in logshed("collect", "status", env=env).stdout
    assert "CRITICAL out of memory" in logshed("collect", "logs", "2", env=env).stdout
    errors = json.loads(logshed("collect", "errors", "2", "--json", env=env).stdout)
    assert {name: len(own) for name, own in errors["containers"].items()} == {"shop": 3, "till": 0}
    assert logshed("collect", "container", "till", env=env).stdout.endswith(" till DEBUG nothing password=[PASSWORD]\n")
    assert logshed("collect", "save", "--to", "x.json", env=env).stdout == "Saved x.json.\n"
    assert json.loads((tmp_path / "x.json").read_text())["containers"]["till"]
    health = logshed("collect", "health", env=env)
    assert health.stdout == f"127.0.0.1:{host.port}: ok, 2 containers\n"
    away = logshed("collect", "health", "--host", "ssh://root@127.0.0.1:9", env=env)
    assert (away.returncode, "connection refused" in away.stdout) == (1, True)
