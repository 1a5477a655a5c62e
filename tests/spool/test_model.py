"""The spool against a plain model of it: whatever comes to it in whatever order, it holds what the model holds."""

from __future__ import annotations

import shutil
import tempfile
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from tests.spool.crashing import crash

from logshed import spool
from logshed.sources.spool import SPOOL, SpoolFile, targets
from logshed.spool import Piece, Spool
from logshed.spool.checking import verify
from logshed.spool.done import DONE
from logshed.spool.listing import segments
from logshed.spool.repair import repair

SOURCES = st.sampled_from(["a", "b", "c"])
LINES = st.integers(0, 3)
PIECES = st.lists(st.tuples(SOURCES, LINES, st.integers(0, 90)), max_size=4)
KNOWN = st.integers(0, 3)


def hashed(number: int) -> int:
    return number * 0x9E3779B97F4A7C15 % 2**64


class Machine(RuleBasedStateMachine):
    """A writer, a reader with a lake, power failures and rot, by turns."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp()) / "spool"
        self.numbers = count(1)
        self.text: dict[str, bytes] = {}  # what was taken, by generation, from its first byte on
        self.lake: dict[str, bytes] = {}  # what a reader has of it
        self.current: dict[str, str] = {}  # the generation in which a source goes on
        self.cursors: dict[str, int] = {}
        self.ids: set[int] = set()
        self.opened = self.open()

    @initialize(first=PIECES)
    def begin(self, first: list[tuple[str, int, int]]) -> None:
        """Something comes."""
        self.append(first, 1)

    @rule(what=PIECES, known=KNOWN)
    def append(self, what: list[tuple[str, int, int]], known: int) -> None:
        """Something comes, and is taken."""
        pieces, ids = self.made(what, known)
        self.opened.append(pieces, self.array(ids))
        self.take(pieces, ids)

    @rule()
    def reopen(self) -> None:
        """The writer ends and begins again."""
        self.opened.close()
        self.opened = self.open()

    @rule(what=PIECES, known=KNOWN, data=st.data())
    def fail_while_appending(self, what: list[tuple[str, int, int]], known: int, data: st.DataObject) -> None:
        """The power fails: of the last write the disk has some, and the note of how far the spool goes is older."""
        pieces, ids = self.made(what, known)
        self.opened.append([], self.array([hashed(next(self.numbers))]))  # so that there is a segment
        before = dict(self.opened.index.segments)
        self.opened.append(pieces, self.array(ids))
        self.opened.close()
        segment = segments(self.root)[-1]
        size = before.get(segment, 0)
        whole = segment.read_bytes()
        there = bytearray(whole[: data.draw(st.integers(size, len(whole)), label="bytes that are there")])
        if data.draw(st.booleans(), label="some of them are not") and len(there) > size:
            hole = data.draw(st.integers(size, len(there) - 1), label="hole")
            there[hole : hole + 64] = bytes(len(there[hole : hole + 64]))
        crash(segment, size, bytes(there))
        self.opened = self.open()
        if bytes(there) == whole:
            self.take(pieces, ids)
        assert self.seen(ids) == (set(ids) if bytes(there) == whole else set())

    @rule(part=st.floats(0, 1))
    def ingest(self, part: float) -> None:
        """A reader takes some of what is there into its lake, in which an offset comes but once."""
        ends: dict[str, int] = {}
        for target in targets(f"{SPOOL}{self.root}"):
            known = self.lake.get(target.generation, b"")
            assert target.start <= len(known)
            file = SpoolFile(target.locator)
            file.seek(len(known))
            known += file.read(int((target.size - len(known)) * part))
            assert self.text[target.generation].startswith(known)
            self.lake[target.generation] = known
            ends[target.generation] = len(known)
        spool.note_done(self.root, ends)

    @rule()
    def trim(self) -> None:
        """The writer makes room."""
        self.opened.trim()

    @rule(data=st.data())
    def rot(self, data: st.DataObject) -> None:
        """A byte of a segment is another one: no more than one piece of one write is lost, or the ids of one."""
        self.opened.close()
        before = self.lines()
        found = [segment for segment in segments(self.root) if segment.stat().st_size]
        if found:
            segment = data.draw(st.sampled_from(found), label="segment")
            bytes_ = bytearray(segment.read_bytes())
            at = data.draw(st.integers(0, len(bytes_) - 1), label="byte")
            bytes_[at] ^= data.draw(st.integers(1, 255), label="by")
            segment.write_bytes(bytes_)
            told = verify(self.root)
            assert [(one.path.name, one.torn) for one in told if one.path.name != DONE] == [(segment.name, False)]
            assert repair(self.root) == told
        assert verify(self.root) == []
        lost = before - self.lines()
        assert len({line.rsplit(b" ", 1)[0] for line in lost}) <= 1
        self.opened = self.open()
        self.look_again()

    @invariant()
    def holds_what_the_model_holds(self) -> None:
        """What can be read, and what the writer knows, is what was taken."""
        read, _ = spool.read(self.root), targets(f"{SPOOL}{self.root}")  # which lets files look anew
        for stream in read.every:
            file = SpoolFile(f"{SPOOL}{self.root.resolve()}#{stream.generation}")
            file.seek(stream.start)
            assert stream.end == len(self.text.get(stream.generation, b""))
            assert file.read(2**20) == self.text.get(stream.generation, b"")[stream.start :]
            assert stream.start <= len(self.lake.get(stream.generation, b""))
        assert {source: stream.generation for (source, _), stream in read.streams.items()} == self.current
        assert {source: self.opened.cursor(source, "c").get("at", 0) for source in self.cursors} == self.cursors
        assert self.seen(list(self.ids)) == self.ids

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.opened.close()
        shutil.rmtree(self.root.parent)

    def open(self) -> Spool:
        """A writer with small segments."""
        return Spool(self.root, segment_bytes=700, ids=1_000)

    def made(self, what: list[tuple[str, int, int]], known: int) -> tuple[list[Piece], list[int]]:
        """Pieces whose lines tell their piece, and ids."""
        pieces = []
        for source, lines, size in what:
            number = next(self.numbers)
            text = b"".join(b"%s%d %d%s\n" % (source.encode(), number, line, b"x" * size) for line in range(lines))
            pieces.append(Piece(source, "c", text, {"at": number}))
        return pieces, [hashed(next(self.numbers)) for _ in range(known)]

    def array(self, ids: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
        """Ids as the spool takes them."""
        return np.array(ids, dtype=np.uint64)

    def seen(self, ids: list[int]) -> set[int]:
        """Which of some ids the writer knows."""
        return {one for one, known in zip(ids, self.opened.seen(self.array(ids)), strict=True) if known}

    def take(self, pieces: list[Piece], ids: list[int]) -> None:
        """The model takes what the spool took."""
        for piece in pieces:
            generation = self.opened.index.streams[piece.source, "c"].generation
            assert self.current.setdefault(piece.source, generation) == generation
            self.text[generation] = self.text.get(generation, b"") + piece.lines
            self.cursors[piece.source] = piece.cursor["at"]
        self.ids |= set(ids)

    def lines(self) -> set[bytes]:
        """What waits in the spool, line by line."""
        found = [SpoolFile(target.locator).read(2**20) for target in targets(f"{SPOOL}{self.root}")]
        return {line for text in found for line in text.splitlines()}

    def look_again(self) -> None:
        """Take for granted what there is after a repair, except that lakes have what they have."""
        read, _ = spool.read(self.root), targets(f"{SPOOL}{self.root}")  # which lets files look anew
        for stream in read.every:
            file = SpoolFile(f"{SPOOL}{self.root.resolve()}#{stream.generation}")
            file.seek(stream.start)
            self.text[stream.generation] = self.lake.get(stream.generation, b"")[: stream.start] + file.read(2**20)
            assert stream.end == len(self.text[stream.generation])
            self.lake[stream.generation] = self.text[stream.generation][: len(self.lake.get(stream.generation, b""))]
        self.current = {source: stream.generation for (source, _), stream in read.streams.items()}
        self.cursors = {source: self.opened.cursor(source, "c").get("at", 0) for source in self.current}
        known = self.seen(list(self.ids))
        assert len(self.ids - known) <= 4
        self.ids = known


CHECKS = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True, "phases": [Phase.generate]}


def test_whatever_happens_to_a_spool_it_holds_what_the_model_holds() -> None:
    run_state_machine_as_test(Machine, settings=settings(max_examples=12, stateful_step_count=15, **CHECKS))


@pytest.mark.soak
def test_whatever_happens_to_a_spool_for_long_it_holds_what_the_model_holds() -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=1_500, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
