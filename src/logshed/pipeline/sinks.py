"""What records are sent to: its address, its token, and sending again until it takes them."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from tenacity import Retrying, retry_if_exception, sleep_using_event

from logshed.alerts.common import http
from logshed.errors import AlertError, DeliveryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from threading import Event

    from tenacity import RetryCallState

    T = TypeVar("T")

TOKEN = "LOGSHED_SINK_TOKEN"  # noqa: S105 - a name
"""The variable that holds the token where no file does."""
FIRST_WAIT, LONGEST_WAIT = 0.25, 30.0
_SECURE = {"https": True, "grpcs": True, "tls": True}
_LONGEST_TOKEN = 4096


@dataclass(frozen=True, slots=True)
class Sink:
    """Where records go.

    Attributes:
        protocol: Such as ``otlp``; empty where the address names none.
        transport: ``http``, ``https``, ``grpc``, ``grpcs``, ``tcp``, ``tls`` or ``udp``.
        host: The host; IPv6 without brackets.
        port: The port, or None for the protocol's own.
        path: What follows in the address.
        token: What lets the sender in; empty sends none.
        ca_file: Certificates to trust in place of the system's.
    """

    protocol: str
    transport: str
    host: str
    port: int | None
    path: str = ""
    token: str = field(default="", repr=False)
    ca_file: Path | None = None

    @classmethod
    def of(cls, to: str, token: str = "", ca_file: Path | None = None) -> Sink:
        """Read an address such as ``otlp+http://127.0.0.1:4318``.

        Raises:
            UsageError: It is none, it holds a password, or the token would go where anyone can read it.
        """
        try:
            parts = urlsplit(to)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise UsageError(f"cannot send to {to!r}: it is no address; write otlp+http://host:4318") from None
        if not host or not parts.scheme:
            raise UsageError(f"cannot send to {to!r}: it is no address; write otlp+http://host:4318")
        if parts.username is not None or parts.query or parts.fragment:
            raise UsageError(
                f"cannot send to {host}: the address holds more than a host and a path, which others may read; "
                f"put the token into a file (--token-file) or into {TOKEN}"
            )
        protocol, plus, transport = parts.scheme.rpartition("+")
        found = cls(protocol if plus else "", transport, host, port, parts.path, token, ca_file)
        if token and not found.secure and not http.loopback(host):
            raise UsageError(
                f"cannot send a token to {host} by {transport}: anyone on the way can read it; "
                f"use the address of its TLS ({', '.join(_SECURE)})"
            )
        return found

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.transport in _SECURE

    @property
    def kind(self) -> str:
        """Its protocol and transport as addresses write them."""
        return f"{self.protocol}+{self.transport}" if self.protocol else self.transport

    @property
    def name(self) -> str:
        """The address without what may be secret."""
        return f"{self.kind}://{self.netloc(None)}{self.path}"

    def netloc(self, port: int | None) -> str:
        """Host and port, the protocol's own where the address names none."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        number = self.port or port
        return f"{host}:{number}" if number else host

    def url(self, port: int | None, path: str) -> str:
        """The address for HTTP; a path of its own holds instead of the protocol's."""
        own = self.path if self.path.strip("/") else path
        return f"{'https' if self.secure else 'http'}://{self.netloc(port)}{own}"


def token_of(file: Path | None, environ: Mapping[str, str] | None = None) -> str:
    """The token in a file, or else in the environment; empty where there is none.

    Raises:
        UsageError: The file cannot be read, or holds no token.
    """
    if file is None:
        return (os.environ if environ is None else environ).get(TOKEN, "").strip()
    try:
        with file.open(encoding="ascii") as opened:
            token = opened.read(_LONGEST_TOKEN).strip()
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or "it is no text"
        raise UsageError(f"cannot read the token in {file}: {cause}; write it there, mode 600") from None
    if not token or not token.isprintable():
        raise UsageError(f"cannot read the token in {file}: there is none on one line; write it there, mode 600")
    return token


@contextlib.contextmanager
def delivering() -> Iterator[None]:
    """Turn what posting raises into a ``DeliveryError``."""
    try:
        yield
    except AlertError as error:
        raise DeliveryError(str(error), retry=error.retry, after=error.after, status=error.status) from None


def persist(
    call: Callable[[], T],
    *,
    over: Callable[[], bool],
    ended: Event,
    told: Callable[[str], None] = lambda _: None,
    longest: float = LONGEST_WAIT,
) -> T:
    """Call until it is taken; what may be over soon is tried again, and again.

    Args:
        call: Sends.
        over: Whether no other try begins.
        ended: Ends a wait between two tries.
        told: Is told why it is tried again.
        longest: Seconds between two tries at most, unless it is asked for more.

    Raises:
        DeliveryError: It was not taken, and trying again does not help or is over.
    """

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        told(str(error))

    retrying = Retrying(
        stop=lambda _: over(),
        wait=lambda state: _pause(state, longest),
        retry=retry_if_exception(lambda error: isinstance(error, DeliveryError) and error.retry),
        sleep=sleep_using_event(ended),
        before_sleep=tell,
        reraise=True,
    )
    return retrying(call)


def _pause(state: RetryCallState, longest: float) -> float:
    """Seconds until the next try: what is asked for, else 0.25, 0.5, 1, 2 ..."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.after if isinstance(error, DeliveryError) else None
    if asked is not None:
        return min(asked, LONGEST_WAIT)
    return min(FIRST_WAIT * 2.0 ** min(state.attempt_number - 1, 10), longest)
