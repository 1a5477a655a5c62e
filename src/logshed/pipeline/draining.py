"""Empties a spool into a lake: an ingest of its streams, none of which may fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.errors import LakeError
from logshed.pipeline.ingest import Ingest
from logshed.sources.spool import SPOOL

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.engines import Engine
    from logshed.lake.store import Store
    from logshed.pipeline.live_sink import LiveSink
    from logshed.pipeline.outcome import IngestReport
    from logshed.pipeline.planning import Options
    from logshed.settings import Settings


def drain(
    store: Store, root: Path, settings: Settings, options: Options, engine: Engine, live: LiveSink | None = None
) -> IngestReport:
    """Ingest what a spool holds, so that its writer may make room.

    Args:
        store: The lake.
        root: The spool's folder.
        settings: Settings.
        options: As of an ingest.
        engine: Runs the work.
        live: As of an ingest.

    Raises:
        LakeError: A stream could not be ingested, or the lake not be written.
        SpoolError: The spool cannot be read.
    """
    report = Ingest(store, settings, options, engine, live=live).run([f"{SPOOL}{root}"])
    if failed := next((one for one in report.files if one.status == "failed"), None):
        raise LakeError(failed.error)
    return report
