"""The command line: one file per group of commands, each a thin layer on ``logshed.api``.

What is heavy is imported inside the command that needs it, so that ``logshed --help`` answers at once.
"""

from __future__ import annotations

import gc

YOUNG = 50_000
"""Objects that are made before a look for rings of them: modules are mostly such, and looks took a tenth of a start."""


def main() -> None:
    """Run the command that the process was started with, and exit with its code."""
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    from logshed.cli.app import app  # noqa: PLC0415 - `import logshed.cli` alone should cost nothing

    app(prog_name="logshed")
