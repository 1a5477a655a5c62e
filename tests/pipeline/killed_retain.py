"""A process that takes away what is old and ends itself at a named step; run by test_retaining.py."""

from __future__ import annotations

import os
import signal
import sys
from datetime import datetime
from pathlib import Path

from logshed.lake import steps
from logshed.lake.store import Store
from logshed.pipeline.retaining import retain
from logshed.retain_settings import Retain


def main(lake: str, step: str, now: str, spans: str) -> None:
    """Do it for both tables as if it were ``now``; die without a word at ``step``."""

    def passed(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    steps.passed = passed
    store = Store.open(Path(lake), create=False)
    for name in ("bronze.lines", "silver.logs"):
        retain(store, name, Retain.model_validate_json(spans), dry=False, now=datetime.fromisoformat(now))


if __name__ == "__main__":
    main(*sys.argv[1:])
