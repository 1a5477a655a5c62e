"""``logshed collect``: the group of commands that follow running systems, read-only."""

from __future__ import annotations

import typer

from logshed.cli import collect_docker, collect_journal, collect_kubernetes, collect_tail

COMMANDS = (collect_docker, collect_tail, collect_journal, collect_kubernetes)


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        name="collect",
        help="Follow containers, pods and files of running systems, read-only; what comes rests redacted in a spool.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for commands in COMMANDS:
        commands.register(group)
    app.add_typer(group)
