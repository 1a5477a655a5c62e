from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.clock import Clock
from tests.spool.crashing import crash

from logshed import spool
from logshed.sources.spool import SPOOL, SpoolFile, targets
from logshed.spool import Piece, Spool
from logshed.spool.kept_ids import MOST_FILES, files

if TYPE_CHECKING:
    from pathlib import Path


def ids(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


def piece(source: str, text: str) -> Piece:
    return Piece(source, "c", f"{text}\n".encode())


def text(root: Path, source: str) -> str:
    target = next(target for target in targets(f"{SPOOL}{root}") if target.source == source)
    return SpoolFile(target.locator).read(2**30).decode()


def all_done(opened: Spool) -> None:
    spool.note_done(opened.root, {one.generation: one.end for one in opened.index.streams.values()})


def test_ids_are_known_at_once_and_after_the_spool_is_opened_again(tmp_path: Path) -> None:
    with Spool(tmp_path) as opened:
        assert not opened.seen(ids(1, 2)).any()
        opened.append([piece("a", "one")], ids(1, 2))
        opened.append([piece("a", "two")])
        opened.append([], ids(3))
        assert opened.seen(ids(0, 1, 2, 3, 4)).tolist() == [False, True, True, True, False]
    with Spool(tmp_path) as opened:
        assert opened.seen(ids(0, 1, 2, 3, 4)).tolist() == [False, True, True, True, False]


def test_ids_are_no_stream_that_a_lake_would_take(tmp_path: Path) -> None:
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one"), piece("b", "uno")], ids(1))
        assert list(opened.index.streams) == [("a", "c"), ("b", "c")]
    assert [target.source for target in targets(f"{SPOOL}{tmp_path}")] == ["a", "b"]
    assert (text(tmp_path, "a"), text(tmp_path, "b")) == ("one\n", "uno\n")


def test_wherever_a_crash_cuts_a_write_its_lines_and_ids_are_all_there_or_none_is(tmp_path: Path) -> None:
    root = tmp_path / "spool"
    with Spool(root) as opened:
        opened.append([piece("a", "one")], ids(1))
    (segment,) = spool.read(root).segments
    before = segment.stat().st_size
    with Spool(root) as opened:
        opened.append([piece("a", "two"), piece("b", "due"), piece("a", "three")], ids(2, 3))
    whole = segment.read_bytes()
    for size in range(before, len(whole), 3):
        crash(segment, before, whole[:size])
        assert text(root, "a") == "one\n"
        assert ("b", "c") not in spool.read(root).streams
        if size % 7:
            continue
        with Spool(root) as opened:
            assert opened.seen(ids(1, 2, 3)).tolist() == [True, False, False]
            assert opened.index.bytes == before


def test_more_ids_than_one_frame_may_hold_come_back(tmp_path: Path) -> None:
    many = np.random.default_rng(1).integers(0, 2**64, 150_000, dtype=np.uint64)
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one")], many)
    with Spool(tmp_path) as opened:
        assert opened.seen(many).all()
        opened.append([piece("a", "two")], ids(1))
    assert text(tmp_path, "a") == "one\ntwo\n"


def test_ids_outlive_the_segments_in_which_they_came_and_each_is_written_again_but_once(tmp_path: Path) -> None:
    with Spool(tmp_path, segment_bytes=1_000) as opened:
        for number in range(100):
            opened.append([piece("a", f"line {number}")], ids(number))
            if number % 10 == 9:
                before = {path: path.stat().st_mtime_ns for path in files(tmp_path)}
                all_done(opened)
                opened.trim()
                after = {path: path.stat().st_mtime_ns for path in files(tmp_path)}
                assert len(after) <= MOST_FILES
                assert len(after) <= len(before) or before.items() <= after.items()
        assert len(opened.index.segments) == 1
        assert opened.seen(ids(*range(100))).all()
    with Spool(tmp_path) as opened:
        assert opened.seen(ids(*range(100))).all()
        assert not opened.seen(ids(*range(100, 200))).any()


def test_ids_that_are_not_remembered_any_more_leave_the_disk_with_their_segments(tmp_path: Path) -> None:
    with Spool(tmp_path, ids=50) as opened:
        for number in range(400):
            opened.append([piece("a", f"line {number}")], ids(number))
            if number % 20 == 19:
                all_done(opened)
                opened.trim()
        assert sum(path.stat().st_size for path in files(tmp_path)) < 50 * 30
    with Spool(tmp_path, ids=50) as opened:
        assert opened.seen(ids(*range(350, 400))).all()
        assert not opened.seen(ids(*range(300))).any()


def test_ids_are_remembered_for_their_time_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    for module in ("window", "writer"):
        monkeypatch.setattr(f"logshed.spool.{module}.time", clock)
    with Spool(tmp_path, ids_seconds=0.2) as opened:
        opened.append([piece("a", "one")], ids(1))
        clock.go(0.19)
        assert opened.seen(ids(1)).all()
        clock.go(0.02)
        assert not opened.seen(ids(1)).any()
    with Spool(tmp_path, ids_seconds=0.2) as opened:
        assert not opened.seen(ids(1)).any()


def test_a_mark_that_stands_elsewhere_than_it_was_written_opens_no_write(tmp_path: Path) -> None:
    """As when an older logshed has carried it over to a new segment."""
    with Spool(tmp_path) as opened:
        opened.append([piece("a", "one")])
        opened.append([piece("a", "two"), piece("b", "due")], ids(1))
    (segment,) = spool.read(tmp_path).segments
    data = segment.read_bytes()
    first = data.index(b"LSP1", 1)
    begin = data.index(b"LSP1", first + 1)
    segment.write_bytes(data[:first] + data[begin:] + data[first:begin])
    with Spool(tmp_path) as opened:
        assert opened.seen(ids(1)).all()
    assert text(tmp_path, "a") == "one\ntwo\n"


def test_ids_may_be_asked_and_room_made_while_another_thread_appends(tmp_path: Path) -> None:
    ended = threading.Event()
    with Spool(tmp_path, segment_bytes=4_000) as opened:

        def keep() -> None:
            while not ended.is_set():
                all_done(opened)
                opened.trim()

        trimming = threading.Thread(target=keep)
        trimming.start()
        try:
            for number in range(300):
                opened.append([piece("a", f"line {number}")], ids(number))
                assert opened.seen(ids(number)).all()
        finally:
            ended.set()
            trimming.join()
        assert opened.seen(ids(*range(300))).all()
        assert opened.index.streams["a", "c"].end == sum(len(f"line {number}\n") for number in range(300))


def test_an_append_costs_the_same_however_many_streams_there_are(tmp_path: Path) -> None:
    with Spool(tmp_path) as opened:
        spent = []
        for _ in range(2):
            times = []
            for _ in range(5):  # the quickest counts: what the disk does meanwhile is work of this process, too
                begun = time.process_time()
                for number in range(50):
                    opened.append([piece("a", f"line {number}")], ids(number))
                times.append(time.process_time() - begun)
            spent.append(min(times))
            opened.append([piece(f"stream {number}", "x") for number in range(5_000)])
        assert spent[1] < 3 * spent[0]


@pytest.mark.parametrize("name", ["000000000001.seg", "000000000001.ids"])
def test_a_spool_is_nobody_elses_to_read(tmp_path: Path, name: str) -> None:
    with Spool(tmp_path / "spool", segment_bytes=100) as opened:
        opened.append([piece("a", "one")], ids(1))
        if name.endswith("ids"):
            all_done(opened)
            opened.trim()
    assert os.stat(tmp_path / "spool" / name).st_mode & 0o077 == 0  # noqa: PTH116 - plain
