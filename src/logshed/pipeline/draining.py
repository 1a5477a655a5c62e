"""Empties a spool into a lake: an ingest of its streams, and the note of how far they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed import spool
from logshed.errors import LakeError
from logshed.lake.ledger import Ledger
from logshed.lake.names import LINES
from logshed.pipeline.ingest import Ingest
from logshed.sources.spool import SPOOL, targets

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.engines import Engine
    from logshed.lake.store import Store
    from logshed.pipeline.outcome import IngestReport
    from logshed.pipeline.planning import Options
    from logshed.settings import Settings


def drain(store: Store, root: Path, settings: Settings, options: Options, engine: Engine) -> IngestReport:
    """Ingest what a spool holds, and let its writer make room.

    Args:
        store: The lake.
        root: The spool's folder.
        settings: Settings.
        options: As of an ingest.
        engine: Runs the work.

    Raises:
        LakeError: A stream could not be ingested, or the lake not be written.
        SpoolError: The spool cannot be read.
    """
    report = Ingest(store, settings, options, engine).run([f"{SPOOL}{root}"])
    if failed := next((one for one in report.files if one.status == "failed"), None):
        raise LakeError(failed.error)
    note(store, root)
    return report


def note(store: Store, root: Path) -> None:
    """Note how far the streams of a spool are in the lake."""
    found = targets(f"{SPOOL}{root}")
    generations = {target.generation for target in found}
    ends = Ledger.of(store.table(LINES)).generations(generations)
    spool.note_done(root, ends)
