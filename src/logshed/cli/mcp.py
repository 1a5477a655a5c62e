"""``logshed mcp``: lets an assistant on this machine ask a lake."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli.commands import LakeOption, add
from logshed.errors import UsageError

if TYPE_CHECKING:
    from logshed.api import Lake
    from logshed.assistants.tools import Tool

EXAMPLES = ("logshed mcp --lake /srv/logs", "logshed mcp --collection 'shop-*' --collection web --no-sql")


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "mcp", speak, examples=EXAMPLES)


def speak(
    *,
    collection: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Show these collections alone; may be repeated.", show_default=False),
    ] = None,
    sql: Annotated[bool, typer.Option(help="Let it ask in SQL too.")] = True,
    lake: LakeOption = None,
) -> None:
    """Answer an assistant over standard input and output, by the Model Context Protocol. All of its tools read."""
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    seen = Lake.open(lake).seen_by(collection or None)
    try:
        asyncio.run(_spoken(seen, sql=sql))
    except ImportError as error:
        raise UsageError(
            f"cannot speak to assistants: {error.name} is not installed; pip install 'logshed[mcp]'"
        ) from None


async def _spoken(lake: Lake, *, sql: bool) -> None:
    from mcp.server.stdio import stdio_server  # noqa: PLC0415 - an extra

    from logshed.assistants.server import server  # noqa: PLC0415 - an extra

    async def call(request: Any, tool: Tool, given: dict[str, Any]) -> dict[str, Any]:
        del request
        return await asyncio.to_thread(tool.call, lake, given)

    def may(request: Any, tool: Tool) -> bool:
        del request
        return sql or tool.ability != "sql"

    speaker = server(call, may)
    async with stdio_server() as (incoming, outgoing):
        await speaker.run(incoming, outgoing, speaker.create_initialization_options())
