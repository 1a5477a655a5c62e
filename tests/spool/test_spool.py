from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.spool.crashing import crash

from logshed import spool
from logshed.errors import SpoolError, SpoolFullError
from logshed.sources.spool import SPOOL, SpoolFile, targets
from logshed.spool import Piece, Spool

if TYPE_CHECKING:
    from pathlib import Path

APPENDING = """
import sys
from pathlib import Path
from logshed.spool import Piece, Spool
with Spool(Path(sys.argv[1]), segment_bytes=4096) as opened:
    number = int(opened.cursor("a", "c").get("number", 0))
    while True:
        lines = b"".join(b"line %d\\n" % (number + step) for step in range(7))
        number += 7
        opened.append([Piece("a", "c", lines, {"number": number}), Piece("b", "c", lines, {"number": number})])
        print(number, flush=True)
"""


def piece(source: str, *lines: str, cursor: int = 0, collection: str = "c") -> Piece:
    return Piece(
        source, collection, "".join(f"{line}\n" for line in lines).encode(), {"at": cursor}, "json", (("k", "v"),)
    )


def text(root: Path, source: str) -> str:
    target = next(target for target in targets(f"{SPOOL}{root}") if target.source == source)
    return SpoolFile(target.locator).read(2**30).decode()


def test_what_was_appended_is_read_stream_by_stream_with_where_to_go_on(tmp_path: Path) -> None:
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one", cursor=1), piece("b", "uno", cursor=1)])
        opened.append([piece("a", "two", "three", cursor=3)])
        assert opened.cursor("a", "c") == {"at": 3}
        assert opened.cursor("z", "c") == {}
    assert (text(tmp_path, "a"), text(tmp_path, "b")) == ("one\ntwo\nthree\n", "uno\n")
    found = spool.read(tmp_path).streams["a", "c"]
    assert (found.cursor, found.format, found.resource, found.end) == ({"at": 3}, "json", (("k", "v"),), 14)


def test_a_stream_goes_on_where_it_was_when_the_spool_is_opened_again(tmp_path: Path) -> None:
    for number in range(3):
        with Spool(tmp_path) as opened:
            assert opened.cursor("a", "c") == ({"at": number - 1} if number else {})
            opened.append([piece("a", f"line {number}", cursor=number)])
    assert text(tmp_path, "a") == "line 0\nline 1\nline 2\n"
    assert len({target.generation for target in targets(f"{SPOOL}{tmp_path}")}) == 1


def test_a_second_writer_is_refused_and_readers_are_not(tmp_path: Path) -> None:
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one")])
        with pytest.raises(
            SpoolError, match=r"another process writes it \(process [0-9]+\); give this one a spool of its own"
        ):
            Spool(tmp_path)
        assert text(tmp_path, "a") == "one\n"


def test_nothing_that_was_acknowledged_is_lost_or_doubled_when_the_writer_is_killed_again_and_again(
    tmp_path: Path,
) -> None:
    acknowledged = 0
    for after in (3, 11, 29):
        process = subprocess.Popen([sys.executable, "-c", APPENDING, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(after):
            acknowledged = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    with Spool(tmp_path) as opened:
        there = opened.cursor("a", "c")["number"]
        assert there >= acknowledged > 0
    for source in ("a", "b"):
        assert text(tmp_path, source).splitlines() == [f"line {number}" for number in range(there)]


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_what_a_crash_left_half_written_is_not_there(tmp_path: Path, cut: int) -> None:
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one", cursor=1)])
        before = opened.index.bytes
        opened.append([piece("a", "two", cursor=2)])
    (segment,) = spool.read(tmp_path).segments
    crash(segment, before, segment.read_bytes()[:-cut])
    assert text(tmp_path, "a") == "one\n"
    with Spool(tmp_path) as opened:
        assert opened.cursor("a", "c") == {"at": 1}
        opened.append([piece("a", "again", cursor=2)])
    assert text(tmp_path, "a") == "one\nagain\n"


def test_a_damaged_frame_is_told_with_its_place(tmp_path: Path) -> None:
    with Spool(tmp_path) as opened:
        for number in range(3):
            opened.append([piece("a", f"line {number}")])
    (segment,) = spool.read(tmp_path).segments
    data = segment.read_bytes()
    segment.write_bytes(data.replace(b"line 1", b"line 9"))
    with pytest.raises(SpoolError, match=r"it is damaged at byte .*; `logshed spool repair` saves what lies around it"):
        text(tmp_path, "a")
    segment.write_bytes(data.replace(b'"offset":7', b'"offset":9'))
    with pytest.raises(SpoolError, match="it is damaged at byte"):
        spool.read(tmp_path)


def test_a_full_spool_takes_nothing_of_what_does_not_fit_until_its_lines_are_in_a_lake(tmp_path: Path) -> None:
    with Spool(tmp_path, limit=4_000, segment_bytes=1_000) as opened:
        written = 0
        while opened.index.bytes < 3_600:
            opened.append([piece("a", f"{written:0100d}", cursor=written)])
            written += 1
        with pytest.raises(SpoolFullError, match=r"its limit of 4,000 bytes is reached; empty it into a lake with"):
            opened.append([piece("a", "x" * 400, cursor=written)])
        assert opened.cursor("a", "c") == {"at": written - 1}
        stream = opened.index.streams["a", "c"]
        spool.note_done(tmp_path, {stream.generation: stream.end})
        opened.append([piece("a", "and on", cursor=written)])
        assert opened.index.bytes < 2_000
    assert text(tmp_path, "a") == "and on\n"
    with Spool(tmp_path) as opened:
        found = opened.index.streams["a", "c"]
        assert (found.generation, found.start, found.end) == (stream.generation, written * 101, written * 101 + 7)


def test_where_a_silent_stream_goes_on_outlives_its_segments(tmp_path: Path) -> None:
    with Spool(tmp_path, segment_bytes=200) as opened:
        opened.append([piece("silent", "once", cursor=42)])
        for number in range(20):
            opened.append([piece("loud", f"line {number}", cursor=number)])
        ends = {one.generation: one.end for one in opened.index.streams.values()}
        spool.note_done(tmp_path, ends)
        assert opened.trim() > 0
    with Spool(tmp_path) as opened:
        assert opened.cursor("silent", "c") == {"at": 42}
        assert opened.index.streams["silent", "c"].end == 5


def test_only_what_is_wholly_in_a_lake_is_taken_away(tmp_path: Path) -> None:
    with Spool(tmp_path, segment_bytes=200) as opened:
        for number in range(10):
            opened.append([piece("a", f"line {number}", cursor=number)])
        stream = opened.index.streams["a", "c"]
        spool.note_done(tmp_path, {stream.generation: 7 * 4 + 3})
        opened.trim()
    assert text(tmp_path, "a").splitlines()[-6:] == [f"line {number}" for number in range(4, 10)]
    assert not text(tmp_path, "a").startswith("line 0")


def test_a_full_disk_leaves_the_spool_as_it_was(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the system refuses to write on, as a full one does."""
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one", cursor=1)])
        before = next(iter(opened.index.segments)).stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (before + 100, hard))
        try:
            with pytest.raises(SpoolFullError, match="free some space"):
                opened.append([piece("a", "x" * 10_000, cursor=2)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            signal.signal(signal.SIGXFSZ, handler)
        assert opened.cursor("a", "c") == {"at": 1}
        opened.append([piece("a", "two", cursor=2)])
    assert text(tmp_path, "a") == "one\ntwo\n"
