from __future__ import annotations

import hashlib
import itertools
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.errors import SourceError
from logshed.sources import encodings, files
from logshed.work import UNTIL_EOF, Split

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Reader

MARK = b"\xef\xbb\xbf"
ODD = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\\", b"\\x41", b"\0", MARK)
PLAIN = (
    b"\n",
    b"\n",
    b"\r\n",
    b"\r",
    b"a",
    b"word ",
    b"x" * 13,
    b"y" * 30,
    "é".encode(),
    "日本".encode(),
    "🪵".encode(),
)
PIECES = st.sampled_from(PLAIN + ODD)
CONTENT = st.lists(PIECES, max_size=40).map(b"".join)


def split_of(path: Path, start: int = 0, end: int = UNTIL_EOF, **more: object) -> Split:
    return replace(Split(f"file:{path}", str(path), "g", start, end), **more)


def expected_lines(data: bytes, longest: int, *, final: bool) -> list[tuple[object, ...]]:
    """What reading must give, found out byte by byte."""
    rows: list[tuple[object, ...]] = []
    offset = 0
    *whole, rest = data.split(b"\n")
    for line in [*whole, rest] if final and rest else whole:
        text = line[:-1] if line.endswith(b"\r") and offset + len(line) < len(data) else line
        if offset == 0:
            text = text.removeprefix(MARK)
        cut = None
        if len(text) > longest:
            inside = [size for size in range(longest, max(longest - 4, 0), -1) if text[size] & 0xC0 != 0x80]
            kept = text[: inside[0] if inside else longest]
            text, cut = kept, len(text) - len(kept)
        try:
            rows.append((text.decode(), offset, cut, False))
        except UnicodeDecodeError:
            rows.append((text.replace(b"\\", b"\\\\").decode(errors="backslashreplace"), offset, cut, True))
        offset += len(line) + 1
    return rows


@given(data=CONTENT, chunk=st.integers(1, 70), longest=st.integers(4, 40), final=st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_bytes_in_any_chunks_give_the_lines_that_a_byte_by_byte_reader_finds(
    data: bytes, chunk: int, longest: int, final: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.log"
    path.write_bytes(data)
    with files.read(split_of(path, final=final), chunk_bytes=chunk, max_line_bytes=longest) as reading:
        rows = [row for frame in reading for row in frame.rows()]
    assert rows == expected_lines(data, longest, final=final)
    end = len(data) if final else data.rfind(b"\n") + 1
    tail = data[max(end - 4096, 0) : end]
    assert (reading.end, reading.problem) == (end, "")
    assert (reading.tail_size, reading.tail_hash) == (len(tail), hashlib.sha256(tail).hexdigest()[:32])


@given(data=CONTENT, cuts=st.sets(st.integers(0, 300)), chunk=st.integers(1, 70), longest=st.integers(4, 40))
@settings(max_examples=200, deadline=None)
def test_splits_at_any_offsets_cover_every_line_once(
    data: bytes, cuts: set[int], chunk: int, longest: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.log"
    path.write_bytes(data)
    end = data.rfind(b"\n") + 1
    bounds = [0, *sorted(cut for cut in cuts if 0 < cut < end), end]
    rows: list[tuple[object, ...]] = []
    for start, stop in itertools.pairwise(bounds):
        split = split_of(path, start, stop, follows=start > 0, continues=stop < end)
        with files.read(split, chunk_bytes=chunk, max_line_bytes=longest) as reading:
            own: list[tuple[object, ...]] = []
            for frame in reading:
                own += frame.rows()
                if own[-1][1] >= stop:  # type: ignore[operator]
                    break
        own = [row for row in own if row[1] < stop]  # type: ignore[operator]
        first = own[0][1] if own else None
        if first is not None and start:
            assert reading.lookback == data[:first]  # type: ignore[index, misc]
        tail = data[max(stop - 4096, 0) : stop]
        assert (reading.end, reading.tail_hash) == (stop, hashlib.sha256(tail).hexdigest()[:32])
        rows += own
    assert rows == expected_lines(data, longest, final=False)


@given(data=CONTENT, grown=CONTENT)
@settings(max_examples=100, deadline=None)
def test_reading_on_after_the_file_grew_repeats_nothing_and_leaves_nothing_out(
    data: bytes, grown: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "grow.log"
    path.write_bytes(data)
    with files.read(split_of(path)) as first:
        rows = [row for frame in first for row in frame.rows()]
    path.write_bytes(data + grown)
    with files.read(split_of(path, first.end, final=True)) as second:
        rows += [row for frame in second for row in frame.rows()]
    assert rows == expected_lines(data + grown, 1 << 20, final=True)


@given(st.binary(max_size=60))
@settings(deadline=None)
def test_escaped_text_leads_back_to_the_bytes(line: bytes) -> None:
    assert encodings.unescape(encodings.escape(line).decode()) == line


def test_a_frame_of_empty_lines_is_bounded_in_rows(write: Callable[..., Path]) -> None:
    path = write("empty-lines.log", b"\n" * 600_001)
    with files.read(split_of(path)) as reading:
        heights = [frame.height for frame in reading]
    assert heights == [250_000, 250_000, 100_001]


def test_the_last_split_does_not_take_what_is_appended_while_it_is_read(
    write: Callable[..., Path], reader: Reader
) -> None:
    path = write("live.log", ["one", "two"])
    [split] = files.plan(reader.target(path), reader.identify(path), format="x")
    with path.open("ab") as file:
        file.write(b"three\n")
    rows, reading = reader.lines(split)
    assert [row[0] for row in rows] == ["one", "two"]
    assert reading.end == 8


def test_a_file_that_is_renamed_between_plan_and_read_is_read_under_its_new_name(
    write: Callable[..., Path], reader: Reader
) -> None:
    path = write("app.log", ["old"])
    [split] = files.plan(reader.target(path), reader.identify(path), format="x")
    path.rename(path.with_name("app.log.1"))
    write("app.log", ["new"])
    rows, _ = reader.lines(split)
    assert [row[0] for row in rows] == ["old"]


def test_a_file_that_is_overwritten_between_plan_and_read_is_refused(
    write: Callable[..., Path], reader: Reader
) -> None:
    path = write("app.log", ["old", "older"])
    [split] = files.plan(reader.target(path), reader.identify(path), format="x")
    write("app.log", ["new", "newer"])
    with pytest.raises(SourceError, match="overwritten since it was looked at; run it again"):
        files.read(split)


def test_a_file_that_became_shorter_while_it_was_read_says_so_and_ends_at_its_last_line(
    write: Callable[..., Path], reader: Reader
) -> None:
    path = write("app.log", ["one", "two", "three"])
    [split] = files.plan(reader.target(path), reader.identify(path), format="x")
    os.truncate(path, 6)
    rows, reading = reader.lines(replace(split, head_size=0, head_hash=""))
    assert [row[0] for row in rows] == ["one"]
    assert reading.end == 4
    assert "became shorter" in reading.problem


def test_a_vanished_file_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read .*gone\.log: No such file or directory; check that"):
        files.read(split_of(tmp_path / "gone.log"))


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_a_line_of_a_hundred_megabytes_is_kept_cut_in_bounded_memory(tmp_path: Path, ending: bytes) -> None:
    path = tmp_path / "long.log"
    with path.open("wb") as file:
        file.write(b"before" + ending)
        for _ in range(100):
            file.write("é".encode() * 500_000)
        file.write(ending + b"after" + ending)
    script = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from logshed.sources import files\n"
        "from logshed.work import Split, UNTIL_EOF\n"
        "def peak():  # its own; getrusage tells that of the process that began it, too\n"
        "    return int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "base = peak()\n"
        "split = Split('file:x', sys.argv[1], 'g', 0, UNTIL_EOF)\n"
        "rows = [(len(t.encode()), o, c) for f in files.read(split, max_line_bytes=2**20 + 1)"
        " for t, o, c, _ in f.iter_rows()]\n"
        "print(rows, peak() - base)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    rows, grown = done.stdout.rsplit(" ", 1)
    begin, size = 6 + len(ending), 100_000_000
    assert rows == str([(6, 0, None), (2**20, begin, size - 2**20), (5, begin + size + len(ending), None)])
    assert int(grown) < 100 * 1024  # KiB: some chunks of 8 MiB, not the line
