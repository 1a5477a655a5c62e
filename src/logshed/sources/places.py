"""The places that are collected from, by settings or by the words of a call: hosts, Dockers of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from logshed.errors import UsageError
from logshed.sources import commands
from logshed.sources.docker import Docker
from logshed.sources.host_files import HostFiles
from logshed.sources.hosts import Limits
from logshed.sources.local_docker import LocalDocker
from logshed.sources.remote_files import RemoteFiles
from logshed.sources.sftp_files import SftpFiles
from logshed.sources.ssh import SshHost
from logshed.ssh_settings import Place, Ssh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.settings import Settings
    from logshed.sources.hosts import Host
    from logshed.sources.machines import Machine

_ENGINES = ("unix:", "context:")
LOCAL = "local"


def places(
    settings: Settings, given: Sequence[str] = (), containers: Sequence[str] = (), *, accept_new: bool = False
) -> list[Place]:
    """The places to collect from.

    Args:
        settings: ``[ssh]`` and ``[[collect]]``.
        given: Addresses that the call names; none takes those of the settings.
        containers: Only these of each place.
        accept_new: Whether the keys of hosts that are not known are recorded.

    Raises:
        UsageError: There is none, or a word is none.
    """
    own: dict[str, object] = {"containers": tuple(commands.container(one) for one in containers)} if containers else {}
    own |= {"accept_new": True} if accept_new else {}
    found = [_given(text) for text in given] or [dict(_set(place)) for place in settings.collect]
    if not found and settings.ssh.host:
        found = [{}]
    if not found:
        raise UsageError(
            "cannot collect: no host is named; give --host ssh://user@host, or set LOGSHED_SSH_HOST or [[collect]]"
        )
    shared = _set(settings.ssh)
    whole = [Place.model_validate({**shared, **one, **own}) for one in found]
    if nameless := next((one for one in whole if not one.host and not one.docker), None):
        raise UsageError(f"cannot collect from [[collect]] {nameless.name}: it has no host and no docker; give it one")
    return _named(whole)


def host(place: Place) -> Host:
    """What runs commands at a place."""
    return LocalDocker(place.docker, place.name) if place.docker else SshHost(place, place.name)


def files(place: Place) -> Machine:
    """The files of a place, by the way that its settings choose."""
    there = SshHost(place, place.name)
    shell, sftp = RemoteFiles(there, limits(place)), SftpFiles(there, limits(place))
    ways: dict[str, Machine] = {"shell": shell, "sftp": sftp}
    return ways.get(place.files) or HostFiles(shell, sftp)


def limits(place: Place) -> Limits:
    """How long things may take there."""
    return Limits(place.command_seconds, place.silence_seconds)


def dockers(found: Sequence[Place], key: bytes, *, since: str, follow: bool) -> list[Docker]:
    """The feeds of places.

    Args:
        found: The places.
        key: Key of the digests in cursors.
        since: From when on new containers are read.
        follow: Whether to go on with what comes.
    """
    return [
        Docker(
            host(one),
            key,
            containers=one.containers,
            since=since,
            follow=follow,
            collection=one.collection,
            limits=limits(one),
        )
        for one in found
    ]


def _given(text: str) -> dict[str, object]:
    """A place from a word of the call."""
    local = text == LOCAL or text.startswith(_ENGINES)
    values: dict[str, object] = {"docker": text} if local else {"host": text}
    try:
        Place.model_validate(values)
    except ValidationError as error:
        cause = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"cannot use --host: {cause}") from None
    return values


def _set(model: Ssh) -> dict[str, object]:
    """What was set of a table."""
    return {name: getattr(model, name) for name in model.model_fields_set}


def _named(found: list[Place]) -> list[Place]:
    """Places of which no two have one name: the second has its number behind it."""
    seen: dict[str, int] = {}
    named = []
    for one in found:
        name = host(one).name
        seen[name] = seen.get(name, 0) + 1
        own = name if seen[name] == 1 else f"{name}~{seen[name]}"
        named.append(one.model_copy(update={"name": own}))
    return named
