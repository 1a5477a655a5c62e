from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.spool.crashing import crash

from logshed import spool
from logshed.errors import SpoolError
from logshed.sources.spool import SPOOL, SpoolFile, targets
from logshed.spool import Piece, Spool
from logshed.spool.checking import verify
from logshed.spool.healing import DAMAGED
from logshed.spool.repair import repair

if TYPE_CHECKING:
    from pathlib import Path

LINES = [f"line {number:03d} {'x' * 90}" for number in range(30)]


def text(root: Path, source: str) -> str:
    target = next(target for target in targets(f"{SPOOL}{root}") if target.source == source)
    return SpoolFile(target.locator).read(2**30).decode()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A spool of two streams over several segments."""
    folder = tmp_path / "spool"
    with Spool(folder, segment_bytes=2_000) as opened:
        for number, line in enumerate(LINES):
            opened.append([Piece(name, "c", f"{line}\n".encode(), {"at": number + 1}) for name in ("a", "b")])
    assert len(spool.read(folder).segments) > 3
    return folder


def damage(root: Path, what: bytes, by: bytes) -> Path:
    """Write other bytes of the same length over the first occurrence of some."""
    assert len(what) == len(by)
    for segment in spool.read(root).segments:
        data = segment.read_bytes()
        if what in data:
            segment.write_bytes(data.replace(what, by, 1))
            return segment
    raise AssertionError(what)


def test_a_whole_spool_has_no_damage_and_repair_changes_nothing(root: Path) -> None:
    before = [segment.read_bytes() for segment in spool.read(root).segments]
    assert verify(root) == repair(root) == []
    assert [segment.read_bytes() for segment in spool.read(root).segments] == before


def test_damaged_lines_are_found_marked_in_their_place_and_kept_apart(root: Path) -> None:
    segment = damage(root, b"line 007", b"line 9x7")
    (found,) = verify(root)
    assert (found.path, found.torn) == (segment, False)
    assert repair(root) == [found]
    lines = text(root, "a").splitlines()
    assert lines[7].startswith(f"logshed: {len(LINES[7]) + 1} bytes of this stream were damaged in the spool")
    assert len(lines[7]) == len(LINES[7])
    assert lines[:7] + lines[8:] == LINES[:7] + LINES[8:]
    assert text(root, "b").splitlines() == LINES
    (kept,) = (root / DAMAGED).iterdir()
    assert b"line 9x7" in kept.read_bytes()
    assert verify(root) == []


def test_a_damaged_header_costs_no_frame_but_its_own(root: Path) -> None:
    damage(root, b'"offset":500', b'"offset":9\xff0')
    assert len(repair(root)) == 1
    lines = text(root, "a").splitlines()
    assert lines[:5] + lines[6:] == LINES[:5] + LINES[6:]
    assert lines[5].startswith("logshed: ")


def test_a_hole_of_zeros_over_several_frames_is_one_damage(root: Path) -> None:
    segment = list(spool.read(root).segments)[1]
    data = bytearray(segment.read_bytes())
    data[100:900] = bytes(800)
    segment.write_bytes(bytes(data))
    assert len(verify(root)) == 1
    repair(root)
    for name in ("a", "b"):
        lines = text(root, name).splitlines()
        assert sum(len(line) + 1 for line in lines) == sum(len(line) + 1 for line in LINES)
        assert [line for line in lines if line in LINES] == [line for line in LINES if line in lines]
        assert len(set(lines) & set(LINES)) > 20


def test_the_writer_goes_on_after_a_repair(root: Path) -> None:
    damage(root, b"line 003", b"line 9x3")
    with pytest.raises(SpoolError, match="damaged"):
        text(root, "a")
    repair(root)
    with Spool(root) as opened:
        assert opened.cursor("a", "c") == {"at": 30}
        opened.append([Piece("a", "c", b"and on\n", {"at": 31})])
    assert text(root, "a").splitlines()[-2:] == [LINES[-1], "and on"]


def test_a_half_written_end_is_told_and_cut_off(root: Path) -> None:
    with Spool(root) as opened:
        segment, before = opened.index.last, opened.index.segments[opened.index.last]
        opened.append([Piece(name, "c", b"more\n") for name in ("a", "b")])
    whole = segment.read_bytes()
    for size in (before + 10, before + 200, before + 400):
        crash(segment, before, whole[:size])
        (found,) = verify(root)
        assert (found.path, found.position, found.size, found.torn) == (segment, before, size - before, True)
        assert "are the half-written end that a crash left; nobody was told" in found.text
    assert repair(root) == [found]
    assert verify(root) == []
    assert text(root, "a").splitlines() == text(root, "b").splitlines() == LINES


def test_a_spool_that_is_written_is_not_repaired(root: Path) -> None:
    with Spool(root), pytest.raises(SpoolError, match="another process writes it"):
        repair(root)


def test_ids_that_are_forgotten_while_a_spool_is_looked_at_are_no_damage(tmp_path: Path) -> None:
    root = tmp_path / "spool"
    with Spool(root) as spool:
        spool.append([Piece("a", "c", b"x\n")])
    (root / f"{1:012d}.ids").symlink_to(tmp_path / "nowhere")  # as it is when it goes after it was listed
    assert verify(root) == []
