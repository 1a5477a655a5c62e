"""Upkeep of the hot store: trimming it, and rebuilding it from the lake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from logshed.cli import hot, output, progress
from logshed.cli.cells import several
from logshed.cli.commands import JsonOption, LakeOption, add


def register(group: typer.Typer) -> None:
    """Add the commands."""
    add(group, "trim", trim, examples=("logshed live trim --share 50",))
    add(
        group,
        "rebuild",
        rebuild,
        examples=("logshed live rebuild --from-lake --since 24h", "logshed live rebuild --since all"),
    )


def trim(
    *,
    redis: hot.RedisOption = None,
    share: Annotated[float, typer.Option(metavar="PCT", min=0, max=100, help="Lines that go, of a hundred.")] = 10.0,
    as_json: JsonOption = False,
) -> None:
    """Take away lines, the oldest of the collections that have most; counters stay as they are."""
    with hot.opened(hot.settings_for(redis)) as store:
        gone = store.trim(share / 100)
        used, _ = store.memory()
    if as_json:
        output.document({"trimmed": gone, "memory_bytes": used})
    else:
        print(f"{gone:,} lines trimmed; counters are as they were")


def rebuild(
    *,
    redis: hot.RedisOption = None,
    lake: LakeOption = None,
    from_lake: Annotated[bool, typer.Option("--from-lake", help="From the lake: there is no other way yet.")] = True,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="T", help="Records of then and later: `24h`, `all`; [live] hours unless given.", show_default=False
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Empty the hot store and fill it from the lake: lines, counters and places are what the lake says."""
    from logshed.api import Lake  # noqa: PLC0415 - heavy
    from logshed.queries.times import moment  # noqa: PLC0415 - not for `--help`

    del from_lake
    settings = hot.settings_for(redis)
    now = datetime.now(UTC)
    begin = moment(since, now=now) if since else now - timedelta(hours=settings.live.hours)
    done = Lake.open(lake, settings=settings).rebuild_live(begin, progress.now_and_then(_line))
    if as_json:
        output.document({"records": done.records, "collections": done.collections, "since": begin.isoformat()})
    else:
        of = several(done.collections, "collection")
        print(f"{done.records:,} records of {of} are in the hot store, as the lake has them")


def _line(done: int, total: int) -> str:
    return f"{done:,} of {total:,} records"
