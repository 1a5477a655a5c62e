"""Lets ``silver.logs`` catch up with ``bronze.lines`` where a run was ended between the two commits."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl

from logshed.lake.commit import commit_follower, given_back, remove_files
from logshed.lake.names import LINES, LOGS
from logshed.lake.scan import batches_missing, frame
from logshed.lake.writing import FileWriter
from logshed.pipeline.stages import Stages
from logshed.work import UNTIL_EOF, DataFile, Split

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.lake.store import Store
    from logshed.pipeline.job import Job

log = logging.getLogger(__name__)

ROWS = 100_000
"""Rows of bronze that are parsed at a time."""

ORIGIN = ("source", "generation", "collection", "resource", "format", "observed_timestamp")
"""What is the same for all records that one parse takes."""


def catch_up(store: Store, job: Job) -> int:
    """Parse what bronze has and silver has not, batch by batch.

    Returns:
        Rows added to silver.
    """
    added = 0
    for batch, files in batches_missing(store, LOGS.short).items():
        log.info("batch %s is in lines and not in logs: parsing it from lines", batch)
        writer = replace(FileWriter.of(LOGS, store.to_write(LOGS)), notes=job.sources.notes)
        written: list[DataFile] = []
        for number, logs in enumerate(_parsed(files, batch, job)):
            ordered = logs.sort("timestamp", maintain_order=True)
            written += writer.write(ordered, f"{batch}-catch-up-{number:05d}-{uuid4().hex[:8]}")
        with given_back(written):
            done = commit_follower(store, LOGS.short, batch, written)
        if done:
            added += sum(file.rows for file in written)
        else:
            remove_files(written)
    return added


def _parsed(files: list[str], batch: str, job: Job) -> Iterator[pl.DataFrame]:
    for file in files:
        rows = frame([file], LINES.short).filter(pl.col("batch") == batch)
        height = rows.select(pl.len()).collect().item()
        for start in range(0, height, ROWS):
            yield reparsed(rows.slice(start, ROWS).collect(), job)


def reparsed(lines: pl.DataFrame, job: Job) -> pl.DataFrame:
    """Rows of ``silver.logs`` for rows of ``bronze.lines`` of any sources, as their own ingest would have made them."""
    parts = []
    for (source, generation, collection, resource, text, observed), rows in lines.group_by(ORIGIN, maintain_order=True):
        split = Split(
            str(source), "", str(generation), 0, UNTIL_EOF, str(text), tuple(sorted(json.loads(str(resource)).items()))
        )
        own = replace(job, collection=str(collection), observed=observed)
        for (batch,), same in rows.group_by("batch", maintain_order=True):
            parts.append(Stages(replace(own, batch=str(batch)), split).reparse(same))
    return pl.concat(parts)
