"""Lakes that engines fill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.api import Lake
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.engine_settings import EngineSettings


def opened(root: Path, engine: EngineSettings) -> Lake:
    """An empty lake that an engine fills in small tasks."""
    settings = Settings.load(root.parent, environ={}).model_copy(
        update={"engine": engine, "split_bytes": 50_000, "batch_bytes": 25_000}
    )
    return Lake.open(root, create=True, settings=settings)
