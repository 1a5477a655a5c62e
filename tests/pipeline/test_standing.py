"""Long runs tell how they stand in a small file: figures, how fast, what waits; damage and silence are told too."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import TYPE_CHECKING

from logshed.pipeline import standing, standings
from logshed.pipeline.collect_report import CollectReport
from logshed.pipeline.following import FollowReport
from logshed.pipeline.standing import FORGOTTEN_S, SILENT_S, Standing

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_grows_is_told_with_how_fast_and_texts_only_as_they_may_rest(tmp_path: Path) -> None:
    run = Standing(tmp_path, "receive", lambda text: text.replace("hunter2", "***"))
    assert run.due()
    begun = time.monotonic()
    run.tell({"records": 10}, {"lag": None}, "cannot reach hunter2")
    assert not run.due()
    time.sleep(0.1)
    run.tell({"records": 30}, {"lag": 2.5}, doors={"http": ["127.0.0.1:1"]})
    took = time.monotonic() - begun
    (told,) = standing.read([tmp_path, tmp_path])
    assert (told["verb"], told["state"], told["pid"]) == ("receive", "running", os.getpid())
    assert 19 / took < told["rates"]["records"] <= 200
    assert (told["now"], told["problem"], told["doors"]) == ({"lag": 2.5}, "", {"http": ["127.0.0.1:1"]})
    run.tell({"records": 30}, {}, "cannot reach hunter2")
    assert standing.read([tmp_path])[0]["problem"] == "cannot reach ***"
    assert (tmp_path / "running" / "receive.json").stat().st_mode & 0o077 == 0
    run.end()
    run.end()
    assert standing.read([tmp_path]) == []


def test_silence_and_damage_are_told_and_what_is_long_over_is_forgotten(tmp_path: Path) -> None:
    for name in ("silent", "gone", "damaged", "old"):
        Standing(tmp_path, "ingest --follow", str, name=name).tell({}, {})
    folder, now = tmp_path / "running", time.time()
    os.utime(folder / "silent.json", (now - 2 * SILENT_S, now - 2 * SILENT_S))
    ended = subprocess.Popen(["true"])
    ended.wait()
    told = json.loads((folder / "gone.json").read_text())
    (folder / "gone.json").write_text(json.dumps(told | {"verb": "receive", "pid": ended.pid}))
    os.utime(folder / "gone.json", (now - 2 * SILENT_S, now - 2 * SILENT_S))
    (folder / "damaged.json").write_text("{")
    os.utime(folder / "old.json", (now - 2 * FORGOTTEN_S, now - 2 * FORGOTTEN_S))
    assert {one["verb"]: one["state"] for one in standing.read([tmp_path])} == {
        "damaged": "unreadable",
        "ingest --follow": "silent",
        "receive": "gone",
    }
    Standing(tmp_path, "receive", str)
    assert sorted(path.name for path in folder.iterdir()) == ["damaged.json", "gone.json", "silent.json"]


def test_a_run_goes_on_where_it_cannot_tell_and_says_so_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "running").write_text("no folder")
    run = Standing(tmp_path, "receive", str)
    run.tell({}, {})
    run.tell({}, {})
    assert [one.getMessage().partition(":")[0] for one in caplog.records] == [
        f"cannot write {tmp_path / 'running' / 'receive.json'}"
    ]


def test_collectors_and_what_follows_files_tell_their_figures(tmp_path: Path) -> None:
    collected, followed = CollectReport(feeds=2, failed={"web2": "cannot reach web2"}), FollowReport(files=3)
    target = collected.target("web1", "shop")
    target.came(4, 400)
    target.rested = 4
    collected.target("web1", "till").state = "waiting"
    standings.of_collector(Standing(tmp_path, "collect", str), collected)
    standings.of_follower(Standing(tmp_path, "ingest --follow", str, name="follow-1"), followed)
    collect, follow = standings.here(tmp_path, tmp_path / "lake")["items"]
    assert collect["totals"] == {"records": 4, "bytes": 400, "errors": 0}
    assert collect["now"] == {"targets": 2, "following": 1, "waiting": 1, "failed": 1}
    assert collect["problem"] == "cannot reach web2"
    assert (follow["now"]["files"], follow["problem"]) == (3, "")


def test_a_file_that_another_run_has_just_taken_away_keeps_no_run_from_beginning(tmp_path: Path) -> None:
    (tmp_path / "running").mkdir()
    (tmp_path / "running" / "gone.json").symlink_to(tmp_path / "nowhere")  # as it is when it goes after it was listed
    Standing(tmp_path, "receive", str).tell({}, {})
    assert [one["verb"] for one in standing.read([tmp_path])] == ["receive"]
