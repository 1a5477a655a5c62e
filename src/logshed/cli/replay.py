"""``logshed replay``: stored records come again, in less time than they took."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import hot, live_map, replaying
from logshed.cli import replay_options as options
from logshed.cli.commands import LakeOption, add
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from logshed.pipeline.replay_hot import HotRecords
    from logshed.pipeline.replay_records import LakeRecords
    from logshed.pipeline.replay_sinks import Payload, Sink
    from logshed.pipeline.replay_words import Words

MAP = "map"
EXAMPLES = (
    "logshed replay --since 2026-11-20 --until 2026-11-21 --duration 5m",
    "logshed replay --since 24h --speed 60 --collection shop --to syslog+tcp://127.0.0.1:5514",
    "logshed replay --since 2026-11-20 --duration 1m --where 'http_response_status_code >= 500' --as json",
    "logshed replay --since 7d --duration 2m | logshed ingest - --lake again",
    "logshed replay --since 2026-11-20 --duration 10m --start-at 40% --loop --to replayed.log",
)


class Form(StrEnum):
    """How a record is emitted."""

    LINE = "line"
    JSON = "json"


class From(StrEnum):
    """Where records come from."""

    LAKE = "lake"
    LIVE = "live"


def register(app: typer.Typer) -> None:
    """Add the command."""
    add(app, "replay", replay, examples=EXAMPLES)


def replay(
    *,
    since: options.SinceOption = None,
    until: options.UntilOption = None,
    tz: options.ZoneOption = None,
    duration: options.DurationOption = None,
    speed: options.SpeedOption = None,
    collection: options.CollectionOption = None,
    where: options.WhereOption = None,
    to: Annotated[
        str,
        typer.Option(metavar="PLACE", help="-, a file, syslog://HOST:PORT, syslog+tcp://…, http://…, https://…, map."),
    ] = "-",
    form: Annotated[Form, typer.Option("--as", help="The line as received, redacted; or all columns.")] = Form.LINE,
    source: Annotated[From, typer.Option("--from", help="The lake, or the hot store.")] = From.LAKE,
    start_at: Annotated[
        str | None, typer.Option(metavar="40%|TIME", help="Leave out what is before.", show_default=False)
    ] = None,
    loop: options.LoopOption = False,
    lake: LakeOption = None,
    redis: hot.RedisOption = None,
) -> None:
    """Emit stored records again, in the order and at the pace of their times, in less time: a day in five minutes.

    On a terminal the space bar pauses, ← and → move by 5 %, Home begins anew, l loops and q ends; without one, the
    signal SIGUSR1 pauses and goes on.
    """
    if to == MAP:
        if source is From.LIVE or start_at:
            cause = "the hot store's lines have no places, and a map begins at the beginning"
            raise UsageError(f"cannot use --from live or --start-at with --to map: {cause}; leave them out")
        live_map.live_map(
            replay=True, since=since, until=until, tz=tz, duration=duration, speed=speed, collection=collection,
            where=where, loop=loop, lake=lake,
        )  # fmt: skip
        return
    from logshed.pipeline.replay_words import Words  # noqa: PLC0415 - heavy
    from logshed.settings import Settings  # noqa: PLC0415 - as above

    zone = tz or Settings.load().timezone or "UTC"
    words = Words(since, until, duration, speed, tuple(collection or ()), where, zone)
    with _records(words, source, form, lake, redis) as records:
        _play(words, records, to, form, start_at, loop=loop)
        outside = 0 if since and until else records.outside()
    if outside:
        print(f"Left out, as their lines tell no time and they were not read in it: {outside:,}.", file=sys.stderr)
    if records.without_line:
        told = f"Came as JSON, as their lines rest no more: {records.without_line:,}; --as json gives all so."
        print(told, file=sys.stderr)


def _play(
    words: Words, records: LakeRecords | HotRecords, to: str, form: Form, start_at: str | None, *, loop: bool
) -> None:
    from logshed.pipeline.replay import Replay  # noqa: PLC0415 - heavy
    from logshed.pipeline.replay_sinks import opened  # noqa: PLC0415 - as above

    window = words.window(records)
    share = words.share(start_at, window)
    keys = replaying.Keys(_terminal())
    status = replaying.Status(words.zone, shared=to == "-" and sys.stdout.isatty())
    sink = _Announced(opened(to, form.value), status)
    played = Replay(records, window, sink, share, loop, keys, status.update)
    if keys.attended and sys.stderr.isatty():
        print(replaying.HINT, file=sys.stderr)
    gc.freeze()  # else what was loaded is looked through now and then, which takes longer than a record may be late
    try:
        with keys.taken():
            played.run()
    except KeyboardInterrupt:
        status.clear()
        print(replaying.told(played.report), file=sys.stderr)
        raise
    finally:
        status.clear()
    print(replaying.told(played.report), file=sys.stderr)


@contextmanager
def _records(
    words: Words, source: From, form: Form, lake: Path | None, redis: str | None
) -> Iterator[LakeRecords | HotRecords]:
    """Where the records come from, for as long as they are read."""
    from logshed.pipeline.replay_hot import HotRecords  # noqa: PLC0415 - heavy
    from logshed.pipeline.replay_records import LakeRecords  # noqa: PLC0415 - as above

    if source is From.LIVE:
        with hot.opened(hot.settings_for(redis)) as store:
            yield HotRecords(store, words.wanted, form.value)
        return
    from logshed.api import Lake  # noqa: PLC0415 - heavy

    yield LakeRecords(Lake.open(lake).query, words.wanted, form.value)


class _Announced:
    """A sink before whose records the status line makes room."""

    def __init__(self, sink: Sink, status: replaying.Status) -> None:
        self._sink, self._status = sink, status

    def make(self, records: pl.DataFrame) -> Payload:
        """As in ``replay_sinks.Sink``."""
        return self._sink.make(records)

    def send(self, payload: Payload, first: int, last: int) -> None:
        """As in ``replay_sinks.Sink``."""
        self._status.before_records()
        self._sink.send(payload, first, last)

    def close(self) -> None:
        """As in ``replay_sinks.Sink``."""
        self._sink.close()


def _terminal() -> int | None:
    """The terminal that keys come from: standard input, if it is one."""
    return sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
