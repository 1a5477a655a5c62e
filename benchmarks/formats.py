"""Measures how fast each family of formats is parsed: MB/s per CPU second of one core, from lines to columns.

``python benchmarks/formats.py [FAMILY…]``. The lines are made here, always the same ones; reading the file is not part
of it, joining and parsing are. Detection, which happens once a file, is measured beside it.
"""
# ruff: noqa: S311 - the same lines every time

from __future__ import annotations

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import random
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson
import polars as pl

from logshed.formats.detect import detect
from logshed.formats.multiline import Joiner
from logshed.formats.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.formats.choice import Choice

SEED = 20_150_517
START = datetime(2026, 1, 1, tzinfo=UTC)
OBSERVED = datetime(2026, 11, 1, tzinfo=UTC)
MEGABYTE = 1_000_000
SIZE = 16 * MEGABYTE
CHUNK_LINES = 50_000
SAMPLED = 600
FLOOR, NESTED_FLOOR = 25.0, 60.0
"""Megabytes per second of one core that no family may fall below, and nested JSON."""

_USERS = [f"user_{number}" for number in range(500)]
_WORDS = ["order", "paid", "declined", "timeout", "retry", "shipment", "created", "cache", "miss", "queue", "lag"]


def moments() -> Iterator[datetime]:
    """A rising clock."""
    draw = random.Random(SEED)
    moment = START
    while True:
        moment += timedelta(milliseconds=draw.randrange(1, 900))
        yield moment


def _sentence(draw: random.Random) -> str:
    return " ".join(draw.choice(_WORDS) for _ in range(draw.randrange(4, 12)))


def access(draw: random.Random, moment: datetime) -> str:
    """Combined access log."""
    path = f"/{draw.choice(_WORDS)}/{draw.randrange(10**6)}?page={draw.randrange(50)}"
    version = draw.randrange(90, 130)
    agent = f"Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"
    return (
        f"{draw.randrange(1, 223)}.{draw.randrange(256)}.7.{draw.randrange(256)} - - "
        f"[{moment:%d/%b/%Y:%H:%M:%S} +0000] "
        f'"GET {path} HTTP/1.1" {draw.choice((200, 200, 304, 404, 500))} {draw.randrange(90_000)} '
        f'"https://shop.example/{draw.choice(_WORDS)}" "{agent}"'
    )


def json_flat(draw: random.Random, moment: datetime) -> str:
    """An object of plain fields."""
    return orjson.dumps(
        {
            "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": draw.choice(("INFO", "INFO", "WARN", "ERROR")),
            "service": draw.choice(_WORDS),
            "message": _sentence(draw),
            "user_id": draw.choice(_USERS),
            "trace_id": f"{draw.getrandbits(128):032x}",
            "duration_ms": draw.randrange(10_000) / 10,
            "attempt": draw.randrange(4),
        }
    ).decode()


def json_nested(draw: random.Random, moment: datetime) -> str:
    """An object of objects."""
    return orjson.dumps(
        {
            "timestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": "ERROR",
            "service": draw.choice(_WORDS),
            "http": {
                "method": "POST",
                "path": f"/api/v1/{draw.choice(_WORDS)}",
                "status_code": 500,
                "latency_ms": 12.5,
            },
            "trace": {"trace_id": f"{draw.getrandbits(128):032x}", "span_id": f"{draw.getrandbits(64):016x}"},
            "error": {"type": "TimeoutError", "message": _sentence(draw), "stack_trace": "  at a.b.C(D.java:1)\n" * 4},
            "customer": {"id": draw.choice(_USERS), "cart": {"items": [1, 2, 3], "total": draw.randrange(10**5)}},
            "message": _sentence(draw),
        }
    ).decode()


def logfmt(draw: random.Random, moment: datetime) -> str:
    """Pairs."""
    return (
        f"time={moment:%Y-%m-%dT%H:%M:%S.%f}Z level={draw.choice(('info', 'warn', 'error'))} "
        f'msg="{_sentence(draw)}" service={draw.choice(_WORDS)} user_id={draw.choice(_USERS)} '
        f"duration_ms={draw.randrange(999)} attempt={draw.randrange(5)} component=worker-{draw.randrange(9)}"
    )


def delimited(draw: random.Random, moment: datetime) -> str:
    """A row below the header that ``_lines`` writes."""
    return (
        f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z,{draw.choice(('INFO', 'WARN', 'ERROR'))},"
        f'"{_sentence(draw)}, {_sentence(draw)}",'
        f"{draw.choice(_WORDS)},{draw.choice(_USERS)},{draw.randrange(999)}"
    )


def syslog(draw: random.Random, moment: datetime) -> str:
    """What a daemon of the system writes to its file."""
    return (
        f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S} web-{draw.randrange(9)} {draw.choice(_WORDS)}d"
        f"[{draw.randrange(90_000)}]: {_sentence(draw)} {_sentence(draw)}"
    )


def cri_json(draw: random.Random, moment: datetime) -> str:
    """JSON inside the container runtime's line."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}000Z stdout F {json_flat(draw, moment)}"


def java(draw: random.Random, moment: datetime) -> str:
    """Logback text; one record in five has a stack trace."""
    line = (
        f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03d} [http-{draw.randrange(20)}] "
        f"{draw.choice(('INFO ', 'WARN ', 'ERROR'))} com.example.shop.{draw.choice(_WORDS).title()}Service - "
        f"{_sentence(draw)}"
    )
    if draw.random() < 0.2:
        frames = "".join(
            f"\n\tat com.example.shop.{word.title()}.run({word.title()}.java:{draw.randrange(400)})" for word in _WORDS
        )
        line += f"\njava.lang.IllegalStateException: {_sentence(draw)}{frames}\n\t... 12 more"
    return line


FAMILIES: dict[str, tuple[Callable[[random.Random, datetime], str], str]] = {
    "text regex (access)": (access, ""),
    "JSON flat": (json_flat, ""),
    "JSON nested": (json_nested, ""),
    "logfmt": (logfmt, ""),
    "CSV": (delimited, "timestamp,level,message,service,user_id,duration_ms"),
    "syslog": (syslog, ""),
    "CRI + JSON": (cri_json, ""),
    "Java, multi-line": (java, ""),
}


def lines_of(family: str, size: int = SIZE) -> list[str]:
    """Physical lines of a family."""
    write, header = FAMILIES[family]
    draw = random.Random(SEED)
    lines, total = ([header] if header else []), 0
    for moment in moments():
        if total >= size:
            break
        record = write(draw, moment)
        total += len(record) + 1
        lines.extend(record.split("\n"))
    return lines


def measure(family: str, size: int = SIZE) -> tuple[str, float, float, float]:
    """The choice, MB/s of joining and parsing, CPU seconds of detection, the share of records that parsed."""
    lines = pl.Series("text", lines_of(family, size), dtype=pl.String)
    sizes = lines.str.len_bytes() + 1
    frame = pl.DataFrame(
        {"text": lines, "offset": sizes.cum_sum().cast(pl.Int64) - sizes.cast(pl.Int64)},
    ).with_columns(cut_bytes=pl.lit(None, pl.Int64), escaped=pl.lit(value=False))
    sample = pl.concat([lines.head(SAMPLED // 3), lines.tail(SAMPLED // 3), lines[len(lines) // 2 :][: SAMPLED // 3]])
    begun = time.process_time()
    choice = detect(sample).choice
    detection = time.process_time() - begun
    _parsed(frame.head(2_000), choice)  # what is compiled once
    begun = time.process_time()
    taken, records = _parsed(frame, choice)
    seconds = time.process_time() - begun
    return str(choice), int(sizes.sum()) / MEGABYTE / seconds, detection, taken / max(records, 1)


def _parsed(frame: pl.DataFrame, choice: Choice) -> tuple[int, int]:
    joiner, taken, count = Joiner(choice), 0, 0
    for start in range(0, frame.height, CHUNK_LINES):
        records = joiner.push(frame.slice(start, CHUNK_LINES))
        if records.height:
            parsed = parse(records["text"], choice, observed=OBSERVED)
            taken, count = taken + parsed["parse_error"].null_count(), count + parsed.height
    records = joiner.finish()
    if records.height:
        parsed = parse(records["text"], choice, observed=OBSERVED)
        taken, count = taken + parsed["parse_error"].null_count(), count + parsed.height
    return taken, count


def main() -> int:
    """Measure each family and say which are below the floor."""
    wanted = sys.argv[1:] or list(FAMILIES)
    print(f"{'family':<22}{'MB/s per core':>14}{'floor':>7}{'taken':>8}{'detection':>12}  choice")
    slow = 0
    for family in wanted:
        choice, speed, detection, share = measure(family)
        floor = NESTED_FLOOR if family == "JSON nested" else FLOOR
        slow += speed < floor
        print(f"{family:<22}{speed:>14.0f}{floor:>7.0f}{share:>8.1%}{detection:>10.2f} s  {choice}")
    return int(slow > 0)


if __name__ == "__main__":
    sys.exit(main())
