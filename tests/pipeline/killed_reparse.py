"""A process that reparses a lake and ends itself at a named step; run by test_reparse.py."""

from __future__ import annotations

import os
import signal
import sys

from logshed.api import Lake
from logshed.lake import steps
from logshed.settings import Settings


def main(lake: str, step: str) -> None:
    """Read all of it anew; die without a word at ``step``."""

    def passed(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    steps.passed = passed
    Lake.open(lake, settings=Settings.load(lake + "-settings", environ={})).reparse("all")


if __name__ == "__main__":
    main(*sys.argv[1:])
