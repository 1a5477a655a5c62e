"""``logshed live``: the group of commands around the hot store of the newest lines."""

from __future__ import annotations

import typer

from logshed.cli import live_import, live_keep, live_map, live_show

COMMANDS = (live_import, live_show, live_map, live_keep)


def register(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        name="live",
        help="The newest lines of each collection in the order of their own time, counters and places, on Redis.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for commands in COMMANDS:
        commands.register(group)
    app.add_typer(group)
