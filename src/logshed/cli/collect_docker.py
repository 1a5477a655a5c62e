"""``logshed collect docker``, and what looks at containers without a lake: status, logs, errors, save, health."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from logshed.cli import cells, collecting, output, tables, terminal
from logshed.cli.commands import FAILED, JsonOption, LakeOption, add
from logshed.errors import UsageError

if TYPE_CHECKING:
    from logshed.pipeline.containers import Containers

HostOption = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        help="`ssh://user@host:port`, `host`, or of this machine `local`, `unix:///path`, `context:NAME`; may be given "
        "again. Else those of the settings.",
        show_default=False,
    ),
]
ContainerOption = Annotated[
    list[str] | None,
    typer.Option("--container", metavar="NAME", help="Only this one; may be given again.", show_default=False),
]
HoursOption = Annotated[
    float | None, typer.Option("--hours", min=0, help="From so many hours ago on; 1 unless given.", show_default=False)
]
HoursArgument = Annotated[float, typer.Argument(metavar="[HOURS]", min=0, help="From so many hours ago on.")]
SaveOption = Annotated[
    Path | None,
    typer.Option("--save", metavar="FILE", help="Write a JSON file instead of the spool.", show_default=False),
]
ToOption = Annotated[
    Path | None, typer.Option("--to", metavar="FILE", help="Where to; else a name with the time.", show_default=False)
]
AcceptOption = Annotated[bool, typer.Option("--accept-new", help="Record the key of a host that is not known yet.")]
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
COLUMNS = ("host", "container", "image", "state", "status", "cpu", "memory")


def register(group: typer.Typer) -> None:
    """Add the commands to ``logshed collect``."""
    add(
        group,
        "docker",
        docker,
        examples=(
            "logshed collect docker --host ssh://deploy@web1 --follow --into-lake",
            "logshed collect docker --host local --container shop --hours 24 --save shop.json",
        ),
    )
    add(group, "status", status, examples=("logshed collect status --host ssh://deploy@web1",))
    add(group, "logs", logs, examples=("logshed collect logs 2 --host ssh://deploy@web1",))
    add(group, "errors", errors, examples=("logshed collect errors 24",))
    add(group, "container", container, examples=("logshed collect container shop 2",))
    add(group, "save", save, examples=("logshed collect save 24 --to logs.json",))
    add(group, "health", health, examples=("logshed collect health",))


def docker(
    host: HostOption = None,
    container: ContainerOption = None,
    hours: HoursOption = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="T", help="From then on: a time, or `90m`, `2d` ago.", show_default=False),
    ] = None,
    *,
    follow: collecting.FollowOption = False,
    into_lake: collecting.IntoLakeOption = False,
    lake: LakeOption = None,
    save: SaveOption = None,
    collection: collecting.CollectionOption = None,
    accept_new: AcceptOption = False,
    as_json: JsonOption = False,
) -> None:
    """Collect what containers write, over SSH or of this machine: read-only, and the next time from there on."""
    start = begin(hours, since, time.time())
    if save is not None:
        if follow or into_lake:
            raise UsageError("cannot --save what is followed or goes into a lake; leave one of them out")
        written = _containers(host, container, accept_new=accept_new).save(start, save)
        _say({"saved": str(written)}, f"Saved {written}.", as_json=as_json)
        return
    from logshed.lake.secret import lake_secret  # noqa: PLC0415 - not for `--help`
    from logshed.pipeline.planning import Options  # noqa: PLC0415 - heavy
    from logshed.settings import Settings  # noqa: PLC0415 - as above
    from logshed.sources import docker as source  # noqa: PLC0415 - as above
    from logshed.sources import places  # noqa: PLC0415 - as above

    settings = Settings.load()
    found = places.places(settings, host or (), container or (), accept_new=accept_new)
    settings.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    feeds = places.dockers(found, lake_secret(settings.spool), since=source.moment(start), follow=follow)
    options = Options(collection=collection or settings.collection)
    collecting.run(feeds, settings, options, into_lake=into_lake, lake=lake, as_json=as_json)


def status(host: HostOption = None, *, accept_new: AcceptOption = False, as_json: JsonOption = False) -> None:
    """Show the containers of the hosts and what they take."""
    found = _containers(host, None, accept_new=accept_new)
    rows = found.status()
    if as_json:
        output.document({"containers": rows, "failed": found.failed})
    else:
        shown = [tuple(str(row[column]) for column in COLUMNS) for row in rows]
        terminal.page(tables.table(COLUMNS, shown, terminal.width()))
        _tell_failed(found)
    _exit(found)


def logs(
    hours: HoursArgument = 1,
    *,
    host: HostOption = None,
    accept_new: AcceptOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print what all containers wrote, redacted."""
    _print(_containers(host, None, accept_new=accept_new), hours, as_json=as_json)


def errors(
    hours: HoursArgument = 1,
    *,
    host: HostOption = None,
    accept_new: AcceptOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print the errors of all containers, redacted, and how many each has."""
    _print(_containers(host, None, accept_new=accept_new), hours, as_json=as_json, only_errors=True)


def container(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The container.")],
    hours: HoursArgument = 1,
    *,
    host: HostOption = None,
    accept_new: AcceptOption = False,
    as_json: JsonOption = False,
) -> None:
    """Print what one container wrote, redacted."""
    _print(_containers(host, [name], accept_new=accept_new), hours, as_json=as_json)


def save(
    hours: HoursArgument = 1,
    *,
    to: ToOption = None,
    host: HostOption = None,
    accept_new: AcceptOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write what all containers wrote, redacted, to a JSON file."""
    written = _containers(host, None, accept_new=accept_new).save(begin(hours, None, time.time()), to)
    _say({"saved": str(written)}, f"Saved {written}.", as_json=as_json)


def health(host: HostOption = None, *, accept_new: AcceptOption = False, as_json: JsonOption = False) -> None:
    """Say whether each host can be collected from; exit with 1 where one cannot."""
    found = _containers(host, None, accept_new=accept_new).health()
    lines = [
        f"{one['host']}: {'ok, ' + str(one['containers']) + ' containers' if one['ok'] else one['problem']}"
        for one in found["hosts"]
    ]
    _say(found, "\n".join(lines), as_json=as_json)
    if not found["healthy"]:
        raise typer.Exit(FAILED)


def begin(hours: float | None, since: str | None, now: float) -> float:
    """From when on to collect, in seconds since 1970.

    Raises:
        UsageError: It is no time, or both are given.
    """
    if since is None:
        return max(now - 3600 * (1 if hours is None else hours), 0)
    if hours is not None:
        raise UsageError("cannot use --hours and --since together; leave one of them out")
    if since[:-1].isascii() and since[:-1].isdigit() and since[-1] in _UNITS and len(since) < len("1000000000s"):
        return max(now - int(since[:-1]) * _UNITS[since[-1]], 0)
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        shown = repr(since[:80])
        raise UsageError(f"cannot use --since {shown}: that is no time; write 2026-01-05T10:00:00Z, or 90m") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1), 0)


def _containers(host: list[str] | None, container: list[str] | None, *, accept_new: bool) -> Containers:
    from logshed.pipeline.containers import Containers  # noqa: PLC0415 - not for `--help`
    from logshed.settings import Settings  # noqa: PLC0415 - as above
    from logshed.sources import places  # noqa: PLC0415 - as above

    settings = Settings.load()
    return Containers(settings, places.places(settings, host or (), container or (), accept_new=accept_new))


def _print(found: Containers, hours: float, *, as_json: bool, only_errors: bool = False) -> None:
    entries = found.entries(begin(hours, None, time.time()), only_errors=only_errors)
    if as_json:
        output.document({"containers": entries, "failed": found.failed})
    else:
        for name, own in entries.items():
            for entry in own:
                print(cells.shown(f"{entry['timestamp']} {name} {entry['message']}"))
        _tell_failed(found)
    _exit(found)


def _tell_failed(found: Containers) -> None:
    for name, text in found.failed.items():
        print(cells.shown(f"error: {name}: {text}"), file=sys.stderr)


def _exit(found: Containers) -> None:
    if found.nothing:
        raise typer.Exit(FAILED)


def _say(document: dict[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        output.document(document)
    else:
        print(cells.shown(text))
