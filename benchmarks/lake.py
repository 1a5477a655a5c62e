"""Measures what upkeep is for: a lake of many tiny ingests, the same compacted, and one of a single ingest.

Also the time of the 10th and the last ingest, and how fast and in how much memory larger files are compacted.
``--ledger`` measures instead what known files cost an ingest of one more; ``--year`` how long it takes to plan a
question about one hour of a year.
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
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import polars as pl

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from logshed.api import Lake  # noqa: E402 - the path comes first
from logshed.lake.commit import append_files  # noqa: E402 - as above
from logshed.lake.ledger import ENTRY, Ledger, moved  # noqa: E402 - as above
from logshed.lake.names import LEDGER_PROPERTY, LINES, LOGS  # noqa: E402 - as above
from logshed.lake.scan import iceberg_files, paths  # noqa: E402 - as above
from logshed.lake.writing import digest  # noqa: E402 - as above
from logshed.pipeline.tables import LakeTables  # noqa: E402 - as above
from logshed.redaction.keyring import add_key  # noqa: E402 - as above
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
    words.add_argument("--ledger", type=int, default=0, help="files that the ledger knows; nothing else is measured")
    words.add_argument("--year", action="store_true", help="a file a day for a year; nothing else is measured")
    words.add_argument(
        "--erase", type=int, default=0, help="only this: lines of a lake that 100 records are erased from"
    )
    given = words.parse_args()
    if given.ledger or given.year:
        with tempfile.TemporaryDirectory() as folder:
            found = known(Path(folder), given.ledger) if given.ledger else year(Path(folder))
            print(json.dumps(found, indent=2))
        return
    if given.erase:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps({"erase": erased(Path(folder), given.erase)}, indent=2), flush=True)
        return
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


def known(folder: Path, count: int) -> dict[str, Any]:
    """What an ingest of one file costs beside so many known ones, in folders of a thousand and all in its own."""
    found: dict[str, Any] = {"files": count}
    for name, places in {"none": "", "in folders": "host{}/app{}.log", "in one folder": "app-{}-{}.log"}.items():
        lake, log = opened(folder / name / "lake"), folder / name / "new.log"
        if places:
            # In another process: one that is started from a large one counts as large itself.
            child = get_context("spawn").Process(
                target=learn, args=(lake.root, f"file:{folder / name}/{places}", count)
            )
            child.start()
            child.join()
        log.write_text(lines(0, 1000, 1000))
        begun = time.monotonic()
        _, usage = run(lake.root, "ingest", str(log))
        found[name] = {
            "seconds": round(time.monotonic() - begun, 2),
            "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
            "peak_MB": round(usage.ru_maxrss / 1024),
        }
    return found


def learn(root: Path, places: str, count: int) -> None:
    """Let a ledger know so many files."""
    number = pl.int_range(count, eager=True).alias("number")
    own = {"end": 5000 + number % 777, "read": 50, "stored": 50, "head_size": 4096, "tail_size": 4096}
    entries = moved({("", ""): 0}).drop("source", "generation", "rejected", *own)
    entries = pl.concat([entries] * count).with_columns(
        source=pl.select(pl.format(places, number // 1000, number % 1000)).to_series(),
        generation=number.hash(1).cast(pl.String).str.zfill(20).str.head(16),
        rejected=pl.lit(0, pl.Int64),
        inode=pl.select(pl.format("2049:{}", number.hash(2) % 50_000_000)).to_series(),
        head_hash=hexes(number, 3),
        tail_hash=hexes(number, 5),
        **{name: pl.lit(value) if isinstance(value, int) else value for name, value in own.items()},
    )
    store = opened(root)._opened()  # noqa: SLF001 - there is no other way to the ledger
    folder = store.ledger_folder()
    held = Ledger("", ()).append(entries.select(pl.col(name).cast(kind) for name, kind in ENTRY.items()), folder)
    base = Ledger("", tuple(json.loads(Path(held).read_text())["deltas"])).fold(folder)
    root = base.append(moved({}), folder)
    append_files(store, store.table(LINES), [], {LEDGER_PROPERTY: root})


def hexes(number: pl.Series, seed: int) -> pl.Series:
    """32 figures that stand for a hash."""
    first, second = (number.hash(seed + more).cast(pl.String).str.zfill(20) for more in (0, 1))
    return first + second.str.head(12)


def year(folder: Path) -> dict[str, Any]:
    """How long it takes to plan a question about one hour where each day of a year has a file."""
    lake, log = opened(folder / "lake"), folder / "access.log"
    for day in range(365):
        begin = BEGIN - timedelta(days=day)
        hours = [f"{begin + timedelta(hours=hour):%d/%b/%Y:%H:%M:%S +0000}" for hour in range(24)]
        log.write_text("".join(f'192.0.2.1 - - [{hour}] "GET /{day} HTTP/1.1" 200 5\n' for hour in hours))
        lake.ingest([str(log)])
    took, asked_s = [], []
    for _ in range(REPEATS):
        reader = LakeTables(opened(folder / "lake")._opened)  # noqa: SLF001 - as above
        reader.names()
        begun = time.monotonic()
        read = reader.files(
            "logs", "timestamp >= '2026-03-02T12:00:00+00:00' and timestamp < '2026-03-02T13:00:00+00:00'"
        )
        took.append(time.monotonic() - begun)
        begun = time.monotonic()
        opened(folder / "lake").query(
            "SELECT count(*) FROM logs WHERE timestamp >= TIMESTAMPTZ '2026-03-02 12:00:00+00' "
            "AND timestamp < TIMESTAMPTZ '2026-03-02 13:00:00+00'"
        ).rows()
        asked_s.append(time.monotonic() - begun)
    own = {"plan_s": round(statistics.median(took), 3), "query_s": round(statistics.median(asked_s), 3)}
    return {"files": files(lake)["logs"][0], "files_read": len(read), **own}


def run(lake: Path, *words: str) -> tuple[Any, Any]:
    """What a command in a process of its own answers as JSON, and what it used."""
    line = [sys.executable, "-m", "logshed", *words, "--lake", str(lake), "--json"]
    with (lake.parent / "told.json").open("w+b") as told:
        process = subprocess.Popen(
            line, stdout=told, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, cwd=lake.parent
        )
        _, status, usage = os.wait4(process.pid, 0)
        told.seek(0)
        answer = json.load(told)
    if status:
        raise SystemExit(f"{words[0]} ended with {status}: {answer}")
    return answer, usage


def erased(folder: Path, count: int) -> dict[str, Any]:
    """Erasure of a user with 100 records in 2 of 20 ingests, and what checksums cost the ingests and a check."""
    (folder / "logshed.toml").write_text('keys = "keys"\n')
    add_key(folder / "keys")
    log, lake, size = folder / "access.log", opened(folder / "lake"), count // 20
    begun = time.process_time()
    for number in range(20):
        part = lines(number * size, (number + 1) * size, count).splitlines(keepends=True)
        if number in (7, 12):
            part[:: size // 50] = [line.replace(" - - ", " - needle ") for line in part[:: size // 50]]
        log.write_text("".join(part))
        lake.ingest([str(log)])
    ingest = time.process_time() - begun
    bronze = paths(iceberg_files(lake._opened().table(LINES)))  # noqa: SLF001 - there is no other way to the files
    begun = time.process_time()
    for path in bronze:
        digest(path)
    hashed = time.process_time() - begun
    found: dict[str, Any] = {
        "lines": count,
        "ingest_cpu_s": round(ingest, 1),
        "checksums_cpu_s": round(hashed, 3),
        "files": files(lake),
    }
    told, dry = measured(folder, "erase", "--user", "needle", "--dry-run")
    found["dry run"] = {**dry, "rows": told["rows"], "files": told["files"], "bytes": told["bytes"]}
    told, run = measured(folder, "erase", "--user", "needle")
    found["erase"] = {**run, "rows": told["rows"], "files": told["files"], "bytes": told["bytes"], "ok": told["ok"]}
    told, look = measured(folder, "verify")
    found["verify"] = {**look, "ok": told["ok"], "bytes": told["bytes"]}
    return found


def measured(folder: Path, *command: str) -> tuple[dict[str, Any], dict[str, float]]:
    """What a command in a process of its own says, and what it took."""
    begun = time.monotonic()
    answer, usage = run(folder / "lake", *command)
    took = time.monotonic() - begun
    cpu = usage.ru_utime + usage.ru_stime
    return answer, {"s": round(took, 2), "cpu_s": round(cpu, 2), "peak_MB": round(usage.ru_maxrss / 1024)}


def compacted(lake: Path) -> dict[str, Any]:
    """What `maintain compact` in a process of its own comes to."""
    answer, usage = run(lake, "maintain", "compact")
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
