"""Measures how late records of a replay come out of its pipe, and how many a second it can emit.

The records are read from the pipe as they come; the ideal time of each is its place in the window, counted from where
the one that is least late puts the beginning. Beside it a program that only sleeps tells by how much this machine wakes
anyone late meanwhile: what is late by that is no fault of a replay.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

DAY = datetime(2026, 1, 5, tzinfo=UTC)
SLEEPER = """
import json, select, sys, time
begun, late = time.monotonic(), []
while not select.select([sys.stdin], [], [], 0)[0]:
    time.sleep(0.004)
    now = time.monotonic()
    late += [now - begun - due / 1000 for due in range(len(late), int(1000 * (now - begun)))]
late.sort()
print(json.dumps({"p99": round(1000 * late[int(0.99 * len(late))], 1), "worst": round(1000 * late[-1], 1)}))
"""
"""What is due each millisecond, looked at each four."""


def main() -> None:
    """Print the figures as JSON."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rows", type=int, default=100_000, help="records of the day")
    words.add_argument("--seconds", type=int, default=300, help="how long the day takes")
    words.add_argument("--form", choices=("line", "json"), default="line")
    words.add_argument("--first", action="store_true", help="with real-time priority: what else runs does not count")
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made(folder, given.rows)
        if given.first:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        print(json.dumps(drift(folder, given.rows, given.seconds, given.form), indent=2), flush=True)
        print(json.dumps({"as fast as it goes": fastest(folder, given.rows, given.form)}, indent=2))


def made(folder: Path, rows: int) -> None:
    """A lake of a day."""
    dice = random.Random(20)  # noqa: S311 - a benchmark's dice
    log = folder / "access.log"
    with log.open("w") as file:
        for number, second in enumerate(sorted(dice.random() * 86_400 for _ in range(rows))):
            when = DAY + timedelta(seconds=second)
            address = f"192.0.2.{dice.randrange(256)}"
            file.write(f'{address} - - [{when:%d/%b/%Y:%H:%M:%S} +0000] "GET /{number} HTTP/1.1" 200 5 "-" "curl/8"\n')
    subprocess.run([*command("ingest"), str(log), "--lake", str(folder / "lake")], check=True, capture_output=True)


def drift(folder: Path, rows: int, seconds: int, form: str) -> dict[str, Any]:
    """Milliseconds that records come late, at the end of the pipe."""
    words = [*command("replay"), "--lake", str(folder / "lake"), "--since", "2026-01-05", "--until", "2026-01-06"]
    came: list[tuple[float, int]] = []
    with (
        subprocess.Popen([sys.executable, "-c", SLEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sleeper,
        subprocess.Popen(
            [*words, "--duration", f"{seconds}s", "--as", form], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as replay,
    ):
        assert replay.stdout is not None  # noqa: S101 - a pipe was asked for
        assert replay.stderr is not None  # noqa: S101 - as above
        left = b""
        while data := os.read(replay.stdout.fileno(), 1 << 20):
            now = time.monotonic()
            *whole, left = (left + data).split(b"\n")
            came += [(now, _place(line)) for line in whole]
        said = replay.stderr.read().decode().splitlines()[-1]
        machine = json.loads(sleeper.communicate(b"enough")[0])
    speed = 86_400 / seconds
    begun = min(now - place / speed for now, place in came)
    late = sorted(1000 * (now - begun - place / speed) for now, place in came)
    noon = next(now for now, place in came if place >= 43_200) - begun
    return {
        "records": len(came),
        "all came": len(came) == rows,
        "seconds": seconds,
        "late, ms, median": round(late[len(late) // 2], 1),
        "late, ms, p99": round(late[int(0.99 * len(late))], 1),
        "late, ms, worst": round(late[-1], 1),
        "noon at, s": round(noon, 3),
        "a program that only sleeps, late, ms": machine,
        "it says": said,
    }


def fastest(folder: Path, rows: int, form: str) -> dict[str, Any]:
    """Records a second where all are due at once."""
    words = [*command("replay"), "--lake", str(folder / "lake"), "--duration", "0.001s", "--as", form]
    done = subprocess.run([*words, "--to", os.devnull], check=True, capture_output=True, text=True)
    found = re.search(r"the latest of them ([\d.]+) (ms|s)", done.stderr)
    assert found is not None  # noqa: S101 - that is what it says
    seconds = float(found[1]) / (1000 if found[2] == "ms" else 1)
    return {"seconds": seconds, "records/s": round(rows / max(seconds, 0.001))}


def command(verb: str) -> list[str]:
    """The program."""
    return [sys.executable, "-m", "logshed", verb]


def _place(line: bytes) -> int:
    """Seconds since midnight: the log has whole ones."""
    found = re.search(rb"2026[:T](\d\d):(\d\d):(\d\d)|T(\d\d):(\d\d):(\d\d)", line)
    assert found is not None  # noqa: S101 - each line has one
    hours, minutes, seconds = (int(part) for part in found.groups() if part is not None)
    return 3600 * hours + 60 * minutes + seconds


if __name__ == "__main__":
    main()
