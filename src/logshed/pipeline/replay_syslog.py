"""Replays to syslog: messages of RFC 5424, each in a datagram, or over TCP with its length before it (RFC 6587)."""

from __future__ import annotations

import select
import socket
from urllib.parse import urlsplit

import polars as pl
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential

from logshed.errors import ReplayError, UsageError
from logshed.pipeline.replay_sinks import Payload

PORT = 514
SECONDS = 10.0
TRIES = 5
LARGEST = 65_507
"""Bytes that a datagram over IPv4 can have."""
FACILITY = 1
"""User-level messages."""
_LEAST = ((21, 2), (17, 3), (13, 4), (9, 6), (1, 7))
"""OpenTelemetry's severity numbers from which on a severity of syslog holds."""
_UNKNOWN = 6
_NOT_IN_NAMES = r"[^!-~]"


def messages(records: pl.DataFrame) -> pl.Series:
    """Records as messages, with their own times, hosts, services and severities."""
    severity = pl.coalesce(
        *(pl.when(pl.col("severity") >= least).then(pl.lit(number)) for least, number in _LEAST), pl.lit(_UNKNOWN)
    )
    return records.select(
        pl.concat_str(
            pl.lit("<"),
            severity + FACILITY * 8,
            pl.lit(">1 "),
            pl.from_epoch("at", "us").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ "),
            _name(pl.col("host"), 255),
            pl.lit(" "),
            _name(pl.coalesce("service", "collection"), 48),
            pl.lit(" "),
            pl.col("process").cast(pl.String).fill_null("-"),
            pl.lit(" - - "),
            pl.col("text"),
        ).alias("message")
    ).to_series()


def _name(text: pl.Expr, longest: int) -> pl.Expr:
    """A name of RFC 5424: printable ASCII without blanks, ``-`` where there is none."""
    clean = text.str.replace_all(_NOT_IN_NAMES, "_").str.head(longest)
    return pl.when(clean.str.len_bytes() > 0).then(clean).otherwise(pl.lit("-"))


class Datagrams:
    """A listener of syslog over UDP; a message that is too long for a datagram is cut.

    Args:
        url: ``syslog://host:port``.

    Raises:
        UsageError: The address is none.
        ReplayError: There is no such host.
    """

    def __init__(self, url: str) -> None:
        host, port = _address(url)
        self._name = f"{host}:{port}"
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, protocol)
            self._socket.connect(address)  # so that a port that nobody listens on is told, where the system tells it
        except OSError as error:
            raise ReplayError(_unreached(self._name, error)) from None

    def make(self, records: pl.DataFrame) -> Payload:
        """As in ``Sink``."""
        return Payload.of(messages(records))

    def send(self, payload: Payload, first: int, last: int) -> None:
        """As in ``Sink``."""
        try:
            for one in range(first, last):  # a datagram is one call of the system
                message = payload.part(one, one + 1)
                self._socket.send(message if len(message) <= LARGEST else _cut(message))
        except OSError as error:
            raise ReplayError(_unreached(self._name, error)) from None

    def close(self) -> None:
        """As in ``Sink``."""
        self._socket.close()


class Connection:
    """A listener of syslog over TCP.

    A connection that is lost is made again, and what was being sent is sent again: TCP does not tell what arrived.

    Args:
        url: ``syslog+tcp://host:port``.

    Raises:
        UsageError: The address is none.
        ReplayError: Nobody listens there.
    """

    def __init__(self, url: str) -> None:
        self._address = _address(url)
        self._name = "{}:{}".format(*self._address)
        try:
            self._socket = self._connected()
        except OSError as error:
            raise ReplayError(_unreached(self._name, error)) from None

    def _connected(self) -> socket.socket:
        found = socket.create_connection(self._address, timeout=SECONDS)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return found

    def make(self, records: pl.DataFrame) -> Payload:
        """As in ``Sink``."""
        text = pl.col("message")
        framed = pl.concat_str(text.str.len_bytes(), pl.lit(" "), text)
        return Payload.of(messages(records).to_frame().select(framed).to_series())

    def send(self, payload: Payload, first: int, last: int) -> None:
        """As in ``Sink``."""
        retrying = Retrying(
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(0.2, max=2),
            retry=retry_if_exception_type(OSError),
            reraise=True,
        )
        try:
            for attempt in retrying:
                with attempt:
                    if attempt.retry_state.attempt_number > 1 or self._is_gone():
                        self._socket.close()
                        self._socket = self._connected()
                    self._socket.sendall(payload.part(first, last))
        except OSError as error:
            raise ReplayError(_unreached(self._name, error)) from None

    def _is_gone(self) -> bool:
        """Whether the other side has hung up: a listener of syslog says nothing else."""
        readable, _, _ = select.select([self._socket], [], [], 0)
        return bool(readable) and not self._socket.recv(65_536, socket.MSG_DONTWAIT)

    def close(self) -> None:
        """As in ``Sink``."""
        self._socket.close()


def _address(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PORT
    except ValueError:
        host, port = None, 0
    if not host:
        raise UsageError(f"cannot replay to {url}: it is no address; write syslog://host:514")
    return host, port


def _unreached(name: str, error: OSError) -> str:
    cause = error.strerror or str(error) or type(error).__name__
    return f"cannot send to {name}: {cause}; start its listener or correct --to"


def _cut(message: memoryview) -> bytes:
    return bytes(message[:LARGEST]).decode("utf-8", "ignore").encode()
