"""Doors of every protocol that write a spool, and a lake that it is drained into, all in this process."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from logshed.api import Lake
from logshed.doors.datagrams import Datagrams
from logshed.doors.otlp_grpc import GrpcDoor
from logshed.doors.senders import Limits
from logshed.doors.streams import Streams
from logshed.engines.local import LocalEngine
from logshed.pipeline.draining import drain
from logshed.pipeline.planning import Options
from logshed.receivers import elastic, forward, lines, loki, otlp, splunk, syslog
from logshed.receivers.model import Decoded, Request
from logshed.spool.writer import Piece, Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.requests import Request as Asked

SECONDS = 20


class Doors:
    """What takes records, and how it may fail.

    Args:
        root: Where the lake and the spool lie.
        secrets: What clients of the forward protocol have to know.
    """

    def __init__(self, root: Path, secrets: forward.Secrets | None = None) -> None:
        self.lake = Lake.open(root / "lake", create=True)
        self.spool = Spool(root / "spool")
        self.ports: dict[str, int] = {}
        self.headers: list[dict[str, str]] = []
        self.spoil: Callable[[str, bytes], bytes] = lambda _, data: data
        self.refuse: list[int] = []
        self.fall_silent = 0
        self.fresh = False
        self._secrets = secrets
        self._lock = threading.Lock()
        self._ids: set[str] = set()

    def take(self, protocol: str, decoded: Decoded) -> None:
        """Put records on disk, what has an id once."""
        with self._lock:
            if decoded.ids and self._ids.issuperset(decoded.ids):
                return
            self._ids.update(decoded.ids)
            self.spool.append(
                [
                    Piece(f"{protocol}:{part.stream}", part.collection or "door", lines, format=part.format)
                    for part in decoded.parts
                    if (lines := self.spoil(protocol, part.lines))
                ]
            )
            self.fresh = True

    def drain(self) -> None:
        """Bring what has come to the disk into the lake."""
        if not self.fresh:
            return
        self.fresh = False
        drain(self.lake._opened(), self.spool.root, self.lake.settings, Options(collection="door"), LocalEngine(1))

    def routes(self) -> list[Route]:
        """Those of all protocols over HTTP."""
        found = []
        for receiver in (otlp, elastic, loki, splunk, lines):
            for route in receiver.ROUTES:
                end = self._answering(receiver.NAME, route)
                found.append(Route(route.path, end, methods=list(route.methods)))
        return found

    def _answering(self, protocol: str, route: Any) -> Any:
        async def answer(asked: Asked) -> Response:
            import gzip  # noqa: PLC0415 - few do

            body, headers = await asked.body(), {key.lower(): value for key, value in asked.headers.items()}
            self.headers.append(headers)
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            if self.refuse:
                return Response(status_code=self.refuse.pop(0), headers={"Retry-After": "0"})
            request = Request(asked.url.path, dict(asked.query_params), headers, body, "127.0.0.1", datetime.now(UTC))
            decoded = route.decode(request) if route.decode else Decoded(())
            await asyncio.to_thread(self.take, protocol, decoded)
            if self.fall_silent:  # it is on disk, and nobody is told
                self.fall_silent -= 1
                return Response(status_code=503, headers={"Retry-After": "0"})
            reply = route.answer(request, decoded)
            return Response(reply.body, reply.status, dict(reply.headers))

        return answer

    async def serve(self, ready: threading.Event, over: asyncio.Event) -> None:
        """Open all doors until it is over."""

        async def take_grpc(decoded: Decoded, _: str) -> None:
            await asyncio.to_thread(self.take, otlp.NAME, decoded)

        def taking(protocol: str) -> Any:
            async def take(decoded: Decoded, _: object) -> None:
                await asyncio.to_thread(self.take, protocol, decoded)

            return take

        config = uvicorn.Config(Starlette(routes=self.routes()), log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        http = socket.create_server(("127.0.0.1", 0))
        grpc = GrpcDoor(take_grpc, listen="127.0.0.1:0")
        await grpc.start()
        listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        streams: list[Streams] = [
            Streams(syslog.Syslog, taking("syslog"), Limits()),
            Streams(lambda _: forward.Forward(self._secrets), taking("forward"), Limits()),
        ]
        datagrams = Datagrams(syslog.datagrams, taking("syslog"), udp)
        running = [asyncio.create_task(one.serve(on)) for one, on in zip(streams, listening, strict=True)]
        running += [asyncio.create_task(datagrams.serve()), asyncio.create_task(server._serve([http]))]
        names = ("http", "tcp", "forward", "udp")
        for name, one in zip(names, (http, *listening, udp), strict=True):
            self.ports[name] = one.getsockname()[1]
        self.ports["grpc"] = grpc.port
        ready.set()
        await over.wait()
        server.should_exit = True
        datagrams.close()
        for door in streams:
            await door.close()
        await grpc.stop(1)
        for task in running[:2]:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for one in (*listening, udp):
            one.close()


@contextmanager
def opened(root: Path, secrets: forward.Secrets | None = None, every: float = 0.5) -> Iterator[Doors]:
    """Doors that are open, with a drain that runs beside them."""
    doors = Doors(root, secrets)
    loop, over, stop, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event(), threading.Event()

    def draining() -> None:
        while not stop.wait(every):
            doors.drain()

    threads = [
        threading.Thread(target=loop.run_until_complete, args=(doors.serve(ready, over),)),
        threading.Thread(target=draining),
    ]
    for thread in threads:
        thread.start()
    try:
        assert ready.wait(SECONDS)
        yield doors
    finally:
        stop.set()
        loop.call_soon_threadsafe(over.set)
        for thread in threads:
            thread.join(SECONDS)
            assert not thread.is_alive()
        loop.close()
        doors.spool.close()
