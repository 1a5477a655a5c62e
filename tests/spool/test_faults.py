from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from logshed import spool
from logshed.errors import SpoolError
from logshed.sources.spool import SPOOL, SpoolFile, targets
from logshed.spool import Piece, Spool
from logshed.spool.checking import verify
from logshed.spool.done import DONE, read_done
from logshed.spool.extent import EXTENT
from logshed.spool.frames import Frame, packed
from logshed.spool.healing import DAMAGED
from logshed.spool.kept_ids import files
from logshed.spool.listing import segments
from logshed.spool.lock import LOCK
from logshed.spool.repair import repair

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.spool.marks import Ids

LINES = [f"line {number:02d} {'x' * 90}" for number in range(20)]
SIZE = len(LINES[0]) + 1

LEAVING = """
import os, sys
from pathlib import Path
from logshed.spool import Spool
opened = Spool(Path(sys.argv[1]))
os._exit(9)
"""


def ids(*numbers: int) -> Ids:
    return np.array(numbers, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


def text(root: Path, source: str) -> str:
    return "".join(
        SpoolFile(target.locator).read(2**30).decode()
        for target in targets(f"{SPOOL}{root}")
        if target.source == source
    )


def generation(root: Path, source: str) -> str:
    return spool.read(root).streams[source, "c"].generation


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A spool of ten segments; ``a`` is twice in each of them, ``early`` once in the third."""
    folder = tmp_path / "spool"
    with Spool(folder, segment_bytes=650) as opened:
        for number, line in enumerate(LINES):
            early = [Piece("early", "c", b"once\n", {"at": 7})] if number == 5 else []
            opened.append([Piece("a", "c", f"{line}\n".encode(), {"at": number + 1}), *early], ids(number))
    assert len(segments(folder)) == 10
    return folder


def mended(root: Path, *said: str) -> None:
    """Check that damage is told in these words, mended, and not there any more."""
    found = verify(root)
    assert [f"{one.path.name}: {one.text}" for one in found] == list(said)
    assert repair(root) == found
    assert verify(root) == []
    Spool(root).close()


def test_a_missing_segment_is_told_and_its_lines_are_marked(root: Path) -> None:
    gone = segments(root)[4]
    gone.unlink()
    with pytest.raises(SpoolError, match="segments 5 are missing; put them back, or go on without them by"):
        Spool(root)
    with pytest.raises(SpoolError, match="segments 5 are missing"):
        text(root, "a")
    mended(root, f"{gone.name}: is missing.")
    lines = text(root, "a").splitlines()
    assert lines[:8] + lines[9:] == LINES[:8] + LINES[10:]
    assert lines[8].startswith(f"logshed: {2 * SIZE} bytes of this stream were damaged")
    assert len(lines[8]) + 1 == 2 * SIZE
    assert text(root, "early") == "once\n"


def test_the_oldest_segment_is_missing_if_it_was_not_taken_away(root: Path) -> None:
    spool.note_done(root, {generation(root, "a"): 5 * SIZE, generation(root, "early"): 5})
    with Spool(root) as opened:
        assert opened.trim() > 0
    assert verify(root) == []
    first = segments(root)[0]
    assert first.stem[-1] == "3"
    first.unlink()
    mended(root, f"{first.name}: is missing.", "done.json: tells of 1 streams that are gone.")
    lines = text(root, "a").splitlines()
    assert lines[1:] == LINES[6:]
    assert lines[0].startswith(f"logshed: {SIZE} bytes of th")


def test_when_the_newest_segment_is_missing_no_new_line_stands_where_a_lake_may_have_another(root: Path) -> None:
    newest = segments(root)[-1]
    newest.unlink()
    mended(root, f"{newest.name}: is missing.")
    with Spool(root) as opened:
        assert opened.cursor("a", "c") == {"at": 18}
        assert opened.cursor("early", "c") == {"at": 7}
        opened.append([Piece("a", "c", b"new\n")])
    found = {target.generation: target for target in targets(f"{SPOOL}{root}") if target.source == "a"}
    assert [(target.start, target.size) for target in found.values()] == [(0, 18 * SIZE), (0, 4)]
    assert text(root, "a").splitlines() == [*LINES[:18], "new"]


def test_streams_that_go_on_as_new_ones_are_taken_away_when_a_lake_has_them(root: Path) -> None:
    segments(root)[-1].unlink()
    repair(root)
    with Spool(root) as opened:
        opened.append([Piece("a", "c", b"new\n")])
        spool.note_done(root, {one.generation: one.end for one in opened.index.every})
        assert opened.trim() > 0
        assert opened.index.former == []
    assert targets(f"{SPOOL}{root}") == []
    assert len(read_done(root)) == 2
    assert verify(root) == []


def test_all_segments_may_be_missing(root: Path) -> None:
    for segment in segments(root):
        segment.unlink()
    assert len(verify(root)) == 10
    repair(root)
    assert verify(root) == []
    with Spool(root) as opened:
        opened.append([Piece("a", "c", b"new\n")])
        assert int(opened.index.last.stem if opened.index.last else 0) >= 10
    assert text(root, "a") == "new\n"


def test_a_note_of_more_than_the_spool_has_had_is_told_and_takes_no_line_away(root: Path) -> None:
    old = generation(root, "a")
    spool.note_done(root, {old: 99 * SIZE})
    mended(
        root,
        f"done.json: says that a lake has {99 * SIZE:,} bytes of a, more than the {20 * SIZE:,} that the spool has had "
        "of it.",
    )
    assert generation(root, "a") != old
    with Spool(root) as opened:
        assert opened.cursor("a", "c") == {"at": 20}
        opened.append([Piece("a", "c", b"new\n")])
        opened.trim()
    assert text(root, "a").endswith("new\n")


def test_notes_of_streams_that_are_gone_go(root: Path) -> None:
    spool.note_done(root, {"0123456789abcdef": 5, generation(root, "a"): SIZE})
    mended(root, "done.json: tells of 1 streams that are gone.")
    assert read_done(root) == {generation(root, "a"): SIZE}


@pytest.mark.parametrize("note", [b"", b"[]", b'{"a": null}', b'{"a": "much"}', b"\xff\x00"])
def test_a_note_that_cannot_be_read_is_told_and_kept_apart(root: Path, note: bytes) -> None:
    (root / DONE).write_bytes(note)
    with Spool(root) as opened:
        assert opened.trim() == 0
    mended(root, "done.json: cannot be read: nothing is taken away until a lake has noted again what it has.")
    assert (root / DAMAGED / DONE).read_bytes() == note
    assert text(root, "a").splitlines() == LINES


def test_ids_that_are_damaged_are_told_and_the_others_stay(root: Path) -> None:
    with Spool(root) as opened:
        spool.note_done(root, {one.generation: one.end for one in opened.index.streams.values()})
        opened.trim()
    path = files(root)[3]
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"ids":"', b'"ids":!', 1))
    with pytest.raises(SpoolError, match=rf"{path.name}: it is damaged at byte 0; `logshed spool repair`"):
        Spool(root)
    mended(
        root,
        f"{path.name}: {len(data):,} bytes at byte 0 are damaged: requests whose ids stood there are not known again.",
    )
    with Spool(root) as opened:
        assert opened.seen(ids(*range(20))).tolist() == [number not in (6, 7) for number in range(20)]


def test_where_it_is_not_known_how_far_a_spool_goes_it_is_noted_again(root: Path) -> None:
    (root / EXTENT).write_bytes(b"LSE1 and more that is nothing")
    mended(root, "extent: is damaged: how far the spool goes is not known.")
    assert text(root, "a").splitlines() == LINES


def test_a_segment_that_ends_too_early_is_told(root: Path) -> None:
    segment, data = segments(root)[2], segments(root)[2].read_bytes()
    cut = data.index(LINES[5].encode()) - 300
    segment.write_bytes(data[:cut])
    (found,) = verify(root)
    assert found.path == segment
    repair(root)
    assert verify(root) == []
    lines = text(root, "a").splitlines()
    assert lines[:5] == LINES[:5]
    assert lines[6:] == LINES[6:]


def test_a_segment_of_which_whole_writes_are_gone_is_told(root: Path) -> None:
    segment = segments(root)[2]
    data = segment.read_bytes()
    second = data.index(b"LSP1", data.index(b"line 04"))
    segment.write_bytes(data[:second])
    first = segments(root)[3].read_bytes().index(b"LSP1", 1)
    mended(root, f"{segments(root)[3].name}: {SIZE} bytes of a are missing before byte {first:,}.")
    lines = text(root, "a").splitlines()
    assert lines[:5] + lines[6:] == LINES[:5] + LINES[6:]


def test_the_newest_segment_without_its_last_write_is_told(root: Path) -> None:
    segment = segments(root)[-1]
    data = segment.read_bytes()
    begin = data.rindex(b"LSP1", 0, data.rindex(b"LSP1"))
    segment.write_bytes(data[:begin])
    mended(root, f"{segment.name}: {len(data) - begin} bytes are missing at its end.")
    with Spool(root) as opened:
        assert opened.cursor("a", "c") == {"at": 19}
        opened.append([Piece("a", "c", b"new\n")])
    assert text(root, "a").splitlines() == [*LINES[:19], "new"]


def test_a_lock_that_a_dead_process_left_holds_nobody_up(root: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", LEAVING, str(root)])
    assert process.wait() == 9
    assert (root / LOCK).read_text().strip() == f"{process.pid}"
    assert verify(root) == []
    with Spool(root):
        assert (root / LOCK).read_text().strip() == f"{os.getpid()}"


def test_a_spool_of_an_older_version_is_read_and_gone_on_with(tmp_path: Path) -> None:
    """Frames as they were written before there were marks, with nothing beside them that says how far they go."""
    root = tmp_path / "old"
    root.mkdir()
    for number in range(2):
        frames = [
            Frame("a", "c", "0123456789abcdef", at * 4, 0, cursor={"at": at}, written="2026-11-01T00:00:00.000+00:00")
            for at in range(number * 3, number * 3 + 3)
        ]
        (root / f"{number + 1:012d}.seg").write_bytes(
            b"".join(packed(frame, f"{frame.cursor['at']:03d}\n".encode()) for frame in frames)
        )
    (root / DONE).write_text(json.dumps({"0123456789abcdef": 4}))
    assert verify(root) == []
    newest = segments(root)[-1]
    newest.write_bytes(newest.read_bytes()[:-2])
    with Spool(root) as opened:
        assert opened.cursor("a", "c") == {"at": 4}
        opened.append([Piece("a", "c", b"new\n")], ids(1))
    assert text(root, "a").split() == ["000", "001", "002", "003", "004", "new"]
    assert verify(root) == []


def test_a_stream_that_was_silent_for_a_day_and_has_nowhere_to_go_on_is_forgotten(tmp_path: Path) -> None:
    """Else a receiver would know each pod that ever was, and write of all of them each time it makes room."""
    long_ago = "2026-01-05T00:00:00.000+00:00"
    old = [
        Frame(source, "c", f"{number:016x}", 0, 0, cursor=cursor, written=long_ago)
        for number, (source, cursor) in enumerate([("pod", {}), ("file", {"at": 7})], start=1)
    ]
    tmp_path.joinpath("000000000001.seg").write_bytes(b"".join(packed(frame, b"line\n") for frame in old))
    with Spool(tmp_path) as opened:
        opened.append([Piece("fresh", "c", b"line\n")])
        spool.note_done(tmp_path, {one.generation: one.end for one in opened.index.every})
        opened.trim()
        kept = [path.name for path in segments(tmp_path)]
        opened.trim()
        assert [path.name for path in segments(tmp_path)] == kept  # cursors alone are not written again and again
    with Spool(tmp_path) as opened:
        assert sorted(opened.index.streams) == [("file", "c"), ("fresh", "c")]
        assert opened.cursor("file", "c") == {"at": 7}
        assert len(read_done(tmp_path)) == 2
        opened.append([Piece("pod", "c", b"again\n")])
    assert text(tmp_path, "pod") == "again\n"
    assert verify(tmp_path) == []
