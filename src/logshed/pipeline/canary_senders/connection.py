"""A connection by TCP or TLS that a canary's senders talk through."""

from __future__ import annotations

import select
import socket
import ssl
from typing import TYPE_CHECKING

from logshed.errors import DeliveryError

if TYPE_CHECKING:
    from logshed.pipeline.sinks import Sink

SECONDS = 10.0


class Connection:
    """Is made when it is first needed, and made again once it was lost."""

    def __init__(self, sink: Sink, port: int) -> None:
        self._sink, self._address = sink, (sink.host, sink.port or port)
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is there, as far as this side knows."""
        return self._socket is not None

    def open(self) -> None:
        """Make it anew.

        Raises:
            DeliveryError: Nobody listens there, or its certificate is not trusted.
        """
        self.close()
        try:
            made = socket.create_connection(self._address, timeout=SECONDS)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._sink.secure:
                context = ssl.create_default_context(cafile=self._sink.ca_file)
                made = context.wrap_socket(made, server_hostname=self._sink.host)
        except ssl.SSLError as error:
            raise DeliveryError(
                f"cannot send to {self._sink.host}: its certificate is not trusted ({error.reason}); "
                "--ca-file names a private authority's"
            ) from None
        except OSError as error:
            raise self._lost(error) from None
        self._socket = made

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            DeliveryError: The connection was lost; what of it came is not known.
        """
        if self._socket is None:
            raise AssertionError
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._lost(error) from None

    def read(self) -> bytes:
        """Wait for some bytes.

        Raises:
            DeliveryError: None came in time, or the connection was lost.
        """
        if self._socket is None:
            raise AssertionError
        try:
            if data := self._socket.recv(65_536):
                return data
        except OSError as error:
            raise self._lost(error) from None
        raise self._lost(ConnectionResetError("the connection was closed"))

    def was_closed(self) -> bool:
        """Whether the other side has hung up, where it has nothing to say otherwise."""
        if self._socket is None:
            return True
        readable, _, _ = select.select([self._socket], [], [], 0)
        try:
            return bool(readable) and not self._socket.recv(65_536)
        except OSError:
            return True

    def close(self) -> None:
        """Let go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _lost(self, error: OSError) -> DeliveryError:
        self.close()
        cause = error.strerror or str(error) or type(error).__name__
        host, port = self._address
        return DeliveryError(f"cannot send to {host}:{port}: {cause}; start what listens there", retry=True)
