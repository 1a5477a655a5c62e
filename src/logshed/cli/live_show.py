"""What the hot store holds: collections, lines, places, countries; and its lines as they come."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import charts, hot, output, tables, terminal
from logshed.cli.cells import several, shown
from logshed.cli.commands import JsonOption, add
from logshed.cli.progress import size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from logshed.live.events import Event
    from logshed.settings import Settings

CollectionArgument = Annotated[str, typer.Argument(metavar="ID", help="The collection.")]
TopOption = Annotated[int, typer.Option("--top", metavar="N", min=1, help="So many, the largest.")]


def register(group: typer.Typer) -> None:
    """Add the commands."""
    add(group, "known", known, examples=("logshed live known", "logshed live known --top 1000 --json"))
    add(
        group,
        "show",
        show,
        examples=("logshed live show 1824", "logshed live show 1824 --since 10m --raw | goaccess -"),
    )
    add(
        group,
        "tail",
        tail,
        examples=("logshed live tail 1824 1825", "logshed live tail 1824 --where 'http_response_status_code >= 500'"),
    )
    add(group, "locations", locations, examples=("logshed live locations 1824 --top 20",))
    add(group, "countries", countries, examples=("logshed live countries --collection 1824",))
    add(group, "stats", stats, examples=("logshed live stats",))


def known(*, redis: hot.RedisOption = None, top: TopOption = 50, as_json: JsonOption = False) -> None:
    """List the collections by their hits."""
    with hot.opened(hot.settings_for(redis)) as store:
        found = store.known()
        _warn(store.rebuilding())
    if as_json:
        output.document([{"collection": name, "hits": hits} for name, hits in found[:top]])
        return
    _bars("no collection has a hit yet; see `logshed live import --help`", found[:top])
    if len(found) > top:
        print(f"… and {len(found) - top:,} more collections; --top shows more")


def show(
    collection: CollectionArgument,
    *,
    redis: hot.RedisOption = None,
    last: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="So many, the newest; 100 unless --since is given.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="T", help="From then on: `10m`, or a time.", show_default=False)
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Only the lines, without their times.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the newest lines of a collection, in the order of their own time."""
    begin = _moment(since)
    most = last or (None if since else 100)
    with hot.opened(hot.settings_for(redis)) as store:
        rows = store.lines(collection, last=most, since=begin)
        count = terminal.page(_texts(rows, raw=raw, as_json=as_json))
    if not count and not as_json:
        print(f"no lines of {collection} there; `logshed live known` lists the collections", file=sys.stderr)


def tail(
    collections: Annotated[list[str], typer.Argument(metavar="ID...", help="The collections.")],
    *,
    redis: hot.RedisOption = None,
    match: Annotated[
        str | None, typer.Option(metavar="REGEX", help="Only lines in which this is found.", show_default=False)
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="SQL", help="Only records for which this holds, over columns of `logs`.", show_default=False
        ),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="Only the lines, without their times.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the lines of some collections as they come, until Ctrl-C."""
    from logshed.pipeline.live_filter import LiveFilter  # noqa: PLC0415 - heavy

    settings = hot.settings_for(redis)
    with hot.opened(settings) as store:
        samples = [line for one in collections for _, line in store.lines(one, last=200)] if where else []
    chosen = LiveFilter(settings, match or "", where or "", samples)
    with contextlib.suppress(asyncio.CancelledError):
        asyncio.run(_tail(settings, collections, chosen, raw=raw, as_json=as_json))


async def _tail(settings: Settings, collections: Sequence[str], chosen: Any, *, raw: bool, as_json: bool) -> None:
    from logshed.live.subscriber import Subscriber  # noqa: PLC0415 - an extra

    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM):
        if task is not None:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    async for events in Subscriber(settings.live).batches(collections):
        kept: list[Event] = chosen.of(events)
        several = len(collections) > 1
        for text in _texts(((one.at, one.line) for one in kept), raw=raw, as_json=as_json):
            print(f"{shown(kept[0].collection)}  {text}" if several and not (raw or as_json) else text, flush=True)


def locations(
    collection: CollectionArgument, *, redis: hot.RedisOption = None, top: TopOption = 20, as_json: JsonOption = False
) -> None:
    """Show where most records of a collection came from, as country, region and town."""
    with hot.opened(hot.settings_for(redis)) as store:
        found = store.locations(collection, top)
    if as_json:
        output.document([{"place": place, "count": count} for place, count in found])
        return
    _bars(f"no record of {collection} has come; `logshed live known` lists the collections", found)


def countries(
    *,
    redis: hot.RedisOption = None,
    collection: Annotated[
        str | None, typer.Option("--collection", metavar="ID", help="Only of this one.", show_default=False)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show from which countries records came, and what share of each is of the collection."""
    with hot.opened(hot.settings_for(redis)) as store:
        all_of = store.countries()
        found = store.countries(collection) if collection else all_of
    total, whole = sum(count for _, count in found), dict(all_of)
    rows = [
        {"country": code, "count": count, "share": count / total, "share_of_country": count / whole[code]}
        for code, count in found
    ]
    if as_json:
        output.document(rows)
        return
    if not rows:
        print("no record has a country; a database of places brings them: docs/enrichment.md", file=sys.stderr)
        return
    columns = ["country", "records", "share", *(["of all from there"] if collection else [])]
    values = [
        [
            row["country"],
            row["count"],
            f"{row['share']:.1%}",
            *([f"{row['share_of_country']:.1%}"] if collection else []),
        ]
        for row in rows
    ]
    terminal.page(tables.table(columns, values, terminal.width()))


def stats(*, redis: hot.RedisOption = None, as_json: JsonOption = False) -> None:
    """Show how much the hot store holds, and within which bounds."""
    settings = hot.settings_for(redis)
    with hot.opened(settings) as store:
        sizes, all_known = store.sizes(), store.known()
        used, most = store.memory()
        budget, rebuilding = store.budget, store.rebuilding()
    told = {
        "collections": len(all_known),
        "hits": sum(hits for _, hits in all_known),
        "lines": sum(count for _, count in sizes),
        "memory_bytes": used,
        "budget_bytes": budget,
        "maxmemory_bytes": most or None,
        "lines_per_collection": settings.live.lines,
        "hours": settings.live.hours,
        "rebuilding_since": rebuilding or None,
    }
    if as_json:
        output.document(told)
        return
    _warn(rebuilding)
    bound = f" of {size(budget)}" if budget else ", without a bound"
    of = several(len(all_known), "collection")
    print(f"{told['hits']:,} records of {of} counted, {told['lines']:,} lines kept")
    print(f"{size(used)} in use{bound}; {settings.live.lines:,} lines and {settings.live.hours:g} h of a collection")


def _texts(rows: Iterable[tuple[float, str]], *, raw: bool, as_json: bool) -> Iterable[str]:
    import orjson  # noqa: PLC0415 - not for `--help`

    for at, line in rows:
        moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if as_json:
            yield orjson.dumps({"timestamp": moment, "line": line}).decode()
        elif raw:
            yield line
        else:
            yield f"{moment}  {shown(line)}"


def _bars(nothing: str, rows: Sequence[tuple[str, int]]) -> None:
    if not rows:
        print(nothing, file=sys.stderr)
        return
    for text in charts.bars([name for name, _ in rows], [count for _, count in rows], width=terminal.width() or 80):
        print(text)


def _moment(since: str | None) -> float | None:
    from logshed.queries.times import moment  # noqa: PLC0415 - not for `--help`

    return None if since is None else moment(since, now=datetime.now(UTC)).timestamp()


def _warn(rebuilding: str) -> None:
    if rebuilding:
        print(
            f"warning: the hot store is not whole: it is being rebuilt since {rebuilding}, or that was ended; "
            "if so, run `logshed live rebuild` again",
            file=sys.stderr,
        )
