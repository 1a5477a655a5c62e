from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.redis_server import RedisServer

if TYPE_CHECKING:
    from conftest import Run


def test_a_sound_installation_has_nothing_bad(logshed: Run, lake: Path) -> None:
    done = logshed("doctor", "--json", "--lake", lake)
    found = json.loads(done.stdout)
    assert done.returncode == 0, found
    assert not [one for one in found if one["state"] == "bad"]
    assert any("lake at" in one["text"] and one["state"] == "ok" for one in found)


def test_a_lake_that_is_not_there_yet_is_only_noted(logshed: Run) -> None:
    done = logshed("doctor")
    assert done.returncode == 0
    assert "note  there is no lake at " in done.stdout


def test_a_hot_store_is_looked_at_where_there_shall_be_one(logshed: Run, tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis") as server:
        env = {"LOGSHED_LIVE_ENABLED": "true", "LOGSHED_LIVE_REDIS": server.url}
        assert f"ok    the hot store at 127.0.0.1:{server.port} answers" in logshed("doctor", env=env).stdout
    done = logshed("doctor", env=env)
    assert (done.returncode, "bad   cannot use the hot store at" in done.stdout) == (1, True)


def test_check_names_everything_that_is_misset(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "logshed.toml").write_text(
        'policy = "nowhere.toml"\nplugins = ["gone"]\n'
        '[web.oidc]\nissuer = "https://id.example.org"\nclient_id = "a"\nroles = { ops = "king" }\n'
        '[[drop]]\nname = "a"\nmatch = "("\n[[drop]]\nname = "b"\nwhere = "no_column = 1"\n'
    )
    done = logshed("check", env={"LOGSHED_POLCY": "x"})
    assert done.returncode == 1
    bad = [line for line in done.stdout.splitlines() if line.startswith("bad")]
    for word in ("drop rule a", "drop rule b", "gone", "nowhere.toml", "the role 'king'"):
        assert any(word in line for line in bad), word
    assert "note  the variable LOGSHED_POLCY (did you mean policy?) sets nothing" in done.stdout


def test_check_runs_the_tests_of_transforms(logshed: Run, tmp_path: Path) -> None:
    (tmp_path / "logshed.toml").write_text(
        """
        transform = [
          { name = "good", filter = "true", test = [{ given = { body = "a" }, expect = { body = "a" } }] },
          { name = "bad", route = "x", test = [{ given = { body = "a" }, expect = { collection = "y" } }] },
          { name = "untested", filter = "true" },
          { name = "wrong", filter = "no_column = 1" },
        ]
        """
    )
    done = logshed("check")
    assert done.returncode == 1
    assert "ok    transform good is sound, its 1 tests hold" in done.stdout
    assert "bad   transform bad fails its tests: test 1: collection is 'x', expected 'y'" in done.stdout
    assert "note  transform untested is sound, it has no test" in done.stdout
    assert "bad   cannot use transform wrong: 'no_column = 1' does not fit the columns of logs" in done.stdout


def test_check_is_content_with_the_file_of_the_documentation(logshed: Run, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    examples = page.split("```toml\n")[1:]
    (tmp_path / "logshed.toml").write_text("\n".join(example.split("```")[0] for example in examples))
    (tmp_path / "ours").mkdir()
    done = logshed("check")
    assert done.returncode == 0, done.stdout
