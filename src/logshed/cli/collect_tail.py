"""``logshed collect tail``: files of other hosts or of this machine, as they grow and rotate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from logshed.cli import collecting, reading
from logshed.cli.commands import JsonOption, LakeOption, add
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.settings import Settings
    from logshed.sources.machines import Machine
    from logshed.ssh_settings import Place

WHERE = "where"
"""Name under which lines are counted that ``--where`` leaves out."""

HostOption = Annotated[
    list[str] | None,
    typer.Option(
        "--host",
        metavar="ADDRESS",
        help="`ssh://user@host:port`, `host`, or the name of a [[collect]] of the settings; may be given again. "
        "This machine unless given.",
        show_default=False,
    ),
]
MatchOption = Annotated[
    str | None,
    typer.Option(metavar="REGEX", help="Only lines in which this is found.", show_default=False),
]
CollectionFromOption = Annotated[
    str | None,
    typer.Option(metavar="REGEX", help="Its first group is the line's collection.", show_default=False),
]
KeepUnmatchedOption = Annotated[
    str | None,
    typer.Option(metavar="ID", help="Collection of lines without one; else they are dropped.", show_default=False),
]
WhereOption = Annotated[
    str | None,
    typer.Option(metavar="SQL", help="Only records for which this holds, over columns of `logs`.", show_default=False),
]
AcceptOption = Annotated[bool, typer.Option("--accept-new", help="Record the key of a host that is not known yet.")]


def register(group: typer.Typer) -> None:
    """Add the command to ``logshed collect``."""
    add(
        group,
        "tail",
        tail,
        examples=(
            "logshed collect tail --host web1 --host web2 --path '/var/log/nginx/*.log' --follow --into-lake",
            "logshed collect tail --host web1 --path /var/log/nginx/access.log --collection-from ' ([0-9]+)$'",
            "logshed collect tail --path '/var/log/app/*.log' --follow",
        ),
    )


def tail(
    host: HostOption = None,
    *,
    path: Annotated[
        list[str], typer.Option("--path", metavar="GLOB", help="Files, quoted: the host's, not this shell's.")
    ],
    match: MatchOption = None,
    collection_from: CollectionFromOption = None,
    keep_unmatched: KeepUnmatchedOption = None,
    where: WhereOption = None,
    format: reading.FormatNameOption = "auto",  # noqa: A002 - the option's name
    follow: collecting.FollowOption = False,
    into_lake: collecting.IntoLakeOption = False,
    lake: LakeOption = None,
    collection: collecting.CollectionOption = None,
    accept_new: AcceptOption = False,
    as_json: JsonOption = False,
) -> None:
    """Collect files as they grow and rotate, over SSH or here: read-only, and the next time from there on."""
    from logshed.lake.secret import lake_secret  # noqa: PLC0415 - not for `--help`
    from logshed.pipeline.planning import Options  # noqa: PLC0415 - heavy
    from logshed.redaction.naming import Names  # noqa: PLC0415 - as above
    from logshed.redaction.policy_files import load_policy  # noqa: PLC0415 - as above
    from logshed.settings import Settings  # noqa: PLC0415 - as above
    from logshed.sources.machines import Glob  # noqa: PLC0415 - as above
    from logshed.sources.sorting import Sorting  # noqa: PLC0415 - as above
    from logshed.sources.tail import Tail  # noqa: PLC0415 - as above

    if keep_unmatched and not collection_from:
        raise UsageError("cannot use --keep-unmatched alone: it is for lines in which --collection-from finds nothing")
    if where and not into_lake:
        raise UsageError(
            "cannot use --where without --into-lake: conditions over columns hold where records are parsed; give "
            "--into-lake, or use --match"
        )
    settings = Settings.load()
    globs = [Glob.parse(one) for one in path]
    machines = remote(settings, host, accept_new=accept_new) if host else [local()]
    settings.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = lake_secret(settings.spool)
    names = Names(load_policy(settings.policy, settings.plugins, keys=settings.keys), lambda: key)
    feeds = []
    for machine in machines:
        sorting = Sorting(match or "", collection_from or "", keep_unmatched or "", clean=names.texts)
        sorting.check()
        own = "" if format == "auto" else format
        feeds.append(Tail(machine, globs, key, sorting=sorting, follow=follow, format=own))
    settings = selecting(settings, where, [machine.scheme for machine in machines]) if where else settings
    options = Options(collection=collection or settings.collection)
    collecting.run(feeds, settings, options, into_lake=into_lake, lake=lake, as_json=as_json)


def local() -> Machine:
    """This machine."""
    from logshed.sources.machines import LocalMachine  # noqa: PLC0415 - not for `--help`

    return LocalMachine()


def remote(settings: Settings, hosts: Sequence[str], *, accept_new: bool) -> list[Machine]:
    """Hosts over SSH, by address or by their names in the settings.

    Raises:
        UsageError: An address is none.
    """
    from logshed.sources import places  # noqa: PLC0415 - not for `--help`

    return [places.files(one) for one in chosen(settings, hosts, accept_new=accept_new)]


def chosen(settings: Settings, hosts: Sequence[str], *, accept_new: bool) -> list[Place]:
    """The places that words of a call name.

    Raises:
        UsageError: A word is none.
    """
    from logshed.sources import places  # noqa: PLC0415 - not for `--help`

    set_up = {one.name: one for one in places.places(settings, accept_new=accept_new)} if settings.collect else {}
    found = [
        set_up[text] if text in set_up else places.places(settings, [text], accept_new=accept_new)[0] for text in hosts
    ]
    if local := next((one for one in found if one.docker), None):
        raise UsageError(f"cannot collect files of {local.name}: it is a Docker; leave --host out for this machine")
    if twice := next((one.name for one in found if sum(one.name == other.name for other in found) > 1), None):
        raise UsageError(f"cannot collect from {twice} twice; leave one of them out")
    return found


def selecting(settings: Settings, where: str, schemes: Sequence[str]) -> Settings:
    """The settings with a condition that records of these sources must fulfil; others are dropped and counted.

    Raises:
        UsageError: It does not fit the columns.
    """
    from logshed.pipeline import transforms  # noqa: PLC0415 - heavy
    from logshed.settings import Transform  # noqa: PLC0415 - as above

    own = [
        Transform.model_validate(
            {
                "name": f"{WHERE}-{number}" if number else WHERE,
                "source": scheme.replace("[", "[[]") + "*",
                "filter": where,
            }
        )
        for number, scheme in enumerate(dict.fromkeys(schemes))
    ]
    transforms.check(own)
    return settings.model_copy(update={"transform": (*settings.transform, *own)})
