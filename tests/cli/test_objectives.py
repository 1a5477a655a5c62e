from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

NOW = "2015-05-20T12:00:00Z"


def test_objectives_are_shown_with_what_is_left_of_their_budgets(logshed: Run, lake: Path, tmp_path: Path) -> None:
    text = '[[objective]]\nname = "pages"\ntarget = 99\n[[objective]]\nname = "nobody"\nservice = "x"\ntarget = 99\n'
    (tmp_path / "logshed.toml").write_text(text)
    done = logshed("slo", "--at", NOW, "--json", "--lake", lake)
    rows = {(row["objective"], row["collection"]): row for row in json.loads(done.stdout)}
    total, good = json.loads(
        logshed(
            "query",
            "SELECT count(*) AS n, count(*) FILTER (WHERE http_response_status_code < 500) AS good FROM logs WHERE "
            f"timestamp < TIMESTAMPTZ '{NOW}' AND http_response_status_code IS NOT NULL AND service_name IS NULL",
            "--json",
            "--lake",
            lake,
        ).stdout
    )[0].values()
    assert (rows["pages", "default"]["total"], rows["pages", "default"]["good"]) == (total, good)
    assert rows["nobody", None]["status"] == "no requests"
    drawn = logshed("slo", "--at", NOW, "--chart", "--lake", lake).stdout
    assert "Error budget left" in drawn
    assert "pages · NULL" in drawn


def test_without_objectives_it_is_said_how_to_write_one(logshed: Run, lake: Path) -> None:
    done = logshed("slo", "--lake", lake)
    assert done.returncode == 0
    assert "[[objective]]" in done.stderr


def test_a_history_that_is_too_short_for_a_forecast_is_refused_with_the_reason(logshed: Run, lake: Path) -> None:
    done = logshed("capacity", "--since", "all", "--lake", lake)
    assert done.returncode == 2
    assert "and 48 are needed" in done.stderr


def test_a_size_that_is_none_is_refused(logshed: Run, lake: Path) -> None:
    done = logshed("capacity", "--limit-bytes", "much", "--lake", lake)
    assert done.returncode == 2
    assert "cannot read the size 'much'" in done.stderr


def test_an_answer_is_put_beside_that_of_an_earlier_time(logshed: Run, lake: Path) -> None:
    window = ("--since", "2015-05-20T10:00:00Z", "--until", "2015-05-20T11:00:00Z")
    done = logshed("run", "methods", *window, "--compare", "previous", "--json", "--lake", lake)
    before = logshed(
        "run", "methods", "--since", "2015-05-20T09:00:00Z", "--until", "2015-05-20T10:00:00Z", "--json", "--lake", lake
    )
    known = {row["method"]: row["requests"] for row in json.loads(before.stdout)}
    rows = json.loads(done.stdout)
    assert known
    assert {row["method"]: row["requests_before"] for row in rows if row["requests_before"]} == known


def test_clients_and_bots_are_left_out_and_times_are_of_the_zone(logshed: Run, lake: Path) -> None:
    window = ("--since", "2015-05-20", "--until", "2015-05-21", "--tz", "Europe/Berlin", "--lake", lake)
    every = logshed("run", "traffic", *window)
    assert "2015-05-20 00:00:00+02:00" in every.stdout
    fewer = logshed("run", "traffic", *window, "--exclude-bots", "--exclude-ip", "46.118.0.0/16", "--json")
    count = json.loads(fewer.stdout)[0]
    assert count["bot_requests"] == 0
    assert 0 < count["requests"] < json.loads(logshed("run", "traffic", *window, "--json").stdout)[0]["requests"]
    refused = logshed("run", "levels", *window, "--exclude-bots")
    assert refused.returncode == 2
    assert "cannot use --exclude-bots with levels" in refused.stderr
