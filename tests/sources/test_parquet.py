"""A Parquet file is read as lines, one a row."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pytest

from logshed.errors import SourceError
from logshed.sources import files, parquet

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Reader

ROWS = 3 * parquet.ROWS + 17


@pytest.fixture
def events(tmp_path: Path) -> Path:
    path = tmp_path / "events.parquet"
    moment = datetime(2024, 5, 1, 10, 0, 0, 250_000, tzinfo=UTC)
    frame = pl.DataFrame({"number": range(ROWS)}).with_columns(
        ts=pl.lit(moment),
        message=pl.format("line {}\nand its second", "number"),
        http=pl.struct(pl.lit(200).alias("status"), pl.lit(None, dtype=pl.String).alias("path")),
        big=pl.lit(2**60 + 1),
    )
    frame.write_parquet(path, row_group_size=5_000)
    return path


def test_each_row_is_an_object_on_a_line_of_its_own(events: Path, reader: Reader) -> None:
    lines = reader.ingest(events)
    assert len(lines) == ROWS
    assert json.loads(lines[-1]) == {
        "number": ROWS - 1,
        "ts": "2024-05-01 10:00:00.25+00",
        "message": f"line {ROWS - 1}\nand its second",
        "http": {"status": 200, "path": None},
        "big": 2**60 + 1,
    }
    assert reader.ingest(events) == []


def test_the_only_column_of_a_file_is_its_lines(tmp_path: Path, reader: Reader) -> None:
    path = tmp_path / "lines.parquet"
    pl.DataFrame({"text": ["one", None, 'two "2"']}).write_parquet(path)
    assert reader.ingest(path) == ["one", "", 'two "2"']


def test_a_damaged_file_is_told_and_what_came_before_is_kept(events: Path, reader: Reader) -> None:
    data = bytearray(events.read_bytes())
    data[len(data) // 2 : len(data) * 2 // 3] = b"\xff" * (len(data) * 2 // 3 - len(data) // 2)
    events.write_bytes(data)
    target = reader.target(events)
    split = files.plan(target, reader.identify(events), format="x")[0]
    rows, reading = reader.lines(split)
    assert 0 < len(rows) < ROWS
    assert "damaged Parquet data" in reading.problem


def test_a_file_whose_end_is_missing_is_told(events: Path, reader: Reader) -> None:
    events.write_bytes(events.read_bytes()[:-100])
    split = files.plan(reader.target(events), reader.identify(events), format="x")[0]
    with files.read(split) as reading:
        assert [frame.height for frame in reading] == []
    assert "damaged Parquet data" in reading.problem


def test_a_file_that_was_replaced_since_it_was_planned_is_not_read(events: Path, reader: Reader) -> None:
    split = files.plan(reader.target(events), reader.identify(events), format="x")[0]
    pl.DataFrame({"other": [1]}).write_parquet(events)
    with pytest.raises(SourceError, match="overwritten"):
        files.read(split)


def test_below_a_folder_it_is_left_alone_and_a_pattern_takes_it(events: Path) -> None:
    found = files.discover([str(events.parent)])
    assert "may be a table's" in found.skipped[0].message
    assert [one.path for one in files.discover([str(events.parent / "*.parquet")]).targets] == [str(events)]


def test_through_a_pipe_it_is_refused(events: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(events.read_bytes()[:2_000],))
    writer.start()
    found = files.discover([str(pipe)])
    writer.join()
    assert "name the file itself" in found.problems[0].message
