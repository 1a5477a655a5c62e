"""What every worker of one batch needs to know; picklable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from logshed.enrichment.sources import Sources
    from logshed.lake.writing import FileWriter
    from logshed.redaction.model import Policy
    from logshed.settings import Drop, Transform


@dataclass(frozen=True, slots=True)
class Job:
    """One batch's work.

    Attributes:
        batch: The batch's id; empty in a dry run.
        collection: Collection of its records.
        observed: When it was read.
        policy: Redaction policy.
        drops: Rules for lines that are counted and not kept.
        transforms: Changes to parsed records, in order.
        networks: Internal networks by name.
        sources: Databases and lists that records are looked up in, as they were when the batch began.
        timezone: Zone of timestamps that name none; None is UTC.
        chunk_bytes: Bytes that a worker has in hand at a time.
        part_bytes: Bytes of text after which a worker writes its files.
        max_line_bytes: A longer line is kept cut.
        plugins: Folders with formats of the user's own.
        lines: Writer of ``bronze.lines``; None in a dry run.
        logs: Writer of ``silver.logs``; None in a dry run.
    """

    batch: str
    collection: str
    observed: datetime
    policy: Policy
    drops: tuple[Drop, ...]
    transforms: tuple[Transform, ...]
    networks: Mapping[str, tuple[str, ...]]
    sources: Sources
    timezone: str | None
    chunk_bytes: int
    part_bytes: int
    max_line_bytes: int
    plugins: tuple[Path, ...]
    lines: FileWriter | None
    logs: FileWriter | None
