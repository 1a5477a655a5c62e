"""``logshed live map``: a page with a map of the world on which requests appear as they happen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import hot
from logshed.cli import replay_options as options
from logshed.cli.commands import CertificateOption, KeyOption, LakeOption, add
from logshed.errors import DoorError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.access import Tokens
    from logshed.doors.serving import Door
    from logshed.pipeline.replay_events import ReplayEvents
    from logshed.settings import Settings

EXAMPLES = (
    "logshed live map --no-tokens                     # for who is on this machine",
    "logshed token create --collection '*' && logshed live map",
    "logshed live map --replay --since 2026-11-20 --duration 5m --loop --no-tokens",
    "logshed live map --listen 0.0.0.0:8610 --certificate door.pem --key door.key",
)


def register(group: typer.Typer) -> None:
    """Add the command."""
    add(group, "map", live_map, examples=EXAMPLES)


def live_map(
    *,
    redis: hot.RedisOption = None,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where it is served.")] = "127.0.0.1:8610",
    tokens: Annotated[
        bool, typer.Option(help="Let in by tokens alone; without them whoever is on this machine, and nobody else.")
    ] = True,
    certificate: CertificateOption = None,
    key: KeyOption = None,
    replay: Annotated[bool, typer.Option("--replay", help="Show a lake's records again, not what comes now.")] = False,
    since: options.SinceOption = None,
    until: options.UntilOption = None,
    tz: options.ZoneOption = None,
    duration: options.DurationOption = None,
    speed: options.SpeedOption = None,
    collection: options.CollectionOption = None,
    where: options.WhereOption = None,
    loop: options.LoopOption = False,
    lake: LakeOption = None,
) -> None:
    """Serve a map of the world with requests as they happen.

    It shows what comes into the hot store: by `logshed live import`, or by any ingest or collector where `[live]
    enabled` is set. A token (`logshed token create`) shows its collections and nothing of others. With --replay it
    shows records of a lake again, in less time (docs/replay.md); it begins when somebody looks.
    """
    try:
        from logshed.doors.serving import Certificate, Door  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise DoorError(f"cannot serve a map: {error.name} is not installed; pip install 'logshed[web]'") from None
    from logshed.access import Tokens  # noqa: PLC0415 - not for `--help`

    if (certificate is None) != (key is None):
        raise UsageError("cannot serve HTTPS: a certificate needs its key; give both --certificate and --key")
    settings = hot.settings_for(redis)
    known = Tokens(settings.tokens) if tokens else None
    files = Certificate(certificate, key) if certificate and key else None
    asked: dict[str, Any] = {"since": since, "until": until, "duration": duration, "speed": speed, "where": where}
    asked |= {"collections": tuple(collection or ()), "timezone": tz}
    if not replay and (loop or lake or any(asked.values())):
        raise UsageError("cannot choose a time, records or a lake of what comes now; give --replay, too")
    if replay:
        events = _replayed(settings, asked, lake, loop=loop)
        door = Door(events, None, known, listen=listen, certificate=files)
        events.begins = lambda: door.feed.watching > 0
        _serve(door, known, encrypted=files is not None)
        return
    with hot.opened(settings) as store:
        door = Door(store.subscriber(), store, known, listen=listen, certificate=files)
        _serve(door, known, encrypted=files is not None)


def _serve(door: Door, known: Tokens | None, *, encrypted: bool) -> None:
    """Say where it is, and serve until Ctrl-C."""
    print(f"The map is at {door.url} (Ctrl-C ends it)", flush=True)
    if known is not None and not known.list():
        print("No token opens it yet: logshed token create --collection '*'", file=sys.stderr)
    if not (encrypted or door.local):
        print("It is served without HTTPS, so tokens can be read on the way: see --certificate", file=sys.stderr)
    door.run()


def _replayed(settings: Settings, asked: dict[str, Any], lake: Path | None, *, loop: bool) -> ReplayEvents:
    """Records of a lake again."""
    from logshed.api import Lake  # noqa: PLC0415 - heavy
    from logshed.pipeline.replay_events import ReplayEvents  # noqa: PLC0415 - as above
    from logshed.pipeline.replay_records import LakeRecords  # noqa: PLC0415 - as above
    from logshed.pipeline.replay_words import Words  # noqa: PLC0415 - as above

    words = Words(**{**asked, "timezone": asked["timezone"] or settings.timezone or "UTC"})
    records = LakeRecords(Lake.open(lake, settings=settings).query, words.wanted)
    return ReplayEvents(records, words.window(records), loop)
