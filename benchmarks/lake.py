"""Measures what upkeep is for: a lake of many tiny ingests, the same compacted, and one of a single ingest.

Also the time of the 10th and the last ingest, and how fast and in how much memory larger files are compacted.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from logshed.api import Lake  # noqa: E402 - the path comes first
from logshed.lake.names import LINES, LOGS  # noqa: E402 - as above
from logshed.lake.scan import iceberg_files, paths  # noqa: E402 - as above
from logshed.settings import Settings  # noqa: E402 - as above

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 3
QUESTIONS = {
    "all by hour": "SELECT date_trunc('hour', timestamp) AS h, count(*), avg(http_response_body_size) "
    "FROM logs GROUP BY 1",
    "one hour": "SELECT url_path, count(*) FROM logs WHERE timestamp >= TIMESTAMPTZ '2026-11-02 12:00:00+00' "
    "AND timestamp < TIMESTAMPTZ '2026-11-02 13:00:00+00' GROUP BY 1 ORDER BY 2 DESC LIMIT 10",
    "needle": "SELECT count(*) FROM logs WHERE url_path LIKE '%/item/4711%'",
    "status by client": "SELECT client_address, http_response_status_code, count(*) FROM logs GROUP BY 1, 2",
}
REPEATS = 9


def main() -> None:
    """Print the figures as JSON."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--ingests", type=int, default=1_000, help="tiny ingests")
    words.add_argument("--lines", type=int, default=500, help="lines of each")
    words.add_argument("--large", type=int, default=2_000_000, help="lines of the larger files, ten ingests")
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps({"tiny": tiny(Path(folder), given.ingests, given.lines)}, indent=2), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps({"large": large(Path(folder), given.large)}, indent=2), flush=True)


def tiny(folder: Path, ingests: int, size: int) -> dict[str, Any]:
    """Seconds of each question on the lake of many ingests, on the same compacted, and on one of one ingest."""
    log, whole = folder / "access.log", folder / "whole" / "access.log"
    whole.parent.mkdir()
    many, took = opened(folder / "many"), []
    for number in range(ingests):
        part = lines(number * size, (number + 1) * size, ingests * size)
        for path in (log, whole):
            with path.open("a") as file:
                file.write(part)
        begun = time.monotonic()
        many.ingest([str(log)])
        took.append(time.monotonic() - begun)
    once = opened(folder / "once")
    once.ingest([str(whole)])
    found: dict[str, Any] = {
        "ingests": ingests,
        "lines": ingests * size,
        "ingest_s": {"10th": around(took, 10), "last": around(took, ingests - 5)},
        "files": {"many": files(many), "once": files(once)},
        "before": asked({"many": folder / "many", "once": folder / "once"}),
        "compact": compacted(folder / "many"),
        "after": asked({"compacted": folder / "many", "once": folder / "once"}),
    }
    found["files"]["compacted"] = files(opened(folder / "many"))
    return found


def large(folder: Path, count: int) -> dict[str, Any]:
    """Compaction of ten ingests of many lines each."""
    lake, log = opened(folder / "lake"), folder / "access.log"
    for number in range(10):
        log.write_text(lines(number * count // 10, (number + 1) * count // 10, count))
        lake.ingest([str(log)])
    return {"lines": count, "files": files(lake), **compacted(folder / "lake"), "after": files(opened(folder / "lake"))}


def compacted(lake: Path) -> dict[str, Any]:
    """What `maintain compact` in a process of its own comes to."""
    words = [sys.executable, "-m", "logshed", "maintain", "compact", "--lake", str(lake), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with (lake.parent / "told.json").open("w+b") as told:
        process = subprocess.Popen(words, stdout=told, env=environment, cwd=lake.parent)
        _, status, usage = os.wait4(process.pid, 0)
        told.seek(0)
        answer = json.load(told)
    if status:
        raise SystemExit(f"maintain compact ended with {status}")
    cpu = usage.ru_utime + usage.ru_stime
    did = [one for one in answer["did"] if one["files"]]
    read = sum(one["bytes"] for one in did)
    return {
        "did": {
            one["table"]: [one["files"], one["bytes"], one["made"], one["made_bytes"], one["seconds"]] for one in did
        },
        "cpu_s": round(cpu, 2),
        "MB of Parquet per CPU second": round(read / 1e6 / cpu, 2),
        "peak_MB": round(usage.ru_maxrss / 1024),
    }


def asked(lakes: dict[str, Path]) -> dict[str, dict[str, float]]:
    """Median seconds of each question, asked in turn of each lake; and how often longer the first one takes."""
    readers, found = {name: opened(lake) for name, lake in lakes.items()}, {}
    for question, sql in QUESTIONS.items():
        took: dict[str, list[float]] = {name: [] for name in lakes}
        for _ in range(REPEATS):
            for name, reader in readers.items():
                begun = time.monotonic()
                reader.query(sql).rows()
                took[name].append(time.monotonic() - begun)
        middle = {name: round(statistics.median(times), 4) for name, times in took.items()}
        first, second = middle.values()
        found[question] = {**middle, "times": round(first / second, 2)}
    return found


def lines(start: int, stop: int, of: int) -> str:
    """Lines of an access log of three days."""
    step = timedelta(days=DAYS) / of
    return "".join(
        f"192.0.2.{number % 250 + 1} - - [{BEGIN + number * step:%d/%b/%Y:%H:%M:%S +0000}] "
        f'"GET /item/{number * 7919 % 10_007}?page={number % 9} HTTP/1.1" {200 if number % 17 else 500} '
        f'{900 + number % 5000} "-" "Mozilla/5.0 (X11; Linux x86_64; rv:{100 + number % 40}.0) Gecko/20100101"\n'
        for number in range(start, stop)
    )


def opened(lake: Path) -> Lake:
    """A lake with the settings that come with Logshed."""
    return Lake.open(lake, create=True, settings=Settings.load(lake.parent, environ={}))


def files(lake: Lake) -> dict[str, list[int]]:
    """Number and bytes of the files of both tables."""
    store = lake._opened()  # noqa: SLF001 - there is no other way to the files
    found = {table.short: paths(iceberg_files(store.table(table))) for table in (LINES, LOGS)}
    return {short: [len(every), sum(Path(one).stat().st_size for one in every)] for short, every in found.items()}


def around(took: list[float], place: int) -> float:
    """The median of nine measurements around one."""
    return round(statistics.median(took[max(place - 5, 0) : place + 4]), 3)


if __name__ == "__main__":
    main()
