"""What the notebooks share: running Logshed's commands in this process, and showing its tables to Spark."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from logshed.cli import main

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def run(*words: str) -> None:
    """Run a command in this process, so that the engine ``spark`` finds the session that the notebook has.

    Raises:
        RuntimeError: It did not end as it should; what it printed says why.
    """
    before, sys.argv = sys.argv, ["logshed", *words]
    try:
        main()
    except SystemExit as done:
        if done.code:
            raise RuntimeError(f"logshed {words[0]} ended with {done.code}") from None
    finally:
        sys.argv = before


def published(spark: SparkSession, table: str, schema: str, exchange: str) -> str:
    """Put one of the lake's tables in place as a table of Spark's, whole.

    Args:
        spark: The session.
        table: What SQL calls it, such as ``traffic_hourly``.
        schema: Where to put it, such as ``main.logs``.
        exchange: A folder that driver and workers reach.

    Returns:
        Its name there.
    """
    file = Path(exchange) / f"{table}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    run("query", f"SELECT * FROM {table}", "--output", str(file))
    spark.read.parquet(str(file)).write.mode("overwrite").saveAsTable(f"{schema}.{table}")
    file.unlink()
    return f"{schema}.{table}"
