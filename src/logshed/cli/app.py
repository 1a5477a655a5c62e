"""The program's commands, gathered."""

from __future__ import annotations

from typing import Annotated

import typer

from logshed import __version__
from logshed.cli import (
    aggregate,
    alerts,
    anomalies,
    asked,
    audit,
    canary,
    capacity,
    clickhouse,
    collect,
    compliance,
    convert,
    cost,
    decisions,
    detect,
    doctor,
    enrich,
    erase,
    formats,
    forward,
    incidents,
    ingest,
    integrity,
    keys,
    live,
    maintain,
    mcp,
    mutes,
    objectives,
    patterns,
    policy,
    promote,
    proof,
    query,
    receive,
    rejects,
    reparse,
    replay,
    report,
    rules,
    sanitize,
    schedule,
    schema,
    search,
    serve,
    spool,
    token,
    upload,
    user,
    verify,
    view,
)

app = typer.Typer(
    name="logshed",
    help="Takes log lines from anywhere into one open lake that you can query, watch and defend.",
    epilog='Begin with: logshed ingest /var/log/nginx · logshed run · logshed query "SELECT * FROM logs LIMIT 10"',
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"logshed {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Ask a `logshed serve` there; LOGSHED_SERVER says it too.", show_default=False
        ),
    ] = None,
) -> None:
    """Takes log lines from anywhere into one open lake that you can query, watch and defend."""
    del version  # it was printed, if it was asked for
    asked.ask_at(server)


asking = (search, query, replay, report, aggregate, patterns)
files = (clickhouse, schema, convert, sanitize, upload, view, spool)
secure = (detect, incidents, mutes, decisions, rules, alerts)
doors = (receive, canary, forward, mcp)
kept = (
    schedule,
    maintain,
    erase,
    promote,
    audit,
    integrity,
    verify,
    proof,
    compliance,
    doctor,
    policy,
    keys,
    token,
    user,
    enrich,
)
ahead = (anomalies, objectives, capacity, cost)
for group in (ingest, collect, *doors, serve, live, *asking, *ahead, rejects, reparse, formats, *files, *secure, *kept):
    group.register(app)
