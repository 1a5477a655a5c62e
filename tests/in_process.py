"""Runs a command in this process: what it imports is there already."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from logshed.cli.app import app

if TYPE_CHECKING:
    from click.testing import Result


def called(*words: str) -> Result:
    """What a command came to; signals, which it may take for itself, are put back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return CliRunner().invoke(app, words)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
