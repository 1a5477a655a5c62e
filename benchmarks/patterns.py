"""Measures the mining of templates: lines per CPU second of one core, and how many lines are grouped as they were made.

``python benchmarks/patterns.py``. The messages are those of ``messages.py``: a realistic mix of the logs of some twenty
programs, and a hostile one whose messages hold lists of any length. Grouping accuracy is that of Zhu et al. (ICSE-SEIP
2019): the share of messages whose group holds exactly the messages of their template, none missing and none too many.
"""

from __future__ import annotations

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

import messages
from logshed.patterns import Tally, mine, templates_of
from logshed.patterns.summary import summary

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 262_144
FLOORS = {"realistic": (150_000, 0.95), "hostile": (150_000, 0.95)}
"""Lines per CPU second and grouping accuracy that may not be fallen below."""
FILLS = {"realistic": messages.VALUES, "hostile": messages.LISTS}


def corpus(name: str, count: int) -> pl.DataFrame:
    """So many records, each with the number of its ``truth``."""
    templates = tuple(Path(__file__).with_name(f"{name}_messages.txt").read_text("utf-8").splitlines())
    rows = list(messages.messages(templates, FILLS[name], count))
    return pl.DataFrame(rows, schema=["truth", "body"], orient="row").with_columns(
        timestamp=(START + pl.int_range(pl.len()) * timedelta(milliseconds=100)).cast(pl.Datetime("us", "UTC")),
        severity_number=(9 + 4 * (pl.col("truth") % 3)).cast(pl.Int32),
        service_name=pl.format("service-{}", pl.col("truth") % 12),
    )


def seconds(rows: pl.DataFrame) -> float:
    """CPU seconds from records to the table of templates, in batches as they are read from a lake."""
    begun = time.process_time()
    tally = Tally(START, START + timedelta(milliseconds=100 * rows.height))
    for start in range(0, rows.height, BATCH):
        tally.add(rows.slice(start, BATCH))
    counts = tally.frame
    summary(counts, templates_of(counts["masked"]))
    return time.process_time() - begun


def accuracy(rows: pl.DataFrame) -> tuple[float, int]:
    """Grouping accuracy, and how many templates were found."""
    ids = mine(rows).ids
    both = rows.select("truth", id=ids).with_columns(
        pl.len().over("truth").alias("made"),
        pl.len().over("id").alias("found"),
        pl.len().over("truth", "id").alias("same"),
    )
    right = (pl.col("made") == pl.col("same")) & (pl.col("found") == pl.col("same"))
    return both.select(right.mean()).item(), ids.n_unique()


def main() -> int:
    """Measure, print, and say whether a floor is fallen below."""
    words = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    words.add_argument("--lines", type=int, default=1_000_000)
    asked = words.parse_args()
    mine(corpus("realistic", 1_000))  # what is compiled once
    print("| messages | lines | templates | found | lines/s | grouping accuracy |\n|---|---|---|---|---|---|")
    below = False
    for name, (speed_floor, accuracy_floor) in FLOORS.items():
        rows = corpus(name, asked.lines)
        speed = rows.height / seconds(rows)
        right, found = accuracy(rows)
        made = rows["truth"].n_unique()
        print(f"| {name} | {rows.height:,} | {made} | {found} | {speed:,.0f} | {right:.4f} |", flush=True)
        below |= speed < speed_floor or right < accuracy_floor
    return int(below)


if __name__ == "__main__":
    sys.exit(main())
