"""Measures answers: every named question, searches and gold tables over 10,000,000 records; reports beside GoAccess.

``python benchmarks/answers.py`` makes the records of ten days once, ingests them into a lake, and asks every question
of all days (``--since all``). A figure is the median of ``--repeat`` answers in a warm process; the first is not
counted. ``--rows`` takes fewer records, ``--only`` the questions that hold a text, ``--report`` makes a report of all
pages instead: ``--rows 1000000 --report``.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

import data
import ingest
from logshed.api import Lake
from logshed.pipeline.search import understood
from logshed.queries import gold
from logshed.search import statements
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
SEED = 20_150_517
START = datetime(2026, 1, 1, tzinfo=UTC)
ROWS, DAYS = 10_000_000, 10
QUESTION_S, NEEDLE_S, HOURS_S = 1.0, 1.0, 0.5
"""Seconds that an answer may take: of a named question, of a search for a rare phrase, of counts by hour."""
REPORT_S = 20.0
"""Seconds that a report of all pages over 1,000,000 records may take."""
AGGREGATE_ROWS_PER_CPU_S = 500_000
"""Records that one gold table has to take in a CPU second."""
NEEDLE = "quota of tenant heron exceeded"


@dataclass(frozen=True, slots=True)
class Measured:
    """What an answer took.

    Attributes:
        what: What was asked.
        wall_s: Seconds on the clock, the median.
        cpu_s: CPU seconds, the median.
        rows: Rows of the answer.
        limit_s: What it may take.
    """

    what: str
    wall_s: float
    cpu_s: float
    rows: int
    limit_s: float


def day(number: int, count: int) -> pl.DataFrame:
    """The requests of one day: visitors and paths of a long tail, durations, errors with messages, a few logins."""
    draw = np.random.default_rng(SEED + number)
    visitors = (draw.pareto(1.1, count) * 200).astype(np.int64) % 60_000
    paths = (draw.pareto(1.2, count) * 12).astype(np.int64) % 20_000
    sections = np.array(["blog", "product", "cart", "docs", "api/v1/items", "static/app.js", "checkout", "search"])
    failed = draw.random(count) < 0.01
    status = np.where(failed, 500, draw.choice([200, 200, 200, 200, 200, 304, 301, 404], count))
    seconds = np.sort(draw.integers(0, 86_400_000, count))
    frame = pl.DataFrame(
        {
            "at": seconds + number * 86_400_000,
            "visitor": visitors,
            "path": paths,
            "section": sections[visitors % 3 + paths % 6],
            "status": status,
            "size": draw.integers(200, 90_000, count),
            "latency": np.round(draw.lognormal(4, 1, count), 1),
            "service": np.array(["web", "shop", "accounts", "search", "api"])[paths % 5],
            "trace": draw.integers(0, 2**62, count),
            "needle": draw.random(count) < 3e-6,
        }
    )
    begin = int(START.timestamp() * 1000)
    message = pl.when(pl.col("needle")).then(pl.lit(NEEDLE)).when(pl.col("status") == 500)
    return frame.select(
        time=(pl.col("at") + begin).cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"),
        level=pl.when(pl.col("status") == 500).then(pl.lit("ERROR")).otherwise(pl.lit("INFO")),
        service="service",
        host=pl.format("node-{}", pl.col("visitor") % 40),
        client_ip=pl.format(
            "198.{}.{}.{}", 18 + pl.col("visitor") % 2, pl.col("visitor") // 250 % 250, pl.col("visitor") % 250
        ),
        method=pl.when(pl.col("path") % 7 == 0).then(pl.lit("POST")).otherwise(pl.lit("GET")),
        path=pl.format("/{}/{}", pl.col("section"), pl.col("path")),
        status="status",
        bytes="size",
        duration_ms="latency",
        referrer=pl.when(pl.col("path") % 3 == 0).then(
            pl.format("https://www.example.org/from/{}", pl.col("path") % 500)
        ),
        user_agent=pl.format(
            "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0",
            90 + pl.col("visitor") % 40,
            90 + pl.col("visitor") % 40,
        ),
        trace_id=pl.format("{}{}", pl.lit("0" * 13), pl.col("trace").cast(pl.String).str.zfill(19)),
        message=message.then(
            pl.format("cannot reach store {} of order {}", pl.col("path") % 9, pl.col("visitor"))
        ).otherwise(pl.lit("request done")),
    )


def filled(folder: Path, rows: int) -> Lake:
    """The lake with the records, made if it is not there."""
    root = folder / f"lake-{rows}"
    settings = Settings.load(folder, environ={})
    if (root / "done").exists():
        return Lake.open(root / "lake", settings=settings)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    lake = Lake.open(root / "lake", create=True, settings=settings)
    for number in range(DAYS):
        log = root / f"day-{number}.jsonl"
        day(number, rows // DAYS).write_ndjson(log)
        begun = time.perf_counter()
        lake.ingest([log])
        log.unlink()
        note(f"day {number} ingested in {time.perf_counter() - begun:.1f} s")
    (root / "done").touch()
    return lake


def cpu() -> float:
    """CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(what: str, ask: Callable[[], int], repeat: int, limit_s: float) -> Measured:
    """Ask once to warm up, then so many times."""
    rows = ask()
    walls, cpus = [], []
    for _ in range(repeat):
        begun, before = time.perf_counter(), cpu()
        rows = ask()
        walls.append(time.perf_counter() - begun)
        cpus.append(cpu() - before)
    found = Measured(what, statistics.median(walls), statistics.median(cpus), rows, limit_s)
    over = "  OVER" if found.wall_s > limit_s else ""
    print(f"{what:<28} {found.wall_s:8.3f} s {found.cpu_s:8.2f} CPU s {rows:>10,} rows{over}", flush=True)
    return found


def questions(lake: Lake, only: str, repeat: int) -> list[Measured]:
    """Every named question over all records."""
    found = []
    for name in lake.questions():
        if only in name:

            def ask(name: str = name) -> int:
                return lake.run(name, since="all", now=START + timedelta(days=DAYS)).pl().height

            found.append(measured(name, ask, repeat, QUESTION_S))
    return found


def searches(lake: Lake, repeat: int) -> list[Measured]:
    """A phrase that three in a million records hold, and how many records there are in each hour."""

    def needle() -> int:
        return lake.search(f'"{NEEDLE}"', since="all").pl().height

    def hours() -> int:
        return lake.query(statements.histogram(understood("", since="all"), 3600)).pl().height

    return [
        measured("search: needle", needle, repeat, NEEDLE_S),
        measured("counts by hour", hours, repeat, HOURS_S),
    ]


def aggregates(lake: Lake, rows: int) -> list[Measured]:
    """Every gold table computed anew, once."""
    found = []
    for name in gold.load(lake.settings.plugins):
        begun, before = time.perf_counter(), cpu()
        (one,) = lake.aggregate([name], rebuild=True)
        took = Measured(
            f"aggregate: {name}", time.perf_counter() - begun, cpu() - before, one.rows, rows / AGGREGATE_ROWS_PER_CPU_S
        )
        found.append(took)
        speed = rows / took.cpu_s
        over = "  SLOW" if speed < AGGREGATE_ROWS_PER_CPU_S else ""
        print(f"{took.what:<36} {took.wall_s:7.1f} s {speed:12,.0f} records a CPU s{over}", flush=True)
    return found


def reports(lake: Lake, rows: int, repeat: int) -> list[Measured]:
    """A report of all pages, and how large these are."""
    folder = lake.root.parent / "report"

    def ask() -> int:
        made = lake.report(folder, since=START, until=START + timedelta(days=DAYS))
        return sum(file.stat().st_size for file in made.pages)

    found = measured("report: bytes of its pages", ask, repeat, REPORT_S * rows / 1_000_000)
    largest = max(folder.glob("*.html"), key=lambda file: file.stat().st_size)
    print(f"the largest page is {largest.name}, {largest.stat().st_size:,} bytes")
    return [found]


def beside_goaccess(folder: Path, repeat: int) -> None:
    """Ingest and report of an access log of 1,000,000 lines beside GoAccess's page of it, as whole processes."""
    log = data.made(folder / "access.log", data.access_lines)
    root = folder / "goaccess"
    span = ["--since", f"{START:%Y-%m-%d}", "--until", f"{START + timedelta(days=2):%Y-%m-%d}"]
    ours, theirs = [], []
    for _ in range(repeat):
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        lake = ["--lake", str(root / "lake")]
        ingested = ingest.measured([*ingest.LOGSHED, "ingest", str(log), *lake])
        reported = ingest.measured([*ingest.LOGSHED, "report", *lake, *span, "-o", str(root / "report")])
        ours.append((ingested.cpu_s, reported.cpu_s))
        if shutil.which("goaccess"):
            page = str(root / "goaccess.html")
            words = ["goaccess", str(log), "--log-format=COMBINED", "--no-progress", "-o", page]
            theirs.append(ingest.measured(words).cpu_s)
    ingested_s, reported_s = (statistics.median(one) for one in zip(*ours, strict=True))
    print(f"logshed: {ingested_s:.1f} CPU s to ingest, {reported_s:.1f} CPU s to report")
    if theirs:
        share = (ingested_s + reported_s) * 100 / statistics.median(theirs)
        print(f"goaccess: {statistics.median(theirs):.1f} CPU s; logshed takes {share:.0f} % of it (wanted: 25 %)")
    else:
        print("goaccess is not installed: nothing to stand beside")


def note(text: str) -> None:
    """Tell how far it is, beside the figures."""
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Make the lake, ask, tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS, help="records of the lake")
    parser.add_argument("--repeat", type=int, default=3, help="answers to each question")
    parser.add_argument("--only", default="", help="questions whose name holds this text, and nothing else")
    parser.add_argument("--report", action="store_true", help="make a report, and nothing else")
    parser.add_argument("--goaccess", action="store_true", help="ingest and report beside GoAccess, and nothing else")
    parser.add_argument("--data", type=Path, default=HERE / "data", help="where the lake is made")
    parser.add_argument("--output", type=Path, help="write the figures as JSON, too")
    asked = parser.parse_args()
    if asked.goaccess:
        beside_goaccess(asked.data, asked.repeat)
        return
    lake = filled(asked.data, asked.rows)
    found = reports(lake, asked.rows, asked.repeat) if asked.report else questions(lake, asked.only, asked.repeat)
    if not (asked.only or asked.report):
        found += searches(lake, asked.repeat) + aggregates(lake, asked.rows)
    over = [one.what for one in found if one.wall_s > one.limit_s]
    print(f"{len(found) - len(over)} of {len(found)} within their limits; over: {', '.join(over) or 'none'}")
    if asked.output:
        asked.output.write_text(json.dumps([asdict(one) for one in found], indent=1))


if __name__ == "__main__":
    main()
