"""``logshed live map --replay``: the door shows a lake's records again, once somebody looks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.request import urlopen

from tests.sql.conftest import record, write_lake

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

DAY = datetime(2026, 11, 20, tzinfo=UTC)
MUNICH = {
    "client_geo_country_iso_code": "DE", "client_geo_region": "BY", "client_geo_locality": "Munich",
    "client_geo_lat": 48.1, "client_geo_lon": 11.6,
}  # fmt: skip


def test_a_map_shows_the_records_of_a_lake_from_the_beginning(tmp_path: Path, environment: dict[str, str]) -> None:
    rows = [record(number, DAY + timedelta(minutes=number), body=f"n{number}", **MUNICH) for number in range(1000)]
    write_lake(tmp_path / "lake", rows, files=1)
    words = ["live", "map", "--replay", "--lake", "lake", "--duration", "2s", "--no-tokens", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(
        [sys.executable, "-m", "logshed", *words], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as door:
        try:
            assert door.stdout is not None
            found = re.search(r"http://[0-9.]+:\d+/", door.stdout.readline())
            assert found is not None
            time.sleep(2.5)  # longer than the replay: it waits for somebody who looks
            seen = 0
            with urlopen(found[0] + "events", timeout=60) as stream:  # noqa: S310 - our own address
                for line in stream:
                    if line.startswith(b"data:") and b"Munich" in line:
                        seen += 1
                        if seen >= 5:
                            break
            counted: list[dict[str, object]] = []
            end = time.monotonic() + 60
            while counted != [{"country": "DE", "hits": 1000}] and time.monotonic() < end:
                time.sleep(0.2)
                with urlopen(found[0] + "api/countries", timeout=60) as answer:  # noqa: S310 - as above
                    counted = json.load(answer)["countries"]
            assert counted == [{"country": "DE", "hits": 1000}]
        finally:
            door.terminate()


def test_what_only_a_replay_has_needs_one(logshed: Run) -> None:
    done = logshed("live", "map", "--since", "2026-11-20", "--no-tokens")
    assert done.returncode == 2
    assert "cannot choose a time, records or a lake of what comes now; give --replay, too" in done.stderr


def test_a_replay_goes_to_the_map_too(logshed: Run) -> None:
    done = logshed("replay", "--to", "map", "--start-at", "40%", "--duration", "1s")
    assert done.returncode == 2
    assert "cannot use --from live or --start-at with --to map" in done.stderr
    nowhere = logshed("replay", "--to", "map", "--duration", "1s", "--lake", "none")
    assert nowhere.returncode == 1
    assert "none" in nowhere.stderr
