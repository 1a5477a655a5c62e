"""``logshed view`` and ``logshed tap``: look at logs without a lake, and at records on their way."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import terminal
from logshed.cli.cells import shown
from logshed.cli.commands import add, let_interrupts_through
from logshed.cli.reading import (
    EncodingOption,
    FormatNameOption,
    GrokOption,
    LogFormatOption,
    PathsArgument,
    PolicyOption,
    RegexOption,
    TimezoneOption,
    chosen,
    given,
)
from logshed.cli.viewer import Line, Viewer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

VIEW_EXAMPLES = (
    "logshed view /var/log/nginx/access.log /var/log/app/*.log",
    "logshed view app.jsonl --level warn",
    "logshed view /var/log/app --where \"service_name = 'checkout'\" | head -50",
)
TAP_EXAMPLES = (
    "logshed tap app.jsonl --limit 3",
    "logshed tap app.jsonl --stage redacted --stage logs --limit 1",
)
CHUNK_BYTES = 2**20
"""Bytes of each file in hand: many files are open at a time, and the first screen should come at once."""


class Level(StrEnum):
    """The least severity to show."""

    ALL = "all"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class Stage(StrEnum):
    """Where a record can be watched."""

    REDACTED = "redacted"
    PARSED = "parsed"
    KEPT = "kept"
    LOGS = "logs"
    LINES = "lines"


LEAST = {Level.ALL: 0, Level.INFO: 9, Level.WARN: 13, Level.ERROR: 17}
COLOURS = ((21, "1;31"), (17, "31"), (13, "33"), (9, ""), (1, "2"))
"""From which severity on a line has which colour."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    add(app, "view", view, examples=VIEW_EXAMPLES)
    add(app, "tap", tap, examples=TAP_EXAMPLES)


def view(
    paths: PathsArgument,
    *,
    level: Annotated[Level, typer.Option(help="Least severity; HTTP status 400 is warn, 500 error.")] = Level.ALL,
    grep: Annotated[
        str | None, typer.Option(metavar="REGEX", help="Only records that contain it.", show_default=False)
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="Only records for which it is true.", show_default=False)
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="Begin each record with its file's name.")] = False,
    format: FormatNameOption = "auto",  # noqa: A002 - the option's name
    log_format: LogFormatOption = None,
    regex: RegexOption = None,
    grok: GrokOption = None,
    policy: PolicyOption = None,
    encoding: EncodingOption = "auto",
    timezone: TimezoneOption = None,
) -> None:
    """Show files merged by time and coloured by level, without a lake; plain text where it goes into a pipe.

    On a terminal: arrows and page keys move, / searches, n and N repeat it, & filters, l raises the level, e and E go
    to errors, q quits. What the policy forbids is redacted here too.
    """
    from logshed import files  # noqa: PLC0415 - heavy
    from logshed.pipeline.merging import Wanted, merged  # noqa: PLC0415 - heavy

    let_interrupts_through()
    options = given(format=chosen(format, log_format, regex, grok), policy=policy, encoding=encoding, timezone=timezone)
    reader = files.reader(chunk_bytes=CHUNK_BYTES, **options)
    frames = merged(reader, paths, Wanted(LEAST[level], grep, where))
    lines = _lines(frames, names=names)
    if sys.stdout.isatty() and sys.stdin.isatty() and "-" not in paths:
        from logshed.cli.screen import run  # noqa: PLC0415 - only on a terminal

        run(Viewer(lines))
    else:
        terminal.page(_coloured(line) for line in lines)
    reader.check()


def tap(
    paths: PathsArgument,
    *,
    stage: Annotated[
        list[Stage] | None,
        typer.Option(
            help="redacted: records before parsing; parsed: their columns; kept: behind drop rules; logs, lines: as"
            " they go into the tables, behind transforms. May be repeated.",
            show_default="logs",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Records of each stage; 0 shows all.")] = 10,
    format: FormatNameOption = "auto",  # noqa: A002 - the option's name
    log_format: LogFormatOption = None,
    regex: RegexOption = None,
    grok: GrokOption = None,
    policy: PolicyOption = None,
    encoding: EncodingOption = "auto",
    timezone: TimezoneOption = None,
) -> None:
    """Show records at any stage of their way into the lake, as they pass, as JSON lines; nothing is stored.

    The first stage that can be seen is behind redaction: no command shows what the policy forbids.
    """
    from logshed import files  # noqa: PLC0415 - heavy

    let_interrupts_through()
    options = given(format=chosen(format, log_format, regex, grok), policy=policy, encoding=encoding, timezone=timezone)
    reader = files.reader(chunk_bytes=CHUNK_BYTES, **options)
    tapped = _Tap([one.value for one in stage or [Stage.LOGS]], limit)
    for plan in reader.plans(paths):
        for split in plan.splits:
            for _ in reader.frames(split, tapped):
                if tapped.full:
                    return
    reader.check()


class _Tap:
    """Prints rows of some stages, so many of each."""

    def __init__(self, stages: list[str], limit: int) -> None:
        self._left = dict.fromkeys(stages, limit or sys.maxsize)

    @property
    def full(self) -> bool:
        """Whether nothing more is wanted."""
        return not any(self._left.values())

    def __call__(self, stage: str, rows: pl.DataFrame) -> None:
        wanted = rows.head(self._left.get(stage, 0))
        if not wanted.height:
            return
        import polars as pl  # noqa: PLC0415 - heavy

        from logshed.pipeline.ndjson import ndjson  # noqa: PLC0415 - heavy

        self._left[stage] -= wanted.height
        sys.stdout.buffer.write(ndjson(wanted.select(pl.lit(stage).alias("stage"), pl.all())))
        sys.stdout.buffer.flush()


def _lines(frames: Iterator[pl.DataFrame], *, names: bool) -> Iterator[Line]:
    for frame in frames:
        for severity, file, text in frame.select("severity", "file", "text").iter_rows():
            before = f"{file}: " if names else ""
            for physical in text.split("\n"):
                yield Line("\t".join(map(shown, (before + physical).split("\t"))), severity, file)


def _coloured(line: Line) -> str:
    code: Any = next((code for least, code in COLOURS if line.severity >= least), "")
    return f"\x1b[{code}m{line.text}\x1b[0m" if code and terminal.colours() else line.text
