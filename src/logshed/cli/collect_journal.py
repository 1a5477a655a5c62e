"""``logshed collect journal``: systemd's journal of other hosts or of this machine."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from logshed.cli import collecting
from logshed.cli.collect_docker import begin
from logshed.cli.collect_tail import AcceptOption, HostOption, chosen
from logshed.cli.commands import JsonOption, LakeOption, add


def register(group: typer.Typer) -> None:
    """Add the command to ``logshed collect``."""
    add(
        group,
        "journal",
        journal,
        examples=(
            "logshed collect journal --host web1 --unit nginx.service --follow --into-lake",
            "logshed collect journal --since 2d",
        ),
    )


def journal(
    host: HostOption = None,
    *,
    unit: Annotated[
        list[str] | None,
        typer.Option("--unit", metavar="NAME", help="Only of this unit; may be given again.", show_default=False),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="T", help="Of a new journal only from then on: a time, or `90m`, `2d` ago.", show_default=False
        ),
    ] = None,
    directory: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Journal files in a folder; else the machine's own.", show_default=False),
    ] = None,
    follow: collecting.FollowOption = False,
    into_lake: collecting.IntoLakeOption = False,
    lake: LakeOption = None,
    collection: collecting.CollectionOption = None,
    accept_new: AcceptOption = False,
    as_json: JsonOption = False,
) -> None:
    """Collect systemd's journal, over SSH or of this machine: read-only, and the next time from there on."""
    from logshed.pipeline.planning import Options  # noqa: PLC0415 - heavy
    from logshed.settings import Settings  # noqa: PLC0415 - not for `--help`
    from logshed.sources import places  # noqa: PLC0415 - as above
    from logshed.sources.journal import Journal  # noqa: PLC0415 - as above

    settings = Settings.load()
    found = chosen(settings, host, accept_new=accept_new) if host else places.places(settings, [places.LOCAL])
    start = None if since is None else int(begin(None, since, time.time()))
    feeds = [
        Journal(
            places.host(one),
            units=unit or (),
            since=start,
            directory=directory or "",
            follow=follow,
            limits=places.limits(one),
        )
        for one in found
    ]
    options = Options(collection=collection or settings.collection)
    collecting.run(feeds, settings, options, into_lake=into_lake, lake=lake, as_json=as_json)
