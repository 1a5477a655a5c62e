"""The options by which commands are told what is replayed, and how quickly."""

from __future__ import annotations

from typing import Annotated

import typer

SinceOption = Annotated[
    str | None,
    typer.Option("--since", metavar="TIME", help="From then on: 24h, today, 2026-11-01; else all.", show_default=False),
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Up to then; else to the last record.", show_default=False)
]
ZoneOption = Annotated[
    str | None, typer.Option("--tz", metavar="ZONE", help="Zone of times, such as Europe/Berlin.", show_default=False)
]
DurationOption = Annotated[
    str | None, typer.Option("--duration", metavar="LENGTH", help="How long it takes: 30s, 5m, 1h.", show_default=False)
]
SpeedOption = Annotated[
    float | None, typer.Option("--speed", metavar="N", help="Or: so many times as quick as it was.", show_default=False)
]
CollectionOption = Annotated[
    list[str] | None,
    typer.Option("--collection", metavar="ID", help="Only this collection; may be given again.", show_default=False),
]
WhereOption = Annotated[
    str | None,
    typer.Option(
        "--where", metavar="SQL", help="Only records for which this holds, over columns of `logs`.", show_default=False
    ),
]
LoopOption = Annotated[bool, typer.Option("--loop", help="Begin anew at the end, until Ctrl-C.")]
