"""``logshed canary``: sends numbered lines through a door, and says which of them came to the lake, and when."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from logshed.cli import canary_screen, output, sink_options
from logshed.cli.commands import FAILED, JsonOption, LakeOption, add
from logshed.errors import UsageError

EXAMPLES = (
    "logshed canary --to otlp+http://127.0.0.1:4318                 # 100 lines a second for a minute",
    "logshed canary --to syslog+udp://127.0.0.1:514 --rate 1000 --seconds 10",
    "logshed canary --to elastic+https://logs.example.org --token-file token --seconds 0   # until Ctrl-C",
    "logshed canary --run bdfghjkl                                  # look for the lines of an earlier run",
)
LONGEST_RATE = 100_000


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "canary", canary, examples=EXAMPLES)


def canary(
    *,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="The door: otlp+http://, otlp+grpc://, elastic+http://, loki+http://, splunk+http://, raw+http://, "
            "syslog+tcp://, syslog+udp://, forward+tcp://; with TLS https, grpcs, tls.",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[float, typer.Option(min=0.01, max=LONGEST_RATE, help="Lines a second.")] = 100.0,
    seconds: Annotated[float, typer.Option(min=0, help="How long to send; 0 until Ctrl-C.")] = 60.0,
    streams: Annotated[int, typer.Option(min=1, max=64, help="Connections, each with lines of its own.")] = 1,
    collection: Annotated[
        str, typer.Option(metavar="ID", help="The collection to ask for, where the protocol has a place for it.")
    ] = "canary",
    wait: Annotated[float, typer.Option(min=0, help="Seconds that the last lines have to come to the lake.")] = 30.0,
    late: Annotated[float, typer.Option(min=0, help="Seconds after which a line is late.")] = 10.0,
    strict: Annotated[
        bool, typer.Option("--strict", help="Fail also for lines that are twice, late, out of order or unanswered.")
    ] = False,
    run: Annotated[
        str | None, typer.Option(metavar="ID", help="Send nothing; look for an earlier run.", show_default=False)
    ] = None,
    token_file: sink_options.TokenFileOption = None,
    ca_file: sink_options.CaFileOption = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send numbered lines through a door, and say which are missing, twice, late or out of order in the lake.

    Each line has the run's id, its number and its time. The lake is looked at every second, so that it is known when
    a query first sees each line. Ends with exit code 1 where a line that was acknowledged is not in the lake.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy
    from logshed.cli.following import stopped_by_signals  # noqa: PLC0415 - as above
    from logshed.pipeline import canary as verb  # noqa: PLC0415 - as above
    from logshed.pipeline.sinks import Sink, token_of  # noqa: PLC0415 - as above

    if (to is None) == (run is None):
        raise UsageError("cannot tell what to do: give either --to ADDRESS or --run ID")
    opened = Lake.open(lake)
    if to is None:
        report = verb.check(opened.query, opened.root, run or "")
    else:
        sink = Sink.of(to, token_of(token_file), ca_file)
        plan = verb.Plan(rate, seconds, streams, collection, wait, late)
        with canary_screen.shown(plan) as progress:
            report = verb.Canary(sink, plan, opened.query, opened.root, progress).run(stopped_by_signals())
    if as_json:
        output.document(report.as_dict())
    else:
        canary_screen.tell(report, sys.stdout)
    if not (report.spotless if strict else report.ok):
        raise typer.Exit(FAILED)
