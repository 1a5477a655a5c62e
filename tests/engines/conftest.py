"""Logs for the engines: of several formats and days, of records of many lines, large and small, and one of none."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ACCESSES, TRACES = 2000, 150
"""Records of an access log, and of an application's with a trace each: some tasks' worth."""


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Path:
    """Files of several formats: of some days, of records of many lines, packed, small, and one of none."""
    folder = tmp_path_factory.mktemp("logs")
    chosen = random.Random(7)  # noqa: S311 - a log, no secret
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    lines = []
    for number in range(ACCESSES):
        moment = begin + timedelta(seconds=240_000 // ACCESSES * number)
        path = chosen.choice(["/", "/cart", "/wp-login.php", "/../../etc/passwd", f"/product/{number % 50}"])
        client = "203.0.113.7" if number % 9 == 0 else f"198.51.100.{number % 200}"
        status = chosen.choice([200] * 9 + [404, 500])
        lines.append(
            f'{client} - - [{moment:%d/%b/%Y:%H:%M:%S} +0000] "GET {path} HTTP/1.1" {status} {number} "-" "Mozilla/5.0"'
        )
    (folder / "access.log").write_text("\n".join(lines) + "\n")
    (folder / "app.log").write_text(
        "".join(
            f"2026-03-0{1 + n % 4} 10:00:{n % 60:02} ERROR [main] shop.Cart - lost {n}@example.com\n"
            f"java.lang.IllegalStateException: no cart {n}\n\tat shop.Cart.get(Cart.java:{n})\n"
            for n in range(TRACES)
        )
    )
    for name in ("auth.log", "app.jsonl", "docker-json.log"):
        shutil.copy(examples / name, folder / name)
    (folder / "noise.txt").write_text("no format takes this\n" * 20)
    return folder
