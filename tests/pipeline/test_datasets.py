"""Files as pieces of work: however they are cut, their rows are those of the lake."""

from __future__ import annotations

import gzip
import pickle
from typing import TYPE_CHECKING

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.pipeline.samples import access

from logshed.errors import SourceError, UsageError
from logshed.pipeline import datasets

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake
    from logshed.pipeline.datasets import Plan
    from logshed.settings import Settings

TRACE = (
    "2026-11-01 12:00:0{0},5{0}0 ERROR [main] shop.Till - order {0}\n"
    "java.lang.Error: no {0}\n\tat shop.Till.pay(Till.java:1{0})\n"
)
KEY = ["source", "generation", "offset", "item"]


def rows(plan: Plan) -> pl.DataFrame:
    """All rows, each piece read by a reader that has travelled."""
    tables = [
        table
        for piece in plan.pieces
        for table in pickle.loads(pickle.dumps(plan.read))(piece)  # noqa: S301 - our own
    ]
    return pl.concat([pl.DataFrame(pl.from_arrow(table)) for table in tables])


@pytest.fixture
def several(logs: Path) -> Path:
    (logs / "access.log").write_text("".join(access(number) for number in range(2000)))
    (logs / "till.log").write_text("".join(TRACE.format(number % 10) for number in range(400)))
    (logs / "old.log.gz").write_bytes(gzip.compress("".join(access(number) for number in range(300)).encode()))
    for number in range(6):
        (logs / f"small-{number}.log").write_text(access(number) + "what is this\n")
    return logs


@pytest.mark.parametrize("pieces", [5, None])
def test_the_rows_of_all_pieces_are_those_of_the_lake(
    several: Path, lake: Lake, settings: Settings, pieces: int | None
) -> None:
    lake.ingest([several])
    held = lake.query("SELECT * FROM logs").pl().sort(KEY)
    plan = datasets.asked(several, settings, pieces=pieces)
    made = rows(plan).sort(KEY)
    assert made.height == held.height == 2000 + 400 + 300 + 12
    told = [name for name in made.columns if name not in ("observed_timestamp", "timestamp")]
    assert_frame_equal(made.select(told), held.select(told).cast(dict(made.select(told).schema)))
    mine, theirs = (one.filter(pl.col("timestamp_source") != "observed")["timestamp"] for one in (made, held))
    assert mine.to_list() == theirs.to_list()


def test_a_long_file_is_cut_and_short_ones_are_taken_together(several: Path, settings: Settings) -> None:
    many = datasets.asked(several, settings, pieces=5)
    assert 4 <= len(many.pieces) <= 5
    assert len({split.start for piece in many.pieces for split in piece if split.source.endswith("access.log")}) > 1
    few = many.at_most(2)
    assert len(few.pieces) == 2
    assert sum(few.sizes) == sum(many.sizes)
    assert [split for piece in few.pieces for split in piece] == [split for piece in many.pieces for split in piece]


def test_columns_are_those_that_are_asked_for_in_their_order(several: Path, settings: Settings) -> None:
    plan = datasets.asked(several / "access.log", settings, columns=["url_path", "timestamp"])
    assert plan.read.schema.names == rows(plan).columns == ["url_path", "timestamp"]
    with pytest.raises(UsageError, match="there is none"):
        datasets.asked(several, settings, columns=["nosuch"])


def test_what_a_policy_forbids_is_in_no_row(logs: Path, settings: Settings) -> None:
    (logs / "app.jsonl").write_text('{"level":"info","msg":"in","password":"hunter2"}\n' * 20)
    assert "hunter2" not in str(rows(datasets.asked(logs, settings)).to_dicts())


def test_a_path_that_cannot_be_read_is_told_before_anything_is_read(logs: Path, settings: Settings) -> None:
    with pytest.raises(SourceError, match=r"none\.log"):
        datasets.asked([logs / "none.log"], settings)


def test_a_file_that_is_gone_when_its_piece_is_read_ends_that_piece(several: Path, settings: Settings) -> None:
    plan = datasets.asked([several / "access.log", several / "till.log"], settings, pieces=1)
    (several / "till.log").unlink()
    with pytest.raises(SourceError, match=r"cannot read .*till\.log"):
        rows(plan)
