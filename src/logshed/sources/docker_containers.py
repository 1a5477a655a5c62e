"""The containers of a host, as ``docker ps`` and ``docker inspect`` tell them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from logshed.errors import GoneError, SourceError
from logshed.sources import commands
from logshed.sources.hosts import answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from logshed.sources.hosts import Host, Limits

LABELS = {
    "com.docker.compose.service": "service.name",
    "com.docker.compose.project": "service.namespace",
    "org.opencontainers.image.version": "service.version",
}
"""Labels that are resource attributes of their own."""
MOST_LABELS, LABEL_LETTERS = 32, 256
_NOISE = re.compile(
    r"com\.docker\.compose\.(?!service$|project$)|desktop\.docker\.|org\.opencontainers\.image\.(?!version$)"
)
"""Labels that tools write for themselves."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of ``docker ps``.

    Attributes:
        id: The whole id.
        name: The name.
        image: What it was made from.
        state: ``running``, ``exited`` ...
        status: For people: ``Up 5 minutes (healthy)``.
        created: When it was made.
        ports: What it publishes.
    """

    id: str
    name: str
    image: str
    state: str
    status: str
    created: str = ""
    ports: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """A container as it stands.

    Attributes:
        id: The whole id.
        name: Its name.
        image: What it was made from.
        running: Whether it writes.
        started: When it was last started, RFC 3339; tells one run of it from the next.
        finished: When it last ended.
        labels: Its labels.
    """

    id: str
    name: str
    image: str
    running: bool
    started: str
    finished: str
    labels: tuple[tuple[str, str], ...] = ()

    def resource(self, host: str) -> tuple[tuple[str, str], ...]:
        """Resource attributes of its records."""
        found = {
            "container.id": self.id,
            "container.image.name": self.image,
            "container.name": self.name,
            "host.name": host,
        }
        for label, value in self.labels[:MOST_LABELS]:
            found.setdefault(LABELS.get(label, f"container.label.{label}"), value[:LABEL_LETTERS])
        return tuple(sorted(found.items()))


async def listed(host: Host, limits: Limits) -> list[Listed]:
    """All containers of a host, by name.

    Raises:
        SourceError: Docker does not answer, or with what is no list.
    """
    found = []
    for one in _objects(await answer(host, commands.docker_ps(), limits), host.name):
        name = str(one.get("Names", "")).split(",")[0]
        if commands.CONTAINER.fullmatch(name) and re.fullmatch("[0-9a-f]{64}", str(one.get("ID"))):
            rest = (str(one.get(key, "")) for key in ("Image", "State", "Status", "CreatedAt", "Ports"))
            found.append(Listed(str(one["ID"]), name, *rest))
    return sorted(found, key=lambda one: one.name)


async def states(host: Host, wanted: Iterable[Listed], limits: Limits) -> list[Container]:
    """How containers of a list stand; those that are gone by now are left out."""
    names = [one.id for one in wanted]
    if not names:
        return []
    chunks = [names[at : at + commands.MOST_WORDS] for at in range(0, len(names), commands.MOST_WORDS)]
    return [one for chunk in chunks for one in await _states(host, chunk, limits)]


async def _states(host: Host, names: Sequence[str], limits: Limits) -> list[Container]:
    try:
        told = _objects(await answer(host, commands.docker_inspect(names), limits), host.name)
    except GoneError:
        if len(names) == 1:
            return []
        middle = len(names) // 2  # one that is gone spoils the answer of all
        return [*await _states(host, names[:middle], limits), *await _states(host, names[middle:], limits)]
    return [_container(one) for one in told]


def _container(told: dict[str, Any]) -> Container:
    labels = tuple((str(key), str(value)) for key, value in sorted((told.get("labels") or {}).items()))
    return Container(
        id=str(told["id"]),
        name=str(told["name"]).removeprefix("/"),
        image=str(told["image"]),
        running=told["status"] in ("running", "paused", "restarting"),
        started=str(told["started"]),
        finished=str(told["finished"]),
        labels=tuple(one for one in labels if not _NOISE.match(one[0])),
    )


def _objects(answer: bytes, host: str) -> list[dict[str, Any]]:
    try:
        found = [orjson.loads(line) for line in answer.splitlines() if line.strip()]
    except ValueError:
        found = [None]
    if not all(isinstance(one, dict) for one in found):
        raise SourceError(
            f"cannot list the containers of {host}: the answer is not Docker's; see what its login prints"
        )
    return found
