"""The command line: one file per group of commands, each a thin layer on ``logshed.api``.

What is heavy is imported inside the command that needs it, so that ``logshed --help`` answers at once.
"""

from __future__ import annotations


def main() -> None:
    """Run the command that the process was started with, and exit with its code."""
    from logshed.cli.app import app  # noqa: PLC0415 - `import logshed.cli` alone should cost nothing

    app(prog_name="logshed")
