"""Makes the doors that the settings name: what each is given, and where what comes in by it goes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from logshed.access import Grant
from logshed.doors import senders
from logshed.doors.datagrams import Datagrams
from logshed.doors.guard import EVERYTHING
from logshed.doors.health import HealthDoor
from logshed.doors.http_door import HttpDoor
from logshed.doors.http_limits import HttpLimits
from logshed.doors.listeners import DatagramListener, StreamListener, shown
from logshed.doors.otlp_grpc import GrpcDoor
from logshed.doors.otlp_grpc import Limits as GrpcLimits
from logshed.doors.receive_http import ReceiveApp
from logshed.doors.serving import Certificate
from logshed.doors.streams import Streams
from logshed.errors import OverloadedError, SpoolFullError
from logshed.receive_settings import DatagramDoor, ForwardDoor, StreamDoor
from logshed.receive_settings import GrpcDoor as GrpcSettings
from logshed.receive_settings import HttpDoor as HttpSettings
from logshed.receivers import forward, syslog
from logshed.receivers.model import Came, Decoded
from logshed.storage_settings import secret

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from starlette.routing import Route

    from logshed.access import Tokens
    from logshed.doors.callers import Callers
    from logshed.doors.health import Check
    from logshed.doors.receive_counts import Counts
    from logshed.doors.receive_http import Dead
    from logshed.doors.senders import Sender
    from logshed.receive_settings import Door
    from logshed.receivers.streaming import Talk

FULL_S = 1.0
"""How long a connection is not read after there was no room for what it sent."""
WRITES = frozenset({"write"})


class OpenDoor(Protocol):
    """A door."""

    @property
    def addresses(self) -> Sequence[str]:
        """Hosts and ports, once it is open."""
        ...

    @property
    def connections(self) -> int | None:
        """How many are open; None where that is not known, or there are none."""
        ...

    @property
    def dropped(self) -> int | None:
        """Datagrams for which there was no room; None where there are none."""
        ...

    async def start(self) -> None:
        """Open it."""
        ...

    async def stop(self, grace: float) -> None:
        """Close it."""
        ...


@dataclass(frozen=True, slots=True)
class Given:
    """What doors are given.

    Attributes:
        take: Puts the records of a request on disk.
        tokens: Who may come in.
        callers: Knows them.
        counts: What is counted.
        routes: What else the HTTP door answers.
        dead: Keeps a request that cannot be decoded.
    """

    take: Callable[[Came], Awaitable[None]]
    tokens: Tokens
    callers: Callers
    counts: Counts
    routes: Sequence[Route]
    dead: Dead


def opened(name: str, door: Door, given: Given) -> Iterator[OpenDoor]:
    """The doors of one table of settings; they are not open yet.

    Raises:
        DoorError: A certificate cannot be read.
        SettingsError: A secret cannot be read.
    """
    if isinstance(door, HttpSettings):
        yield Http(door, given)
        return
    for one in door.listen:
        yield _MAKERS[type(door)](name, door, one, given)


class Http:
    """Whatever is spoken over HTTP, on all its addresses."""

    dropped = None

    def __init__(self, door: HttpSettings, given: Given) -> None:
        secrets = {"": secret(door.webhook_secret, "receive.http.webhook_secret")} if door.webhook_secret else {}
        app = ReceiveApp(
            given.take,
            given.tokens if door.knows_clients else None,
            HttpLimits(
                request_bytes=door.request_bytes, inflated_bytes=door.inflated_bytes, connections=door.connections
            ),
            given.routes,
            collection=door.collection or "",
            secrets=secrets,
            dead=given.dead,
            seen=given.counts.request,
            everybody=not door.is_local,
        )
        tls = senders.tls_of(door.certificate, door.key) if door.certificate and door.key else None
        self._door = HttpDoor(app, listen=door.listen, tls=tls, insecure=door.insecure)

    @property
    def addresses(self) -> list[str]:
        """Hosts and ports, once it is open."""
        return [shown(*one) for one in self._door.addresses]

    @property
    def connections(self) -> int:
        """How many are open."""
        return self._door.counts.open

    async def start(self) -> None:
        """Open it."""
        await self._door.start()

    async def stop(self, grace: float) -> None:
        """Close it."""
        await self._door.stop(grace)


class HealthOnly:
    """The answers on how it stands, on an address of their own."""

    connections = dropped = None

    def __init__(self, counts: Counts, checks: Mapping[str, Check], listen: str) -> None:
        self._door = HealthDoor(counts, checks, listen=listen)

    @property
    def addresses(self) -> list[str]:
        """Host and port, once it is open."""
        return [shown(*self._door.address)]

    async def start(self) -> None:
        """Open it."""
        await self._door.start()

    async def stop(self, grace: float) -> None:
        """Close it."""
        del grace
        await self._door.stop()


def _grpc(name: str, door: Any, listen: str, given: Given) -> OpenDoor:
    del name
    wants_tokens = door.knows_clients

    async def admit(sender: Sender) -> None:
        if wants_tokens:
            await given.callers.grant(f"Bearer {sender.user}", sender.peer)

    async def take(decoded: Decoded, sender: Sender) -> None:
        grant = await given.callers.grant(f"Bearer {sender.user}", sender.peer) if wants_tokens else EVERYTHING
        await _counted(given, Came("otlp", decoded, grant, sender.peer, door.collection or "", sender.request))

    limits = GrpcLimits(message_bytes=door.request_bytes, connections=door.connections)
    return GrpcDoor(take, admit, listen=listen, certificate=_certificate(door), limits=limits)


def _syslog(name: str, door: Any, listen: str, given: Given) -> OpenDoor:
    return _streams(name, door, listen, given, syslog.NAME, syslog.Syslog)


def _forward(name: str, door: Any, listen: str, given: Given) -> OpenDoor:
    known = None
    if door.shared_key is not None:
        users = {user: secret(one, f"receive.{name}.users.{user}") for user, one in door.users.items()}
        known = forward.Secrets(secret(door.shared_key, f"receive.{name}.shared_key"), users)
    return _streams(name, door, listen, given, forward.NAME, lambda _: forward.Forward(known))


def _streams(
    name: str, door: Any, listen: str, given: Given, protocol: str, talk: Callable[[str], Talk]
) -> StreamListener:
    async def take(decoded: Decoded, sender: Sender) -> None:
        """A client that sends too much is read no further till there is room."""
        came = Came(protocol, decoded, _grant(name, sender), sender.peer, door.collection or "")
        while True:
            try:
                return await _counted(given, came)
            except (OverloadedError, SpoolFullError):
                await asyncio.sleep(FULL_S)

    tls = senders.tls_of(door.certificate, door.key, door.clients) if door.certificate else None
    return StreamListener(Streams(talk, take, senders.Limits(connections=door.connections), tls), listen)


def _datagrams(name: str, door: Any, listen: str, given: Given) -> OpenDoor:
    async def take(decoded: Decoded, sender: Sender) -> None:
        await _counted(given, Came(syslog.NAME, decoded, _grant(name, sender), sender.peer, door.collection or ""))

    return DatagramListener(lambda bound: Datagrams(syslog.datagrams, take, bound), listen)


async def _counted(given: Given, came: Came) -> None:
    begun = time.monotonic()
    try:
        await given.take(came)
    except BaseException as error:
        given.counts.request(came.protocol, getattr(error, "status", 503), time.monotonic() - begun)
        raise
    given.counts.request(came.protocol, 200, time.monotonic() - begun)


def _grant(name: str, sender: Sender) -> Grant:
    """What a sender may do who has no token: write to the collection that the door is for."""
    return Grant(f"{name}/{sender.user}" if sender.user else "", ("*",), WRITES)


def _certificate(door: Any) -> Certificate | None:
    return Certificate(door.certificate, door.key) if door.certificate else None


_MAKERS: dict[type[Door], Callable[[str, Any, str, Given], OpenDoor]] = {
    GrpcSettings: _grpc,
    StreamDoor: _syslog,
    ForwardDoor: _forward,
    DatagramDoor: _datagrams,
}
