"""Logs for pipelines on Spark: frames of files, and Logshed's stages for ``mapInArrow``.

import logshed.spark

logs = logshed.spark.read_logs(spark, "/var/log/nginx")
lines = logshed.spark.apply(spark.read.text("lines.txt"), logshed.spark.Redact(columns=["value"]))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.pipeline import datasets
from logshed.pipeline.arrow_types import ddl
from logshed.pipeline.batch_detect import Detect
from logshed.pipeline.batch_parse import Parse, format_of
from logshed.pipeline.batch_stages import Enrich, Redact, Stage
from logshed.pipeline.planning import AUTO

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from logshed.settings import Settings

__all__ = ["Detect", "Enrich", "Parse", "Redact", "Stage", "apply", "format_of", "read_logs"]


def read_logs(
    spark: SparkSession,
    paths: str | Path | Sequence[str | Path],
    *,
    format: str | None = None,  # noqa: A002 - the option's name
    policy: str | None = None,
    collection: str | None = None,
    service: str | None = None,
    encoding: str = AUTO,
    timezone: str | None = None,
    columns: Sequence[str] | None = None,
    settings: Settings | None = None,
    partitions: int | None = None,
) -> DataFrame:
    """Files of any known format as a frame of records: redacted, parsed and enriched as an ingest does it.

    The driver finds the files, tells their formats and cuts them; each partition is a piece of them. Its rows are those
    of ``silver.logs`` without ``batch``.

    Args:
        spark: The session.
        paths: Files, folders, globs or addresses of objects, which every executor can read.
        format: A format choice; None tells it of each file.
        policy: Redaction policy, a name or a file; None takes the setting.
        collection: Collection of the records; None takes the setting.
        service: ``service_name`` of records that name none.
        encoding: Text encoding; ``auto`` detects it.
        timezone: Zone of times that name none; None takes the setting.
        columns: The columns, in order; None takes all.
        settings: Settings; None reads logshed.toml, ``.env`` and the environment, here and once.
        partitions: How many partitions there are; None makes them about 8 MiB long, of each compressed file one.

    Raises:
        logshed.errors.SourceError: A path cannot be read; a file that cannot be read later ends its task.
        logshed.errors.LogshedError: A format, policy, column or setting is wrong; nothing was read.
        logshed.errors.EngineError: Spark is not installed.
    """
    from logshed.engines import spark_frames  # noqa: PLC0415 - the stages do without Spark

    work = datasets.asked(
        paths,
        settings,
        columns=columns,
        pieces=partitions,
        policy=policy,
        format=format,
        collection=collection,
        service=service,
        encoding=encoding,
        timezone=timezone,
    )
    return spark_frames.frame(spark, work.read, work.pieces, ddl(work.read.schema))


def apply(rows: DataFrame, *stages: Stage) -> DataFrame:
    """A frame after some stages, each with the schema that it makes of the frame's own columns.

    ``rows.mapInArrow(stage.arrow, stage.schema)`` does the same where the frame has the columns that the stage is made
    for, and no others.

    Raises:
        logshed.errors.UsageError: A column is missing, or is of a type that a stage does not take.
        logshed.errors.EngineError: Spark is not installed.
    """
    from logshed.engines import spark_frames  # noqa: PLC0415 - the stages do without Spark

    return spark_frames.changed(rows, stages)
