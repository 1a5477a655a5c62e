"""A process that maintains a lake and ends itself at a named step; run by test_maintain.py."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from logshed.lake import steps
from logshed.lake.store import Store
from logshed.pipeline.maintain import Maintain
from logshed.settings import Settings


def main(lake: str, step: str) -> None:
    """Do all of it without a grace period; die without a word at ``step``."""

    def passed(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    steps.passed = passed
    settings = Settings.load(lake + "-settings", environ={})
    Maintain(Store.open(Path(lake), create=False), settings, grace_s=0, alone=True).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
