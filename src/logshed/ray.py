"""Logs for pipelines on Ray Data: data sets of files, and Logshed's stages for ``map_batches``.

import logshed.ray

logs = logshed.ray.read_logs("/var/log/nginx")
lines = ray.data.read_text("lines.txt").map_batches(
    logshed.ray.Redact, fn_constructor_kwargs={"columns": ["text"]}, batch_format="pyarrow", concurrency=2
)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logshed.pipeline import datasets
from logshed.pipeline.batch_detect import Detect
from logshed.pipeline.batch_parse import Parse, format_of
from logshed.pipeline.batch_stages import Enrich, Redact, Stage
from logshed.pipeline.planning import AUTO

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ray.data import Dataset

    from logshed.settings import Settings

__all__ = ["Detect", "Enrich", "Parse", "Redact", "Stage", "format_of", "read_logs"]


def read_logs(
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
    override_num_blocks: int | None = None,
    concurrency: int | None = None,
    **remote: Any,
) -> Dataset:
    """Files of any known format as a data set of records: redacted, parsed and enriched as an ingest does it.

    The driver finds the files, tells their formats and cuts them; each read task reads a piece, from a line's beginning
    on, and joins records of several lines. Its rows are those of ``silver.logs`` without ``batch``.

    Args:
        paths: Files, folders, globs or addresses of objects, which every node can read.
        format: A format choice; None tells it of each file.
        policy: Redaction policy, a name or a file; None takes the setting.
        collection: Collection of the records; None takes the setting.
        service: ``service_name`` of records that name none.
        encoding: Text encoding; ``auto`` detects it.
        timezone: Zone of times that name none; None takes the setting.
        columns: The columns, in order; None takes all.
        settings: Settings; None reads logshed.toml, ``.env`` and the environment, here and once.
        override_num_blocks: How many read tasks there are; None makes them about 8 MiB long, of each compressed file
            one.
        concurrency: Read tasks at once; None leaves it to Ray.
        remote: ``num_cpus``, ``memory`` and what else ``ray.data.read_datasource`` takes.

    Raises:
        logshed.errors.SourceError: A path cannot be read; a file that cannot be read later ends its task.
        logshed.errors.LogshedError: A format, policy, column or setting is wrong; nothing was read.
        logshed.errors.EngineError: Ray is not installed.
    """
    from logshed.engines import ray_data  # noqa: PLC0415 - the stages do without Ray

    work = datasets.asked(
        paths,
        settings,
        columns=columns,
        pieces=override_num_blocks,
        policy=policy,
        format=format,
        collection=collection,
        service=service,
        encoding=encoding,
        timezone=timezone,
    )
    return ray_data.dataset(work, override_num_blocks=override_num_blocks, concurrency=concurrency, **remote)
