"""Makes the logs that the benchmarks read: always the same ones."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SEED = 20_150_517
START = datetime(2026, 1, 1, tzinfo=UTC)
ACCESS_LINES, JSON_LINES = 1_000_000, 500_000

_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{0}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{0} Safari/605.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS {0}_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "curl/8.{0}.1",
)
_SERVICES = ("checkout", "catalog", "accounts", "shipping", "search")


def made(path: Path, write: Callable[[], Iterator[str]]) -> Path:
    """The file, made if it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(write())
        part.replace(path)
    return path


def repeated(path: Path, times: int) -> Path:
    """A file that holds another one so many times."""
    target = path.with_name(f"{path.stem}-x{times}{path.suffix}")
    if not target.exists():
        with target.open("wb") as file:
            for _ in range(times):
                file.write(path.read_bytes())
    return target


def access_lines() -> Iterator[str]:
    """A combined access log; one request in two hundred carries a token or an e-mail address in its query."""
    draw = random.Random(SEED)  # noqa: S311 - the same lines every time
    clients = [
        f"{draw.randrange(1, 224)}.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(1, 255)}"
        for _ in range(30_000)
    ]
    sections = ("blog", "images", "docs", "api/v1", "static")
    paths = [f"/{draw.choice(sections)}/{draw.randrange(10**9):x}/{draw.getrandbits(48):x}.html" for _ in range(5_000)]
    agents = [browser.format(version) for browser in _BROWSERS for version in range(90, 130)]
    moment = START
    for number in range(ACCESS_LINES):
        moment += timedelta(milliseconds=draw.randrange(170))
        query = f"?page={draw.randrange(50)}" if number % 5 == 0 else ""
        if number % 200 == 0:
            query = f"?mail=user{draw.randrange(999)}@example.com&token={draw.getrandbits(64):016x}"
        referrer = f"https://www.example.org/start{draw.choice(paths)}" if draw.random() < 0.8 else "-"
        yield (
            f"{draw.choice(clients)} - - [{moment:%d/%b/%Y:%H:%M:%S} +0000] "
            f'"{draw.choice(("GET", "GET", "GET", "GET", "HEAD", "POST"))} {draw.choice(paths)}{query} HTTP/1.1" '
            f"{draw.choice((200, 200, 200, 200, 200, 304, 301, 404, 500))} {draw.randrange(200, 90_000)} "
            f'"{referrer}" "{draw.choice(agents)}"\n'
        )


def json_lines() -> Iterator[str]:
    """Nested JSON application logs with a few keys that no column has."""
    draw = random.Random(SEED)  # noqa: S311 - the same lines every time
    moment = START
    for _ in range(JSON_LINES):
        moment += timedelta(milliseconds=draw.randrange(400))
        failed = draw.random() < 0.03
        record: dict[str, object] = {
            "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
            "level": "ERROR" if failed else "INFO",
            "service": draw.choice(_SERVICES),
            "http": {
                "method": draw.choice(("GET", "POST")),
                "path": f"/api/v1/items/{draw.randrange(5_000)}",
                "status_code": 500 if failed else 200,
                "latency_ms": round(draw.lognormvariate(4, 1), 1),
            },
            "trace": {"trace_id": f"{draw.getrandbits(128):032x}", "span_id": f"{draw.getrandbits(64):016x}"},
            "message": "Database connection timeout" if failed else "request done",
            "host": f"node-{draw.randrange(40)}.example.net",
            "client_ip": f"10.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(256)}",
            "region": draw.choice(("north", "south")),
            "cart": {"items": draw.randrange(20), "currency": "EUR"},
        }
        if failed:
            record["error"] = {
                "type": "ConnectionTimeout",
                "stack_trace": "ConnectionTimeout\n    at pool.acquire (pool.js:88)",
            }
        yield json.dumps(record, separators=(",", ":")) + "\n"
