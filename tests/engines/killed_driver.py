"""A driver that ingests by an engine and ends itself at a named step; run by test_contract.py."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from logshed.api import Lake
from logshed.lake import steps
from logshed.settings import Settings


def main(lake: str, path: str, step: str, name: str, address: str) -> None:
    """Ingest ``path``; die without a word at ``step``, which only the driver passes."""

    def passed(at: str) -> None:
        if at == step:
            os.kill(os.getpid(), signal.SIGKILL)

    steps.passed = passed
    settings = Settings.load(Path(lake).parent, environ={}).model_copy(update={"split_bytes": 75_000})
    Lake.open(lake, create=True, settings=settings, engine={"name": name, "address": address}).ingest([path])


if __name__ == "__main__":
    main(*sys.argv[1:])
