"""``logshed forward``: sends the records of a search or a collection on to an OTLP or HTTP sink."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import output, sink_options
from logshed.cli.commands import TOO_MANY_REJECTS, JsonOption, LakeOption, add
from logshed.cli.progress import now_and_then
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from logshed.forward_settings import Forward
    from logshed.pipeline.forward import Report
    from logshed.settings import Settings

EXAMPLES = (
    "logshed forward --to otlp+http://127.0.0.1:4318 --follow      # what is ingested from now on",
    "logshed forward 'level>=error' --to https://siem.example.org/ingest --token-file token --since 1h",
    "logshed forward --collection web --to otlp+grpcs://collector.example.org:4317 --since all",
    "logshed forward siem                                          # as [[forward]] of logshed.toml says",
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "forward", forward, examples=EXAMPLES)


def forward(
    what: Annotated[
        str, typer.Argument(metavar="[SEARCH|NAME]", help="Which records; without --to the name of a [[forward]].")
    ] = "",
    *,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="otlp+http://, otlp+https://, otlp+grpc://, otlp+grpcs://; http:// and https:// take lines of JSON.",
            show_default=False,
        ),
    ] = None,
    collection: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this collection.", show_default=False)
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Which older records the first run takes: 2h, 7d, 2026-11-01, all; none by default.",
            show_default=False,
        ),
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what is ingested, until Ctrl-C.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Begin anew, and not where the last run ended.")] = False,
    skip_refused: Annotated[
        bool, typer.Option("--skip-refused", help="Leave out a record that is refused for good, rather than end.")
    ] = False,
    every: Annotated[float, typer.Option(min=0.1, help="For --follow: seconds between two looks.")] = 2.0,
    wait: Annotated[
        float,
        typer.Option(min=0, help="Seconds for which a sink that takes nothing is tried; without end if following."),
    ] = 60.0,
    token_file: sink_options.TokenFileOption = None,
    ca_file: sink_options.CaFileOption = None,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send records on, each at least once: those of a search, of a collection, or all.

    A forwarding begins with what is ingested from then on, unless --since says otherwise, and goes on where it ended:
    its position is kept in the lake's folder. A sink that does not answer is waited for, and nothing is lost.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy
    from logshed.cli.following import stopped_by_signals  # noqa: PLC0415 - as above
    from logshed.pipeline.sinks import token_of  # noqa: PLC0415 - as above

    opened = Lake.open(lake)
    if to is None:
        given = _named(opened.settings, what, collection=collection)
        given["since"] = since or given["since"]
    else:
        given = {"to": to, "search": what, "collection": collection, "since": since}
        given |= {"token": token_of(token_file), "ca_file": ca_file}
    given |= {"follow": follow, "again": again, "skip": skip_refused, "every": every, "patience": wait}
    with _shown() as progress:
        report = opened.forward(**given, stop=stopped_by_signals(), progress=progress)
    if as_json:
        output.document(report.as_dict())
    else:
        print(told(report, given["since"], follow=follow))
    if report.rejected or report.skipped:
        raise typer.Exit(TOO_MANY_REJECTS)


def told(report: Report, since: str | None, *, follow: bool) -> str:
    """What came of it, as sentences."""
    said = [f"Sent {report.records:,} records of {report.batches:,} batches to {report.to}."]
    if report.rejected:
        said.append(f"It rejected {report.rejected:,} of them.")
    if report.skipped:
        said.append(f"{report.skipped:,} were refused and left out.")
    if report.began and since is None and not follow:
        said.append("It begins now: the next run sends what is ingested until then. For older records give --since.")
    if not report.began and since is not None:
        said.append("It went on where the last run ended; --again begins anew with --since.")
    return " ".join(said)


def _named(settings: Settings, name: str, *, collection: str | None) -> dict[str, Any]:
    """The forwarding of logshed.toml that has a name.

    Raises:
        UsageError: There is none.
    """
    found: dict[str, Forward] = {one.name: one for one in settings.forward}
    if name not in found or collection is not None:
        known = f"logshed.toml has {', '.join(found)}" if found else "logshed.toml has no [[forward]]"
        raise UsageError(
            f"cannot forward {name or 'records'}: it is not said where to; give --to ADDRESS, or a name: {known}"
        )
    one = found[name]
    return {
        "to": one.to,
        "search": one.search,
        "collection": one.collection,
        "name": one.name,
        "since": one.since,
        "token": _token(one),
        "ca_file": one.ca_file,
    }


def _token(one: Forward) -> str:

    from logshed.pipeline.sinks import token_of  # noqa: PLC0415 - heavy

    kind, _, place = (one.token or "").partition(":")
    if kind == "file":
        return token_of(Path(place))
    if kind == "env" and not os.environ.get(place, "").strip():
        raise UsageError(f"cannot forward {one.name}: the variable {place} is not set; set it to the token")
    return os.environ.get(place, "").strip() if kind == "env" else ""


@contextmanager
def _shown() -> Iterator[Callable[[Report], None]]:
    """What to call with each report: a line that changes on a terminal, else one now and then; on standard error."""
    waiting: list[str] = [""]
    plain = now_and_then(line)

    def update(report: Report) -> None:
        if report.waiting and report.waiting != waiting[0]:
            print(f"warning: {report.waiting}; it is tried again", file=sys.stderr, flush=True)
        waiting[0] = report.waiting
        draw(report)

    if not sys.stderr.isatty():
        draw = plain
        yield update
        return
    from rich.console import Console  # noqa: PLC0415 - `--help` has no use for it
    from rich.live import Live  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    with Live(console=Console(stderr=True), refresh_per_second=4, transient=True) as live:

        def draw(report: Report) -> None:
            live.update(Text(line(report), no_wrap=True, overflow="ellipsis"))

        yield update


def line(report: Report) -> str:
    """How it stands, as one line."""
    rate = report.records / max(report.seconds, 1e-3) if report.seconds else 0.0
    parts = [f"{report.records:,} records", f"{rate:,.0f}/s"] if rate else [f"{report.records:,} records"]
    parts += [f"{report.batches:,} batches", f"{report.behind:,} to come"]
    return ", ".join([*parts, *(["waiting for the sink"] if report.waiting else [])])
