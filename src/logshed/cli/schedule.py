"""``logshed schedule``: runs commands by the clock, as logshed.toml says."""

from __future__ import annotations

import signal
import sys
from datetime import UTC, datetime
from enum import StrEnum
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import tables, terminal
from logshed.cli.commands import FAILED, JsonOption, LakeOption, add
from logshed.errors import BusyError, LogshedError, SettingsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.api import Lake
    from logshed.pipeline.schedule_state import Due
    from logshed.schedule_settings import Schedule

EXAMPLES = (
    "logshed schedule                  # until Ctrl-C or SIGTERM; see docs/schedule.md for systemd",
    "logshed schedule --once           # what is due now, from a line of cron",
    "logshed schedule list",
    "logshed schedule run nightly      # now, whatever the clock says",
)
COLUMNS = ("name", "cron", "timezone", "run", "next", "last", "outcome", "exit_code", "seconds")


class Do(StrEnum):
    """What to do."""

    START = "start"
    LIST = "list"
    RUN = "run"


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "schedule", schedule, examples=EXAMPLES)


def schedule(
    do: Annotated[Do, typer.Argument(help="Run by the clock, list what there is, or run one now.")] = Do.START,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Which one to run.", show_default=False)] = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="Run what is due now, and end.")] = False,
    lake: LakeOption = None,
    as_json: JsonOption = False,
    due: Annotated[str, typer.Option(hidden=True)] = "",
    missed: Annotated[int, typer.Option(hidden=True)] = 0,
    attempt: Annotated[int, typer.Option(hidden=True)] = 1,
) -> None:
    """Run commands by the clock, as [[schedule]] of logshed.toml says: one run at a time of each, missed ones once.

    Each run is a process of its own and an entry of the audit trail. One that fails stops no other.
    """
    from logshed.api import Lake  # noqa: PLC0415 - heavy
    from logshed.pipeline.schedule_state import Due  # noqa: PLC0415 - wanted here only

    if (name is None) == (do is Do.RUN):
        raise UsageError(f"cannot {do.value}: {'there is no name' if name is None else 'it takes no name'}; see --help")
    if as_json and do is not Do.LIST:
        raise UsageError(f"cannot {do.value} with --json: only list knows it; leave it out")
    there = Lake.open(lake, check=False)
    _check(there.settings.schedule)
    if do is Do.LIST:
        _list(there, as_json=as_json)
        return
    there = Lake.open(there.root, create=True, settings=there.settings)
    if name is not None:
        raise typer.Exit(_run(there, name, Due(datetime.fromisoformat(due), missed, attempt) if due else None))
    _start(there, once=once)


def _check(schedules: Sequence[Schedule]) -> None:
    """Refuse words that their commands do not know, before anything runs."""
    from typer.exceptions import TyperException  # noqa: PLC0415 - wanted here only
    from typer.main import get_command  # noqa: PLC0415 - wanted here only

    from logshed.cli.app import app  # noqa: PLC0415 - it imports this module

    for number, one in enumerate(schedules):
        command: Any = get_command(app)
        words, path = one.words, "logshed"
        try:
            context = command.make_context(path, [], resilient_parsing=True)
            while hasattr(command, "resolve_command"):
                found, command, words = command.resolve_command(context, words)
                path = f"{path} {found}"
                context = command.make_context(path, list(words), parent=context, resilient_parsing=False)
        except (TyperException, typer.Exit) as error:
            raise SettingsError(
                f"cannot use logshed.toml: schedule.{number}.run: {error}; see `{path} --help`"
            ) from None


def _list(lake: Lake, *, as_json: bool) -> None:
    from logshed.pipeline.scheduling import listed  # noqa: PLC0415 - wanted here only

    rows = listed(lake.settings, lake.root, datetime.now(UTC))
    if as_json:
        import orjson  # noqa: PLC0415 - only for --json

        print(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    shown = [["" if row[column] is None else row[column] for column in COLUMNS] for row in rows]
    terminal.page(tables.table(COLUMNS, shown, terminal.width()))


def _run(lake: Lake, name: str, due: Due | None) -> int:
    """Run one, note it, and give its exit code."""
    from logshed.pipeline.schedule_run import run  # noqa: PLC0415 - wanted here only
    from logshed.pipeline.scheduling import BUSY, chosen  # noqa: PLC0415 - wanted here only

    book = chosen(lake.settings, lake.root, name)
    try:
        done = run(book, lake.root, due)
    except BusyError:
        if due is None:
            raise
        return BUSY
    if done is None:
        return BUSY
    from logshed.pipeline.schedule_trail import note  # noqa: PLC0415 - heavy

    try:
        note(book.schedule, done, lake.root, lake.settings)
    except LogshedError as error:  # it ran, and what came of it is what counts
        print(f"warning: {error}", file=sys.stderr)
    state = done.state
    _tell(f"{name}: {state.outcome} after {state.seconds:,.1f} s")
    return state.exit_code or 0


def _start(lake: Lake, *, once: bool) -> None:
    from logshed.pipeline.scheduling import Scheduler, books  # noqa: PLC0415 - wanted here only

    scheduler = Scheduler(books(lake.settings, lake.root), lake.root, _tell)
    stop, wake = Event(), Event()

    def handle(*_: object) -> None:
        if stop.is_set():
            scheduler.end()
        else:
            _tell("waits for what runs; once more ends it")
        stop.set()
        wake.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    signal.signal(signal.SIGCHLD, lambda *_: wake.set())
    if once:
        if scheduler.once():
            raise typer.Exit(FAILED)
        return
    _tell(f"runs {len(scheduler.books)} by the clock")
    scheduler.forever(stop, wake)


def _tell(text: str) -> None:
    print(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {text}", flush=True)
