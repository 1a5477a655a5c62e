"""Says whether a receiver lives, whether it takes records, and what it has counted: /healthz, /readyz, /metrics."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from contextlib import contextmanager
from ipaddress import ip_address
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import uvicorn
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from logshed.doors.guard import LOCAL, NOBODY, token_of
from logshed.doors.serving import opened_socket
from logshed.errors import AccessError, DoorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from starlette.requests import Request

    from logshed.access import Tokens
    from logshed.doors.receive_counts import Counts

Look: TypeAlias = "Callable[[], str]"
"""Looks at something: why it is not well, in words; empty where it is."""

ANSWER_SECONDS = 2.0
"""That a check may take; a disk that hangs is not well."""
FRESH_SECONDS = 1.0
"""For which an answer holds, so that asking often costs nothing."""
SPARE_BYTES = 16 * 2**20
"""Room of a spool for one more request of the largest size."""
PROBE_BYTES = 4_096
CONNECTIONS = 64
HEADER_BYTES = 16 * 1024
CONNECTION_SECONDS = 10.0
"""From a connection's beginning to its end, on an address of their own."""
READS_ALL = frozenset({"read", "admin"})
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class Check(NamedTuple):
    """What has to be well.

    Attributes:
        look: Looks at it; may block for a while, and is called in a thread.
        needed: Whether no records are taken where it is not; else they wait in the spool, and the receiver is degraded.
    """

    look: Look
    needed: bool = True


class Health:
    """The answers.

    Args:
        counts: What was counted.
        checks: What has to be well, by name.
        tokens: Whose ``read`` or ``admin`` for all collections shows figures and reasons to those who are elsewhere;
            None shows them to this machine alone.
        everybody: Show them to all who ask: for an address that only those reach who may.
    """

    def __init__(
        self, counts: Counts, checks: Mapping[str, Check], tokens: Tokens | None = None, *, everybody: bool = False
    ) -> None:
        self._counts = counts
        self._checks = checks
        self._tokens = tokens
        self._everybody = everybody
        self._looking: dict[str, asyncio.Task[str]] = {}
        self._found: dict[str, str] = {}
        self._when = -FRESH_SECONDS

    def routes(self) -> list[Route]:
        """Its addresses, which look after themselves who may see what."""
        return [
            Route("/healthz", self.alive, methods=["GET"]),
            Route("/readyz", self.ready, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def alive(self, _: Request) -> Response:
        """That the process lives: whoever reads this answer knows it."""
        return _json({"status": "alive"})

    async def ready(self, request: Request) -> Response:
        """Whether records are taken now; why not, for those who may know."""
        found = await self._looked()
        failed = {name for name, text in found.items() if text}
        needed = {name for name in failed if self._checks[name].needed}
        status = "not ready" if needed else "degraded" if failed else "ready"
        told: dict[str, Any] = {"status": status}
        if await self._may_see(request):
            told["checks"] = {name: {"ok": not text, "text": text} for name, text in found.items()}
        return _json(told, 503 if needed else 200)

    async def metrics(self, request: Request) -> Response:
        """Everything that was counted.

        Raises:
            HTTPException: 401 for those who may not see it.
        """
        if not await self._may_see(request):
            raise HTTPException(401, "a token that may read all collections is needed", NOBODY)
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        body = await run_in_threadpool(encode, self._counts.registry)
        return Response(body, headers={"Content-Type": kind, "Cache-Control": "no-store"})

    async def _looked(self) -> dict[str, str]:
        if monotonic() - self._when >= FRESH_SECONDS:
            for name, check in self._checks.items():
                if name not in self._looking:  # else one hangs, and another would hang beside it
                    self._looking[name] = asyncio.ensure_future(_look(check.look))
            running = dict(self._looking)
            if running:
                await asyncio.wait(running.values(), timeout=ANSWER_SECONDS)
            for name, task in running.items():
                self._found[name] = task.result() if task.done() else f"no answer within {ANSWER_SECONDS:g} seconds"
                if task.done() and self._looking.get(name) is task:
                    del self._looking[name]
            self._when = monotonic()
        return dict(self._found)

    async def _may_see(self, request: Request) -> bool:
        if self._everybody or _from_here(request):
            return True
        if self._tokens is None or not (token := token_of(request)):
            return False
        try:
            grant = await run_in_threadpool(self._tokens.check, token)
        except AccessError as error:
            logging.getLogger(__name__).error("%s", error)  # noqa: TRY400 - its text says it all
            return False
        return grant is not None and grant.unlimited and bool(grant.verbs & READS_ALL)


def health_routes(counts: Counts, checks: Mapping[str, Check], tokens: Tokens | None = None) -> list[Route]:
    """The addresses for a door that takes records, too; what they are given is as ``Health`` has it."""
    return Health(counts, checks, tokens).routes()


def room(folder: Path, used: Callable[[], int], limit: int) -> Look:
    """Whether a spool can be written and has room.

    Args:
        folder: Where it lies.
        used: Bytes that it takes.
        limit: Bytes that it may take.
    """
    spare = min(SPARE_BYTES, limit // 20)

    def look() -> str:
        if (taken := used()) + spare > limit:
            return f"the spool is full: it takes {taken:,} of {limit:,} bytes"
        try:
            with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                file.write(bytes(PROBE_BYTES))
        except OSError as error:
            return f"the spool cannot be written: {error.strerror or error}"
        return ""

    return look


async def _look(look: Look) -> str:
    try:
        return await run_in_threadpool(look)
    except Exception as error:  # noqa: BLE001 - what cannot be looked at is not well
        return f"it cannot be told: {type(error).__name__}"


def _from_here(request: Request) -> bool:
    """Whether a program on this machine asks this machine, and nobody else by way of one of its proxies."""
    try:
        local = request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
    return local and request.url.hostname in LOCAL and not any(name in request.headers for name in _PASSED_ON)


def _json(told: Mapping[str, Any], status: int = 200) -> Response:
    return JSONResponse(told, status, {"Cache-Control": "no-store"})


class _Server(uvicorn.Server):
    """Leaves the signals to the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class _Hasty(H11Protocol):
    """Closes a connection that is not done with after some seconds, so that idle ones shut out no probe."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Let time run."""
        super().connection_made(transport)
        self.loop.call_later(CONNECTION_SECONDS, transport.abort)


class HealthDoor:
    """The answers on an address of their own. Beyond this machine it shows them to all who reach it.

    Args:
        counts: What was counted.
        checks: What has to be well, by name.
        listen: Host and port; port 0 takes a free one.

    Attributes:
        address: Host and port, once it listens.
    """

    def __init__(self, counts: Counts, checks: Mapping[str, Check], *, listen: str) -> None:
        self._counts = counts
        self._checks = checks
        self._listen = listen
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.address: tuple[str, int] = ("", 0)

    async def start(self) -> None:
        """Listen.

        Raises:
            UsageError: The address is none.
            DoorError: It is in use or is not of this machine.
        """
        opened = opened_socket(self._listen, anyone=False)
        self.address = opened.getsockname()[:2]
        # there a page that a browser of this machine shows might ask under a name of its own
        here = ip_address(self.address[0]).is_loopback
        self._server = _Server(_config(Health(self._counts, self._checks, everybody=not here)))
        self._serving = asyncio.ensure_future(self._server.serve([opened]))
        while not self._server.started:
            if self._serving.done():
                raise DoorError(f"cannot serve {self._listen}: the server ended at once; choose another address")
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """End, and close what is open."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving


def _config(health: Health) -> uvicorn.Config:
    return uvicorn.Config(
        Starlette(routes=health.routes()),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=HEADER_BYTES,
        http=_Hasty,
        ws="none",
        headers=[("Connection", "close")],
        timeout_graceful_shutdown=1,
    )
