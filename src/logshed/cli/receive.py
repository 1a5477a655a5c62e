"""``logshed receive``: opens the ports that shippers speak, and keeps what they send."""

from __future__ import annotations

import json
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.cli.progress import SECONDS_BETWEEN_LINES, size
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from logshed.pipeline.receive_report import ReceiveReport
    from logshed.settings import Settings

EXAMPLES = (
    "logshed receive                               # OTLP, _bulk, Loki, HEC and lines on this machine, until Ctrl-C",
    "curl -s --data-binary @access.log http://127.0.0.1:4318/v1/raw/web",
    "logshed receive --listen http://127.0.0.1:9200 --listen syslog_udp://127.0.0.1:5514",
    "logshed receive --config /etc/logshed/logshed.toml",
    "logshed token create --collection web --verb write   # then [receive.http] in logshed.toml, see docs/receive.md",
)
ConfigOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Settings instead of ./logshed.toml.", show_default=False)
]
SPOKEN = {
    "http": "OTLP, _bulk, Loki, HEC, lines and webhooks over HTTP",
    "grpc": "OTLP over gRPC",
    "syslog_tcp": "syslog over TCP",
    "syslog_udp": "syslog over UDP",
    "forward": "Fluentd's forward protocol",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "receive", receive, examples=EXAMPLES)


def receive(
    *,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DOOR://HOST:PORT",
            help="A door instead of those of logshed.toml: http, grpc, syslog_tcp, syslog_udp or forward; repeat it.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    collection: Annotated[
        str | None,
        typer.Option("--collection", metavar="ID", help="Collection of what names none.", show_default=False),
    ] = None,
    every: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="How often records go into the lake, such as 2s.", show_default=False),
    ] = None,
    into_lake: Annotated[
        bool, typer.Option("--into-lake/--no-lake", help="Bring records into the lake, or leave them in the spool.")
    ] = True,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take what log shippers push, until Ctrl-C or SIGTERM: an answer means that the records are on disk, redacted.

    Doors are the tables [receive.http], [receive.grpc] and so on of logshed.toml; without any, this machine's
    ports 4318 (HTTP) and 4317 (gRPC).
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy
    from logshed.pipeline.receive import Receive  # noqa: PLC0415 - heavy

    settings = _settings(config, listen, collection, every)
    with _shown(as_json=as_json) as (opened, progress):
        report = (
            Lake.open(lake, create=True, settings=settings).receive(settings, opened, progress)
            if into_lake
            else Receive(settings, None, opened, progress).run()
        )
    if as_json:
        print(json.dumps(report.as_dict()))
    for text in told(report, into_lake=into_lake):
        print(text, file=sys.stderr)


def told(report: ReceiveReport, *, into_lake: bool) -> Iterator[str]:
    """What came, in sentences."""
    yield f"{report.records:,} records came in {report.seconds:,.1f} s; {report.in_lake:,} are in the lake."
    if report.lake:
        yield f"warning: {report.lake} Records wait in the spool."
    elif not into_lake and report.records:
        yield "Take them into a lake with: logshed ingest spool:DIR"


def _settings(config: Path | None, listen: Sequence[str] | None, collection: str | None, every: str | None) -> Settings:
    from pydantic import ValidationError  # noqa: PLC0415 - not for `--help`

    from logshed.receive_settings import Receive  # noqa: PLC0415 - as above
    from logshed.settings import Settings  # noqa: PLC0415 - as above

    settings = Settings.load(file=config)
    given = settings.receive.model_dump(exclude_none=True)
    if listen:
        given = {name: value for name, value in given.items() if name not in SPOKEN}
        for one in listen:
            door, colon, address = one.partition("://")
            if not colon or door not in SPOKEN:
                raise UsageError(
                    f"cannot listen on {one!r}: it names no door; write one of "
                    f"{', '.join(SPOKEN)}, as http://127.0.0.1:4318"
                )
            given.setdefault(door, {"listen": []})["listen"].append(address)
    given |= {name: value for name, value in (("collection", collection), ("every", every)) if value is not None}
    try:
        return settings.model_copy(update={"receive": Receive.model_validate(given)})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(["receive", *map(str, first["loc"])])
        raise UsageError(f"cannot use {name}: {first['msg'].removeprefix('Value error, ')}") from None


@contextmanager
def _shown(*, as_json: bool) -> Iterator[tuple[Callable[[ReceiveReport], None], Callable[[ReceiveReport], None]]]:
    """What to call once the doors are open, and with how it stands: a line that changes on a terminal."""

    def opened(report: ReceiveReport) -> None:
        if as_json:
            print(json.dumps({"addresses": report.addresses}), flush=True)
        for name, addresses in report.addresses.items():
            print(f"Listening on {', '.join(addresses)}: {SPOKEN.get(name, name)}.", file=sys.stderr)
        print("Ctrl-C ends it, and loses nothing.", file=sys.stderr, flush=True)

    yield opened, _on_terminal() if sys.stderr.isatty() else _now_and_then()
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)


def _on_terminal() -> Callable[[ReceiveReport], None]:
    before, then = 0, time.monotonic()

    def update(report: ReceiveReport) -> None:
        nonlocal before, then
        now = time.monotonic()
        rate = (report.records - before) / max(now - then, 1e-9)
        before, then = report.records, now
        print(f"\r\x1b[K{_line(report, rate)}", end="", file=sys.stderr, flush=True)

    return update


def _now_and_then() -> Callable[[ReceiveReport], None]:
    before, then, said = 0, time.monotonic(), ""

    def update(report: ReceiveReport) -> None:
        nonlocal before, then, said
        now = time.monotonic()
        if report.lake != said:
            said = report.lake
            print(f"warning: {said}" if said else "The lake takes records again.", file=sys.stderr, flush=True)
        if now - then < SECONDS_BETWEEN_LINES or report.records == before:
            return
        print(_line(report, (report.records - before) / (now - then)), file=sys.stderr, flush=True)
        before, then = report.records, now

    return update


def _line(report: ReceiveReport, rate: float) -> str:
    text = f"{report.records:,} records, {rate:,.0f}/s, {report.in_lake:,} in the lake, spool {size(report.spool)}"
    return f"{text}; {report.lake}" if report.lake else text
