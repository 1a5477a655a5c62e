from __future__ import annotations

import itertools
import os
import platform
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.spool.crashing import crash
from tests.spool.failing import CALLS, fail_to_flush

from logshed import spool
from logshed.errors import SpoolError, SpoolFullError
from logshed.sources.spool import SPOOL, SpoolFile, targets
from logshed.spool import Piece, Spool
from logshed.spool.checking import verify
from logshed.spool.extent import read_extent
from logshed.spool.listing import CUT, segments

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logshed.spool.marks import Ids

flushing = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in CALLS, reason="needs a system that can be told to refuse calls"
)


def ids(*numbers: int) -> Ids:
    return np.array(numbers, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


def piece(source: str, text: str, at: int = 0) -> Piece:
    return Piece(source, "c", f"{text}\n".encode(), {"at": at})


def text(root: Path, source: str) -> str:
    return "".join(
        SpoolFile(target.locator).read(2**30).decode()
        for target in targets(f"{SPOOL}{root}")
        if target.source == source
    )


def refused(opened: Spool, *pieces: Piece, known: Ids) -> None:
    """Append in a thread whose every flush fails."""
    told: list[SpoolError] = []

    def run() -> None:
        fail_to_flush()
        try:
            opened.append(pieces, known)
        except SpoolError as error:
            told.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    (error,) = told
    assert "Input/output error; check the disk" in str(error)


def filled(opened: Spool, size: int, number: int) -> int:
    """Append numbered writes of so many bytes until the disk is full: the first number that was not taken."""
    taken = itertools.count(number)

    def fill() -> None:
        for one in taken:
            opened.append([piece("a", "x" * size), piece("b", f"{one}")], ids(one))

    with pytest.raises(SpoolFullError, match="No space left on device; free some space"):
        fill()
    return next(taken) - 1


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_disk_that_is_full_takes_all_of_a_write_or_nothing_and_again_once_there_is_room(small: Path) -> None:
    root = small / "spool"
    with Spool(root, limit=2**21) as opened:
        taken = filled(opened, 15_000, 0)
        assert not opened.seen(ids(taken)).any()
        taken = filled(opened, 10, taken)
        assert opened.seen(ids(*range(taken))).all()
        assert verify(root) == []
        assert text(root, "b").splitlines() == [str(number) for number in range(taken)]
        spool.note_done(root, {one.generation: one.end for one in opened.index.streams.values()})
    with Spool(root, limit=2**21) as opened:  # which can be opened on a disk that is full, too
        assert opened.trim() > 100_000
        opened.append([piece("a", "x" * 100_000), piece("b", "again")], ids(taken))
    with Spool(root, limit=2**21) as opened:
        assert opened.seen(ids(*range(taken + 1))).all()
    assert text(root, "b") == "again\n"


@flushing
def test_what_could_not_be_flushed_is_not_there_and_its_segment_is_never_written_again(tmp_path: Path) -> None:
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one", 1)], ids(1))
        (segment,) = segments(tmp_path)
        before = segment.stat().st_size
        refused(opened, piece("a", "two", 2), piece("b", "due"), known=ids(2))
        assert opened.cursor("a", "c") == {"at": 1}
        assert opened.seen(ids(1, 2)).tolist() == [True, False]
        assert text(tmp_path, "a") == "one\n"
        opened.append([piece("a", "three", 3)], ids(3))
        assert [one.stem[-1] for one in segments(tmp_path)] == ["1", "2"]
        assert segment.stat().st_size == before
    with Spool(tmp_path) as opened:
        assert opened.seen(ids(1, 2, 3)).tolist() == [True, False, True]
        opened.append([piece("a", "four", 4)])
    assert text(tmp_path, "a") == "one\nthree\nfour\n"
    assert verify(tmp_path) == []
    assert list(tmp_path.glob(f"*{CUT}")) == []


@flushing
def test_what_could_not_be_flushed_but_came_to_the_disk_all_the_same_does_not_come_back(tmp_path: Path) -> None:
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one", 1)], ids(1))
        (segment,) = segments(tmp_path)
        before = segment.read_bytes()
        refused(opened, piece("a", "two", 2), known=ids(2))
        opened.append([piece("a", "other", 3)], ids(3))
        with Spool(tmp_path / "elsewhere") as other:
            other.append([piece("a", "one", 1)], ids(1))
            other.append([piece("a", "two", 2)], ids(2))
        whole = segments(tmp_path / "elsewhere")[0].read_bytes()
        segment.write_bytes(before + whole[len(before) :])
        assert text(tmp_path, "a") == "one\nother\n"
    assert verify(tmp_path) == []
    with Spool(tmp_path) as opened:
        assert opened.seen(ids(1, 2, 3)).tolist() == [True, False, True]
    assert segment.read_bytes() == before
    assert text(tmp_path, "a") == "one\nother\n"


@flushing
def test_a_disk_that_fails_again_and_again_costs_nothing_that_was_taken(tmp_path: Path) -> None:
    with Spool(tmp_path, segment_bytes=300) as opened:
        for number in range(6):
            refused(opened, piece("a", f"lost {number}"), known=ids(100 + number))
            opened.append([piece("a", f"line {number}", number)], ids(number))
        spool.note_done(tmp_path, {one.generation: 14 for one in opened.index.streams.values()})
        opened.trim()
        assert opened.seen(ids(*range(6))).all()
        assert not opened.seen(ids(*range(100, 106))).any()
    with Spool(tmp_path) as opened:
        assert opened.cursor("a", "c") == {"at": 5}
    assert text(tmp_path, "a").endswith("line 2\nline 3\nline 4\nline 5\n")
    assert verify(tmp_path) == []


@flushing
def test_a_spool_whose_last_write_is_not_known_to_be_on_the_disk_is_flushed_before_it_is_used(tmp_path: Path) -> None:
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one")])
    told: list[str] = []

    def run() -> None:
        fail_to_flush()
        try:
            Spool(tmp_path).close()
        except SpoolError as error:
            told.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert told == [f"cannot write to {tmp_path}: Input/output error; check the disk"]
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "two")])


def test_readers_see_nothing_that_the_disk_is_not_known_to_have(tmp_path: Path) -> None:
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one")])
        segment, before = segments(tmp_path)[0], opened.index.bytes
        opened.append([piece("a", "two")], ids(2))
        whole = segment.read_bytes()
        crash(segment, before, whole)
        assert text(tmp_path, "a") == "one\n"
        assert verify(tmp_path) == []
    with Spool(tmp_path) as opened:
        assert opened.seen(ids(2)).all()
    assert text(tmp_path, "a") == "one\ntwo\n"


@pytest.mark.parametrize("hole", [b"\0" * 64, b"\xff" * 16])
@pytest.mark.parametrize("at", [0, 40, 150, 300])
def test_a_last_write_of_which_blocks_did_not_reach_the_disk_is_not_there(tmp_path: Path, at: int, hole: bytes) -> None:
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one", 1)], ids(1))
        segment, before = segments(tmp_path)[0], opened.index.bytes
        opened.append([piece("a", "two" * 30, 2), piece("b", "due" * 30)], ids(2))
    data = bytearray(segment.read_bytes())
    data[before + at : before + at + len(hole)] = hole
    crash(segment, before, bytes(data))
    with Spool(tmp_path) as opened:
        assert opened.cursor("a", "c") == {"at": 1}
        assert opened.seen(ids(1, 2)).tolist() == [True, False]
        opened.append([piece("a", "again", 2)], ids(2))
    assert (text(tmp_path, "a"), text(tmp_path, "b")) == ("one\nagain\n", "")
    assert verify(tmp_path) == []


def test_damage_of_what_was_on_the_disk_is_never_taken_for_the_end_that_a_crash_left(tmp_path: Path) -> None:
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one", 1)], ids(1))
        before = opened.index.bytes
        opened.append([piece("a", "two", 2)], ids(2))
        after = opened.index.bytes
    (segment,) = segments(tmp_path)
    whole = segment.read_bytes()
    for data in (whole[:-3], whole[:before], whole.replace(b"two", b"tw\0")):
        crash(segment, after, data)
        with pytest.raises(SpoolError, match="`logshed spool repair` saves what lies around it"):
            Spool(tmp_path)
        assert [one.torn for one in verify(tmp_path)] == [False]
        assert segment.read_bytes() == data


def test_how_far_a_spool_goes_is_noted_before_segments_are_begun_and_taken_away(tmp_path: Path) -> None:
    with Spool(tmp_path, segment_bytes=100) as opened:
        for number in range(5):
            opened.append([piece("a", f"line {number}")])
            extent = read_extent(tmp_path)
            assert extent is not None
            assert (extent.first, extent.last) == (1, number + 1)
            assert extent.size == os.stat(segments(tmp_path)[-1]).st_size  # noqa: PTH116 - plain
        spool.note_done(tmp_path, {one.generation: one.end for one in opened.index.streams.values()})
        opened.trim()
        extent = read_extent(tmp_path)
        assert extent is not None
        assert [extent.first] == [int(one.stem) for one in segments(tmp_path)] == [extent.last]
