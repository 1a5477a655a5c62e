"""A canary's lines by syslog (RFC 5424): in datagrams, or by TCP and TLS with a count before each; nobody answers."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from logshed.errors import DeliveryError
from logshed.pipeline.canary_senders.connection import Connection
from logshed.pipeline.canary_senders.model import SERVICE, iso

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.pipeline.canary_senders.model import Batch
    from logshed.pipeline.sinks import Sink

PORT, TLS_PORT = 514, 6514
_PRIORITY = 14  # user-level messages, informational


def messages(batch: Batch) -> Iterator[bytes]:
    """Each line as a message."""
    about = f"{socket.gethostname() or '-'} {SERVICE} {os.getpid()} - -"
    for micros, text in zip(batch.micros, batch.texts, strict=True):
        yield f"<{_PRIORITY}>1 {iso(micros)} {about} {text}".encode()


class Stream:
    """By TCP or TLS. A batch whose connection was lost goes again as a whole: what of it came is not known."""

    acknowledges = False

    def __init__(self, sink: Sink) -> None:
        self._connection = Connection(sink, TLS_PORT if sink.secure else PORT)

    def send(self, batch: Batch) -> None:
        """As in ``Sender``."""
        if self._connection.was_closed():
            self._connection.open()
        self._connection.write(b"".join(b"%d %s" % (len(one), one) for one in messages(batch)))

    def close(self) -> None:
        """As in ``Sender``."""
        self._connection.close()


class Datagrams:
    """By UDP."""

    acknowledges = False

    def __init__(self, sink: Sink) -> None:
        self._name = sink.netloc(PORT)
        try:
            where = socket.getaddrinfo(sink.host, sink.port or PORT, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(*where[:3])
            self._socket.connect(where[4])  # so that a port that nobody listens on is told, where the system tells it
        except OSError as error:
            raise self._failed(error) from None

    def send(self, batch: Batch) -> None:
        """As in ``Sender``."""
        try:
            for message in messages(batch):
                self._socket.send(message)
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """As in ``Sender``."""
        self._socket.close()

    def _failed(self, error: OSError) -> DeliveryError:
        cause = error.strerror or str(error)
        return DeliveryError(f"cannot send to {self._name}: {cause}; start what listens there", retry=True)


SENDERS = {"syslog+tcp": Stream, "syslog+tls": Stream, "syslog+udp": Datagrams}
