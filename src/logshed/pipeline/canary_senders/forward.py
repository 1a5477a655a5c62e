"""A canary's lines by Fluentd's forward protocol, packed, each chunk with an acknowledgement that is waited for."""

from __future__ import annotations

import socket
from hashlib import sha512
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

from logshed.errors import DeliveryError
from logshed.pipeline.canary_senders.connection import Connection
from logshed.pipeline.canary_senders.model import SERVICE

if TYPE_CHECKING:
    from logshed.pipeline.canary_senders.model import Batch
    from logshed.pipeline.sinks import Sink

PORT = 24224
_MILLION = 1_000_000


def message(batch: Batch) -> bytes:
    """Lines as a chunk."""
    import msgpack  # noqa: PLC0415 - of the extra `receive`

    def time(micros: int) -> Any:
        seconds, rest = divmod(micros, _MILLION)
        return msgpack.ExtType(0, seconds.to_bytes(4, "big") + (rest * 1000).to_bytes(4, "big"))

    entries = b"".join(
        msgpack.packb([time(micros), {"message": text}]) for micros, text in zip(batch.micros, batch.texts, strict=True)
    )
    options = {"chunk": batch.key, "size": len(batch.texts)}
    packed: bytes = msgpack.packb([SERVICE, entries, options])
    return packed


class Forward:
    """By TCP or TLS; a token is the key that is shared with the door."""

    acknowledges = True

    def __init__(self, sink: Sink) -> None:
        import msgpack  # noqa: PLC0415 - of the extra `receive`

        self._name, self._key = sink.netloc(PORT), sink.token
        self._connection = Connection(sink, PORT)
        self._msgpack: Any = msgpack
        self._unpacker: Any = None

    def send(self, batch: Batch) -> None:
        """As in ``Sender``."""
        if not self._connection.is_open:
            self._connection.open()
            self._unpacker = self._msgpack.Unpacker()
            if self._key:
                self._greet()
        self._connection.write(message(batch))
        if self._answer() != {"ack": batch.key}:
            self._connection.close()
            raise DeliveryError(f"cannot send to {self._name}: it acknowledged something else; see its log", retry=True)

    def close(self) -> None:
        """As in ``Sender``."""
        self._connection.close()

    def _greet(self) -> None:
        """Prove that the key is known."""
        hello = self._answer()
        if not (isinstance(hello, list) and hello[:1] == ["HELO"] and isinstance(hello[1], dict)):
            raise self._refused("it asks for no key")
        host, salt, nonce = socket.gethostname().encode(), token_bytes(16), hello[1].get("nonce", b"")
        nonce = nonce.encode() if isinstance(nonce, str) else nonce
        proof = sha512(salt + host + nonce + self._key.encode()).hexdigest()
        self._connection.write(self._msgpack.packb(["PING", host.decode(), salt, proof, "", ""]))
        pong = self._answer()
        if not (isinstance(pong, list) and pong[:2] == ["PONG", True]):
            raise self._refused("it does not take the key")

    def _refused(self, cause: str) -> DeliveryError:
        self._connection.close()
        return DeliveryError(f"cannot send to {self._name}: {cause}; correct the file of --token-file")

    def _answer(self) -> Any:
        while True:
            for found in self._unpacker:
                return found
            self._unpacker.feed(self._connection.read())


SENDERS = {"forward+tcp": Forward, "forward+tls": Forward}
