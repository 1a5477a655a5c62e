"""A process that erases a user and ends itself at a named step; run by test_erasing.py."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from logshed.api import Lake
from logshed.lake import steps
from logshed.settings import Settings


def main(lake: str, user: str, step: str) -> None:
    """Erase the user; die without a word at ``step``."""

    def passed(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    steps.passed = passed
    Lake.open(lake, settings=Settings.load(Path(lake).parent, environ={})).erase(user=user)


if __name__ == "__main__":
    main(*sys.argv[1:])
