"""``logshed aggregate``: brings the gold tables up to date."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from logshed.cli import tables, terminal
from logshed.cli.commands import FAILED, EngineOptions, JsonOption, LakeOption, add

COLUMNS = ("table", "days", "rows", "seconds")
EXAMPLES = (
    "logshed aggregate                      # days of records that came since the last time",
    "logshed aggregate traffic_hourly --rebuild",
    "logshed aggregate --list",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "aggregate", aggregate, examples=EXAMPLES, logs=True)


def aggregate(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[TABLE]…", help="Gold tables; all unless given.", show_default=False)
    ] = None,
    *,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Compute every day anew.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Say which gold tables there are.")] = False,
    lake: LakeOption = None,
    run_by: EngineOptions,
    as_json: JsonOption = False,
) -> None:
    """Bring the gold tables up to date: what each day's records come to, by hour or day.

    Only days of records that came since the last time are computed, each as a whole, and put in place at once. SQL sees
    the tables by their names: SELECT * FROM traffic_hourly.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    opened = Lake.open(lake, check=not show, engine=run_by)
    if show:
        _list(opened.settings.plugins, as_json=as_json)
        return
    done = opened.aggregate(names or (), rebuild=rebuild, progress=_progress if sys.stderr.isatty() else None)
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps([one.as_dict() for one in done], option=orjson.OPT_INDENT_2).decode())
    else:
        rows = [[one.table, one.days, one.rows, one.seconds] for one in done]
        terminal.page(tables.table(COLUMNS, rows, terminal.width()))
    for one in done:
        if one.error:
            print(f"error: {one.error}", file=sys.stderr)
    if any(one.error for one in done):
        raise typer.Exit(FAILED)


def _list(plugins: object, *, as_json: bool) -> None:
    from dataclasses import asdict  # noqa: PLC0415 - only here

    from logshed.queries.gold import load  # noqa: PLC0415 - reads files

    known = load(plugins)  # type: ignore[arg-type]
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps([asdict(one) for one in known.values()], option=orjson.OPT_INDENT_2).decode())
        return
    size = max(map(len, known))
    for name, one in known.items():
        print(f"{terminal.bold(f'{name:<{size}}')}  {one.title}")


def _progress(table: str) -> None:
    sys.stderr.write(f"\r\x1b[K{table} …")
    sys.stderr.flush()
