"""A process that ingests and ends itself at a named step of the commit; run by test_kill.py."""

from __future__ import annotations

import os
import signal
import sys

from logshed.api import Lake
from logshed.lake import steps
from logshed.pipeline import ingest
from logshed.settings import Settings


def main(lake: str, path: str, step: str) -> None:
    """Ingest ``path`` in small batches; die without a word at ``step``, if it is one."""

    def passed(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    steps.passed = passed
    ingest.GROUP_BYTES = 400_000
    settings = Settings.load(lake + "-settings", environ={}).model_copy(update={"split_bytes": 100_000})
    report = Lake.open(lake, create=True, settings=settings).ingest([path])
    sys.stdout.write(f"{report.totals.read}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
