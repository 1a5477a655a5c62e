"""``logshed report``: pages with charts that work offline, a summary as text, all figures as JSON."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import terminal
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.cli.progress import size

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.api import Lake

EXAMPLES = (
    "logshed report",
    "logshed report --since 2015-05-17 --until 2015-05-21 -o may",
    "logshed report --page traffic_patterns --page error_breakdown --since 7d --tz Europe/Berlin",
    "logshed report --since 7d --pdf --email ops",
)
SECONDS_BETWEEN_LINES = 5.0


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "report", report, examples=EXAMPLES)


def report(
    *,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="From then on: 24h, 7d, today, 2026-11-01, all; else 30d.", show_default=False
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Up to then.", show_default=False)] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this collection.", show_default=False)
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(
            "--tz", metavar="ZONE", help="Zone of days, hours and times, such as Europe/Berlin.", show_default=False
        ),
    ] = None,
    to: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to write it; an older report is replaced.")
    ] = Path("log_analytics_results"),
    page: Annotated[
        list[str] | None,
        typer.Option("--page", metavar="NAME", help="Only this page; may be repeated.", show_default=False),
    ] = None,
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print each page to a PDF file too, by Chromium or Chrome.")
    ] = False,
    email: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Send it to this [[alert]] of logshed.toml, an e-mail.", show_default=False),
    ] = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a report: HTML pages with charts that work offline, a summary as text, and all figures as JSON.

    Each file of `dashboards` is a page, yours too. On a page days can be chosen, tables sorted and exported.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    opened = Lake.open(lake)
    made = opened.report(
        to,
        since=since,
        until=until,
        collection=collection,
        timezone=zone,
        pages=page or (),
        pdf=pdf,
        email=email,
        progress=_progress(),
    )
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps(made.as_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        print(made.summary)
        for file in made.files:
            print(f"{terminal.bold(str(to / file.name))}  {size(file.stat().st_size)}")
        print(
            f"\nMade in {made.seconds:.1f} s. Open {to / made.files[0].name} in a browser."
            + (f" Sent to {email}." if email else "")
        )
    if not made.events:
        print(_nothing(opened), file=sys.stderr)


def _nothing(lake: Lake) -> str:
    """Why a report is empty, and what to do: old logs lie before the default window."""
    first, last = lake.query("SELECT min(timestamp), max(timestamp) FROM logs").rows()[0]
    if first is None:
        return "The report is empty: so is the lake; fill it with `logshed ingest`."
    return (
        f"The report is empty. The lake holds {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC: "
        f"try --since {first:%Y-%m-%d}, or --since all."
    )


def _progress() -> Callable[[str], None]:
    """Tells what is being done: on a terminal in one line, else every few seconds."""
    last = time.monotonic()

    def told(text: str) -> None:
        nonlocal last
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{text} …")
            sys.stderr.flush()
        elif time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    return told
