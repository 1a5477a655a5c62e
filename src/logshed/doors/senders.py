"""Who sends logs to a door, what doors allow them, and what is counted of it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from logshed.errors import DoorError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from logshed.receivers.model import Decoded
    from logshed.receivers.streaming import Step


class Sender(NamedTuple):
    """Who sent records.

    Attributes:
        peer: The address; empty where they are of several.
        user: Who the client proved to be, by a password or by a certificate; empty where it did not.
        request: By which a repeated request is known; empty where the client gave none.
    """

    peer: str
    user: str = ""
    request: str = ""


Take: TypeAlias = "Callable[[Decoded, Sender], Awaitable[None]]"
"""Puts records on disk, and returns when they are there; raises a LogshedError where they are not taken."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a door allows.

    Attributes:
        connections: At once.
        of_one: At once from one address.
        idle_seconds: Without a byte between two messages; long, since clients of syslog lose what they write to a
            connection that was closed.
        slow_seconds: For a handshake, for a message, and for taking an answer.
        held_bytes: Of messages that have not come whole, of all connections.
    """

    connections: int = 1024
    of_one: int = 256
    idle_seconds: float = 86_400
    slow_seconds: float = 30
    held_bytes: int = 2**27


@dataclass(slots=True)
class Counts:
    """What happened so far.

    Attributes:
        open: Connections that are open now.
        opened: Connections that were let in.
        turned_away: Connections that were not, there being too many.
        bytes: That came.
        records: That were taken.
        refused: Records that could not be decoded.
        cut: Records that lost their ends.
        failed: Connections that were closed because their records were not taken.
        wrong: Connections that were closed because they did not speak the protocol, or had not the key.
        slow: Connections that were closed because they were too slow.
        idle: Connections that were closed because nothing came.
        broken: Connections that broke off.
        dropped: Datagrams for which there was no room.
    """

    open: int = 0
    opened: int = 0
    turned_away: int = 0
    bytes: int = 0
    records: int = 0
    refused: int = 0
    cut: int = 0
    failed: int = 0
    wrong: int = 0
    slow: int = 0
    idle: int = 0
    broken: int = 0
    dropped: int = 0

    def add(self, step: Step) -> None:
        """Count what a step took."""
        self.records += sum(part.records for part in step.decoded.parts)
        self.refused += len(step.decoded.refused)
        self.cut += step.cut


def named(address: str) -> str:
    """An address without its zone; IPv4 as such where it came by IPv6."""
    found = ip_address(address.partition("%")[0])
    return str(found.ipv4_mapped or found) if isinstance(found, IPv6Address) else str(found)


def tls_of(certificate: Path, key: Path, clients: Path | None = None) -> ssl.SSLContext:
    """What speaks TLS as a server.

    Args:
        certificate: File of the certificate, PEM.
        key: File of its key, PEM.
        clients: File of the authorities whose certificates clients have to show, PEM; None asks for none.

    Raises:
        DoorError: They cannot be read, or do not fit.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
        if clients is not None:
            context.load_verify_locations(clients)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        raise DoorError(f"cannot use the certificate: {error}; give a certificate and its key as PEM files") from None
    return context
