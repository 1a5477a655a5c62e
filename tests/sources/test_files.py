from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.errors import SourceError
from logshed.sources import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Reader

LINES = [f"{number:05} {'x' * (number % 90)}" for number in range(40_000)]


@given(sizes=st.lists(st.integers(0, 60), max_size=60), split_bytes=st.integers(1, 200), start_line=st.integers(0, 60))
@settings(max_examples=150, deadline=None)
def test_planned_splits_cover_what_is_new_and_overlap_nowhere(
    sizes: list[int], split_bytes: int, start_line: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "planned.log"
    path.write_bytes(b"".join(b"x" * size + b"\n" for size in sizes) + b"unfinished")
    start = sum(size + 1 for size in sizes[:start_line])
    target = files.discover([str(path)]).targets[0]
    identity = replace(files.identify(target, []), start=start)
    splits = files.plan(target, identity, format="x", split_bytes=split_bytes)
    end = sum(size + 1 for size in sizes)
    ranges = [(split.start, split.end) for split in splits]
    assert [at for pair in ranges for at in pair][1:-1:2] == [first for first, _ in ranges[1:]]
    assert (ranges[0][0], ranges[-1][1]) == (start, end) if end > start else not ranges
    assert [split.follows for split in splits] == [bool(number) for number in range(len(splits))]
    assert [split.continues for split in splits][::-1] == [bool(number) for number in range(len(splits))]


def test_a_file_whose_records_need_context_is_one_split(write: Callable[..., Path], reader: Reader) -> None:
    path = write("app.log", LINES)
    target, identity = reader.target(path), reader.identify(path)
    assert len(files.plan(target, identity, format="x", split_bytes=100_000)) > 10
    assert len(files.plan(target, identity, format="x", split_bytes=100_000, splittable=False)) == 1


def test_splits_carry_what_a_reader_needs(write: Callable[..., Path], reader: Reader) -> None:
    path = write("app.log", LINES[:10])
    resource = (("service.name", "shop"),)
    [split] = files.plan(reader.target(path), reader.identify(path), format="docker_json/x", resource=resource)
    assert (split.source, split.locator) == (f"file:{path}", str(path))
    assert (split.format, split.resource, split.codec, split.encoding) == ("docker_json/x", resource, "plain", "utf-8")
    assert split.inode == f"{path.stat().st_dev}:{path.stat().st_ino}"


def test_a_sample_of_a_long_file_has_whole_lines_of_its_head_middle_and_end(
    write: Callable[..., Path], reader: Reader
) -> None:
    sample = list(files.sample(reader.target(write("app.log", LINES))))
    assert len(sample) == 600
    assert sample[:200] == LINES[:200]
    assert sample[-200:] == LINES[-200:]
    assert 15_000 < LINES.index(sample[200]) < 25_000
    assert set(sample) <= set(LINES)


def test_a_sample_of_a_short_file_is_all_of_it(write: Callable[..., Path], reader: Reader) -> None:
    assert list(files.sample(reader.target(write("app.log", LINES[:600])))) == LINES[:600]
    assert list(files.sample(reader.target(write("one.log", b"no line feed")))) == ["no line feed"]


def test_a_sample_of_a_file_of_one_endless_line_is_its_beginnings(write: Callable[..., Path], reader: Reader) -> None:
    sample = files.sample(reader.target(write("app.log", b"x" * 2_000_000)))
    assert 1 <= len(sample) <= 3
    assert sample.str.len_bytes().max() <= 256 * 1024  # type: ignore[operator]


def test_a_file_that_vanishes_after_it_was_found_is_a_clear_error(write: Callable[..., Path], reader: Reader) -> None:
    path = write("app.log", LINES[:10])
    target, identity = reader.target(path), reader.identify(path)
    path.unlink()
    with pytest.raises(SourceError, match=r"cannot read .*app\.log: No such file or directory; check that it is still"):
        files.sample(target)
    with pytest.raises(SourceError, match="cannot read"):
        files.plan(target, identity, format="x")


@pytest.mark.truth
def test_the_real_access_log_has_its_ten_thousand_lines(shared: Path, reader: Reader) -> None:
    path = shared / "truth" / "files" / "apache_logs" / "apache_logs"
    rows = []
    for split in files.plan(reader.target(path), reader.identify(path), format="x", split_bytes=100_000):
        rows += reader.lines(split)[0]
    assert [row[0] for row in rows] == path.read_text().splitlines()
