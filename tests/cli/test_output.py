from __future__ import annotations

import io
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pytest

from logshed.cli import output
from logshed.cli.output import Format
from logshed.cli.tables import table
from logshed.errors import UsageError
from logshed.pipeline import writing
from logshed.sql.result import Result

if TYPE_CHECKING:
    from pathlib import Path

TABLE = pa.table(
    {
        "n": pa.array([1, None, 3], pa.int64()),
        "text": pa.array(['a "b", c', "d\ne|f", None]),
        "time": pa.array([datetime(2015, 5, 20, 1, 2, 3, tzinfo=UTC)] * 2 + [None], pa.timestamp("us", "UTC")),
        "attributes": pa.array([[("k", "v"), ("x", None)], None, []], pa.map_(pa.string(), pa.string())),
    }
)


def result(rows: pa.Table = TABLE, size: int = 2) -> Result:
    return Result(rows.schema, rows.to_batches(max_chunksize=size))


def written(form: Format, folder: Path, rows: pa.Table = TABLE) -> str:
    path = folder / f"out.{form.value}"
    assert output.write(result(rows), form, path) == rows.num_rows
    assert [one.name for one in folder.iterdir()] == [path.name]
    return path.read_text()


def test_a_table_has_numbers_at_the_right_and_says_null(tmp_path: Path) -> None:
    assert written(Format.TABLE, tmp_path).splitlines() == [
        "   n  text      time                  attributes",
        "────  ────────  ────────────────────  ──────────────────",
        '   1  a "b", c  2015-05-20 01:02:03Z  {"k":"v","x":null}',
        "NULL  d\\ne|f    2015-05-20 01:02:03Z  NULL",
        "   3  NULL      NULL                  {}",
    ]


def test_json_is_one_array_over_all_batches(tmp_path: Path) -> None:
    rows = json.loads(written(Format.JSON, tmp_path))
    assert [row["n"] for row in rows] == [1, None, 3]
    assert rows[0]["attributes"] == {"k": "v", "x": None}
    assert datetime.fromisoformat(rows[0]["time"]) == datetime(2015, 5, 20, 1, 2, 3, tzinfo=UTC)


def test_json_of_no_rows_is_an_empty_array(tmp_path: Path) -> None:
    assert written(Format.JSON, tmp_path, TABLE.slice(0, 0)) == "[]\n"


def test_ndjson_has_one_object_a_line(tmp_path: Path) -> None:
    lines = written(Format.NDJSON, tmp_path).splitlines()
    assert [json.loads(line)["text"] for line in lines] == ['a "b", c', "d\ne|f", None]


def test_csv_has_one_header_and_nested_columns_as_json(tmp_path: Path) -> None:
    frame = pl.read_csv(io.StringIO(written(Format.CSV, tmp_path)))
    assert frame.columns == TABLE.column_names
    assert frame["attributes"].to_list() == ['{"k":"v","x":null}', None, "{}"]
    assert frame["time"][0] == "2015-05-20T01:02:03Z"


def test_csv_of_no_rows_has_its_header(tmp_path: Path) -> None:
    assert written(Format.CSV, tmp_path, TABLE.slice(0, 0)) == "n,text,time,attributes\n"


def test_parquet_keeps_the_types_and_an_empty_one_too(tmp_path: Path) -> None:
    for rows in (TABLE, TABLE.slice(0, 0)):
        assert output.write(result(rows), Format.PARQUET, tmp_path / "out.parquet") == rows.num_rows
        frame = pl.read_parquet(tmp_path / "out.parquet")
        assert frame.height == rows.num_rows
        assert frame.schema["time"] == pl.Datetime("us", "UTC")


def test_markdown_escapes_what_would_end_a_cell(tmp_path: Path) -> None:
    assert "| NULL | d\\ne\\|f |" in written(Format.MARKDOWN, tmp_path)


def test_a_file_that_was_not_finished_does_not_appear(tmp_path: Path) -> None:
    def broken() -> object:
        yield TABLE.to_batches()[0]
        raise UsageError("stop")

    with pytest.raises(UsageError):
        output.write(Result(TABLE.schema, broken()), Format.NDJSON, tmp_path / "out.ndjson")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_rows_with_more_columns_than_fit_are_blocks_without_nulls() -> None:
    names = [f"column_{number}" for number in range(40)]
    lines = list(table(names, [[None] * 39 + ["x"]], 100))
    assert lines == ["── row 1 ──", "column_39  x"]


def test_a_file_that_two_write_at_once_is_that_of_one(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with output.opened(path) as one:
        one.write(b"one,one,one\n")
        with output.opened(path) as other:
            other.write(b"two\n")
    assert path.read_bytes() == b"one,one,one\n"
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]


def test_a_file_of_ones_own_beside_an_export_stays(tmp_path: Path) -> None:
    (tmp_path / "out.csv.part").write_text("mine")
    with output.opened(tmp_path / "out.csv") as file:
        file.write(b"x\n")
    assert (tmp_path / "out.csv.part").read_text() == "mine"


def test_an_output_that_a_killed_process_left_half_written_keeps_no_other_from_it(tmp_path: Path) -> None:
    (tmp_path / f".out.log.{os.getpid()}.part").touch()  # in containers all have one process's id
    with writing.opened(tmp_path / "out.log", "plain", "utf-8") as file:
        file.write(b"x\n")
    assert (tmp_path / "out.log").read_bytes() == b"x\n"
