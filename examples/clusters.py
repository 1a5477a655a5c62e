"""What the examples on Ray and Spark share: a small cluster on this machine, and tables in the terminal."""

# ruff: noqa: T201, INP001 - scripts that talk to people

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from ray.data import Dataset

HERE = Path(__file__).parent
BUILD = HERE.parent / "build"


def start_ray() -> None:
    """Begin a cluster on this machine, or join the one that this process is in."""
    import ray  # noqa: PLC0415 - the examples on Spark do without it

    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False, logging_level="error")
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = sys.stderr.isatty()
    context.target_max_block_size = 64 * 2**20  # blocks of 64 MiB: less memory for each task that has one in hand


def start_spark() -> SparkSession:
    """Begin Spark on this machine."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession  # noqa: PLC0415 - the examples on Ray do without it

    builder = SparkSession.builder.master("local[2]").appName("logshed-example")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
    }.items():
        builder = builder.config(name, value)
    session: SparkSession = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def collected(rows: Dataset) -> pl.DataFrame:
    """The rows of a data set that is small by now."""
    parts = [pl.DataFrame(pl.from_arrow(batch)) for batch in rows.iter_batches(batch_size=None, batch_format="pyarrow")]
    return pl.concat([part for part in parts if part.width], how="diagonal") if parts else pl.DataFrame()


def show(title: str, rows: pl.DataFrame) -> None:
    """Print a table."""
    shown = pl.Config(tbl_rows=50, tbl_cols=20, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True)
    with shown, pl.Config(tbl_formatting="ASCII_MARKDOWN", tbl_width_chars=140, fmt_str_lengths=60):
        print(f"\n{title}\n{rows}")
