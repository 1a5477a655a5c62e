from __future__ import annotations

import random
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from logshed.errors import SpoolError
from logshed.sources.spool import SPOOL, SpoolFile, targets
from logshed.spool import note_done
from logshed.spool.checking import verify
from logshed.spool.repair import repair

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import sys
from itertools import count
from pathlib import Path
import numpy as np
from logshed.spool import Piece, Spool
with Spool(Path(sys.argv[1]), segment_bytes=20_000) as opened:
    for number in count(int(sys.argv[2])):
        ids = np.array([number], dtype=np.uint64)
        if not opened.seen(ids).all():
            pieces = [Piece(source, "c", b"%d\\n" % number * (number % 50)) for source in ("a", "b", "c")]
            opened.append([*pieces, Piece("all", "c", b"%d\\n" % number)], ids)
        print(number, flush=True)
"""
EMPTIED = """
import sys
from pathlib import Path
from logshed.spool import Piece, Spool
with Spool(Path(sys.argv[1]), segment_bytes=3_000) as opened:
    for number in range(400):
        opened.append([Piece(source, "c", b"%d\\n" % number) for source in ("a", "b")])
        if number % 7 == 0:
            print(opened.trim(), flush=True)
        if number % 80 == 79:
            sys.stdin.readline()  # somebody has looked meanwhile
"""


def killed(root: Path, kills: int, chance: random.Random) -> None:
    """A client sends number after number, and again those of which it was told nothing; the writer is killed."""
    sent = told = 0
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(root), str(told)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(chance.randint(1, 120)):
            told = int(process.stdout.readline()) + 1
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        sent = max([told - 1, *(int(line) for line in rest.split("\n")[:-1])])
        told = sent + 1 if chance.random() < 0.5 else told  # some of its answers are lost on the way
    found = {target.source: SpoolFile(target.locator).read(2**30).split() for target in targets(f"{SPOOL}{root}")}
    numbers = [int(word) for word in found["all"]]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > sent
    for source in ("a", "b", "c"):
        every = [number for number in numbers for _ in range(number % 50)]
        assert [int(word) for word in found[source]] == every
    assert [one for one in verify(root) if not one.torn] == []
    repair(root)
    assert verify(root) == []


def test_a_client_that_sends_again_what_nobody_acknowledged_has_each_record_once(tmp_path: Path) -> None:
    killed(tmp_path / "spool", 4, random.Random(11))  # noqa: S311 - no secret


@pytest.mark.soak
def test_sixty_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    killed(tmp_path / "spool", 60, random.Random())  # noqa: S311 - no secret


def test_a_reader_of_a_spool_that_is_written_and_emptied_meanwhile_has_each_line_once(tmp_path: Path) -> None:
    words = [sys.executable, "-c", EMPTIED, str(tmp_path)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()
    lake: dict[str, bytes] = {}
    ends: dict[str, int] = {}
    looks = 0
    while process.poll() is None:
        for target in targets(f"{SPOOL}{tmp_path}"):
            had = lake.get(target.source, b"")
            file = SpoolFile(target.locator)
            file.seek(len(had))
            try:
                lake[target.source] = had + file.read(2**20)
            except SpoolError as error:
                assert "run it again" in str(error)  # noqa: PT017 - it is what may happen
            ends[target.generation] = len(lake.get(target.source, b""))
        note_done(tmp_path, ends)
        looks += 1
        if looks <= 5:
            process.stdin.write("\n")
            process.stdin.flush()
    process.communicate()
    assert process.returncode == 0
    for target in targets(f"{SPOOL}{tmp_path}"):
        had = lake[target.source]
        file = SpoolFile(target.locator)
        file.seek(len(had))
        lake[target.source] = had + file.read(2**20)
    assert looks >= 5
    assert {source: [int(line) for line in text.split()] for source, text in lake.items()} == {
        source: list(range(400)) for source in ("a", "b")
    }
    assert verify(tmp_path) == []
