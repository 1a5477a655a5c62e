"""A private key that is written in parts comes to rest in none of them, wherever the parts meet."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from logshed.formats import registry
from logshed.formats.choice import Choice
from logshed.formats.multiline import Joiner
from logshed.sources.lines import LineCutter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from logshed.api import Lake

BODY = [f"{chr(65 + number)}EXAMPLE{number:02d}/+" * 5 + "keys" for number in range(12)]
"""Lines as long as those of a key."""
LINES = [
    "2026-01-01 00:00:00 INFO loaded a key",
    "-----BEGIN PRIVATE KEY-----",
    *BODY,
    f"{BODY[0][:40]}==",
    "-----END PRIVATE KEY-----",
    "2026-01-01 00:00:01 INFO done",
]


def plain(number: int, line: str) -> str:
    del number
    return f"{line}\n"


def docker(number: int, line: str) -> str:
    return json.dumps({"log": f"{line}\n", "stream": "stdout", "time": f"2026-01-01T00:00:{number:02d}.5Z"}) + "\n"


@pytest.mark.parametrize("written", [plain, docker])
def test_a_key_in_a_file_that_grows_is_nowhere_in_the_lake(
    lake: Lake, logs: Path, written: Callable[[int, str], str]
) -> None:
    whole = [written(number, line) for number, line in enumerate(LINES)]
    cuts = {"begun": (2, 17), "twice": (5, 9, 17), "at last": (14, 15, 17)}
    for name, ends in cuts.items():
        for end in ends:
            (logs / f"{name}.log").write_text("".join(whole[:end]))
            lake.ingest([str(logs)])
    rows = [row for table in ("lines", "logs") for row in lake.query(f"SELECT * FROM {table}").rows()]
    rest = "\n".join(map(str, rows))
    assert not [line for line in LINES[2:-2] if line[:24] in rest]
    assert rest.count("INFO done") >= len(cuts)
    assert lake.audit().ok


def test_what_lies_before_a_split_tells_that_a_key_goes_on() -> None:
    before = "".join(plain(0, line) for line in LINES[:5]).encode()
    after = "".join(plain(0, line) for line in LINES[5:]).encode()
    lines, _ = LineCutter(len(before), 1_000).read(io.BytesIO(after).readinto, len(after))
    joiner = Joiner(Choice.parse("bracket_level"), lookback=before, formats=registry.load())
    records = [*joiner.push(lines)["text"], *joiner.finish()["text"]]
    assert records == ["\n".join(["-----BEGIN PRIVATE KEY-----", *LINES[5:-1]]), LINES[-1]]
