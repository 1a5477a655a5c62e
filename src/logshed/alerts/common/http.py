"""Posts over HTTP by urllib3: certificates verified, redirects refused, addresses never shown."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
from contextvars import ContextVar
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import HTTPError, InvalidHeader, LocationParseError, SSLError
from urllib3.util import Retry, Timeout, make_headers, parse_url

from logshed.alerts.common.text import clean
from logshed.alerts.common.version import VERSION
from logshed.errors import AlertError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

CONNECT_SECONDS, READ_SECONDS = 5.0, 10.0
LARGEST_ANSWER = 1 << 20
TOO_MANY, TIMED_OUT, REDIRECT, REFUSED, BROKEN = 429, 408, 300, 400, 500
_WORD = re.compile(r"[A-Za-z0-9_ .,:'-]{1,80}")
_sending: ContextVar[bool] = ContextVar("sending", default=False)


class _Silent(logging.Filter):
    """Keeps urllib3's own log of what we post from being written: it holds the address."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - the interface
        return not _sending.get()


for _name in ("urllib3", "urllib3.connectionpool", "urllib3.connection", "urllib3.poolmanager", "urllib3.util.retry"):
    logging.getLogger(_name).addFilter(_Silent())


def post(
    url: str, bodies: Iterable[bytes], *, headers: Mapping[str, str] | None = None, ca_file: Path | None = None
) -> None:
    """Post each body, in order, over one connection; the first that is not taken ends it.

    Args:
        url: The address; a user and password in it become basic authentication.
        bodies: What is posted, JSON.
        headers: More headers.
        ca_file: Certificates to trust in place of the system's.

    Raises:
        AlertError: One was not taken; the text names the host only.
    """
    with contextlib.closing(Poster(url, headers=headers, ca_file=ca_file)) as poster:
        for body in bodies:
            poster.post(body)


class Poster:
    """Posts to one address, over a connection that is kept from one body to the next.

    Args:
        url: The address; a user and password in it become basic authentication.
        headers: More headers.
        ca_file: Certificates to trust in place of the system's.

    Raises:
        AlertError: The address is none.
    """

    def __init__(self, url: str, *, headers: Mapping[str, str] | None = None, ca_file: Path | None = None) -> None:
        self._host, self._url, own = _parsed(url)
        agent = {"Content-Type": "application/json", "User-Agent": f"logshed/{VERSION}"}
        self._headers = {**agent, **own, **(headers or {})}
        self._pool = _pool(self._host, self._url, ca_file)

    def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """Post a body, and return the beginning of what is answered.

        Raises:
            AlertError: It was not taken; the text names the host only.
        """
        token = _sending.set(True)
        try:
            return _post(self._pool, self._host, self._url, body, {**self._headers, **(headers or {})})
        finally:
            _sending.reset(token)

    def close(self) -> None:
        """Close the connection."""
        self._pool.clear()


def secure(url: str, name: str) -> None:
    """Refuse to send a secret over a connection that anyone on the way can read; this machine itself is fine.

    Raises:
        AlertError: The address is not ``https://``.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not loopback(parts.hostname or ""):
        raise AlertError(f"cannot send to {name}: its address is not https://; give the one that {name} shows")


def loopback(host: str) -> bool:
    """Whether a host is this machine."""
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host.lower() == "localhost"


def _post(pool: urllib3.PoolManager, host: str, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    try:
        response = pool.request(
            "POST", url, body=body, headers=headers, retries=False, redirect=False, preload_content=False
        )
        with contextlib.closing(response):
            if response.status < REDIRECT:
                answer: bytes = response.read(LARGEST_ANSWER)
                response.drain_conn()
                return answer
            status, said = response.status, response.read(512).decode("utf-8", "replace")
            after = response.headers.get("Retry-After")
    except (HTTPError, OSError, ValueError) as error:
        raise _unreached(host, error) from None
    raise _refused(host, status, said, after)


def _parsed(url: str) -> tuple[str, str, dict[str, str]]:
    """The host, the address without a user, and the headers that the user becomes."""
    try:
        parts = parse_url(url)
    except LocationParseError:
        parts = None
    if parts is None or not parts.host or parts.scheme not in {"http", "https"}:
        raise AlertError("cannot send: the address is none; give one that begins with https://")
    headers = make_headers(basic_auth=parts.auth) if parts.auth else {}
    return parts.host, parts._replace(auth=None).url, headers


def _pool(host: str, url: str, ca_file: Path | None) -> urllib3.PoolManager:
    words: dict[str, Any] = {
        "timeout": Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        "ca_certs": str(ca_file) if ca_file else None,
        "cert_reqs": "CERT_REQUIRED",
    }
    proxy = None if loopback(host) or proxy_bypass(host) else getproxies().get(url.partition(":")[0])
    if not proxy:
        return urllib3.PoolManager(**words)
    auth = parse_url(proxy).auth
    return urllib3.ProxyManager(proxy, proxy_headers=make_headers(proxy_basic_auth=auth) if auth else None, **words)


def _unreached(host: str, error: Exception) -> AlertError:
    """What went wrong below HTTP; the library's own text may hold the address and is not used."""
    reason = getattr(error, "reason", None) or error
    if isinstance(error, SSLError) or isinstance(reason, SSLError):
        cause = "its certificate is not trusted, or it speaks no TLS; ca_file names a private authority's certificate"
        return AlertError(f"cannot send to {host}: {cause}")
    name = "no answer in time" if _late(error) else ""
    name = name or (
        "no such host" if isinstance(reason, (socket.gaierror, urllib3.exceptions.NameResolutionError)) else ""
    )
    return AlertError(
        f"cannot send to {host}: {name or 'it cannot be reached'} ({type(reason).__name__}); "
        "check the address and the network",
        retry=True,
    )


def _late(error: Exception) -> bool:
    """Whether time ran out; urllib3 counts a refused connection as that too."""
    late = (TimeoutError, urllib3.exceptions.TimeoutError)
    return isinstance(error, late) and not isinstance(error, urllib3.exceptions.NewConnectionError)


def _refused(host: str, status: int, said: str, after: str | None) -> AlertError:
    word = clean(said, 80)
    told = f"{status} {word}" if _WORD.fullmatch(word) else str(status)
    if status < REFUSED:
        return AlertError(f"cannot send to {host}: it answered {told}, a redirect, which is not followed; correct url")
    retry = status in {TOO_MANY, TIMED_OUT} or status >= BROKEN
    advice = "it may be over soon" if retry else "check the address and its rights"
    text = f"cannot send to {host}: it answered {told}; {advice}"
    return AlertError(text, retry=retry, after=_after(after), status=status)


def _after(value: str | None) -> float | None:
    """The seconds that ``Retry-After`` asks for, from a number or a date."""
    if not value:
        return None
    try:
        return max(float(Retry().parse_retry_after(value)), 0.0)
    except (InvalidHeader, ValueError, OverflowError):
        return None
