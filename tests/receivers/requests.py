"""Requests for decoders, what their lines say, and a server with nothing behind it but decoders."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import uvicorn
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route as At

from logshed.receivers.model import BadRequestError, Decoded, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.requests import Request as Asked

    from logshed.receivers.model import Route

NOW = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)
NOW_NANOSECONDS = 1_795_701_600_000_000_000
WORDS = (
    b'{"index":{"_index":"a"}}\n',
    b'{"event":"x"}',
    b'"event":',
    b'{"streams":[{"stream":{},"values":[["1","x"]]}]}',
)
ODD = (b"\\ud800", b"\xff", b"1e999", b"NaN", b"-" + b"9" * 25, b"null")
PIECES = st.sampled_from([b"{", b"}", b"[", b"]", b'"', b":", b",", b"\n", *ODD, *WORDS])
BODIES = st.one_of(st.binary(max_size=400), st.lists(PIECES, max_size=30).map(b"".join))


def request(body: bytes = b"", path: str = "/", query: str = "", **headers: str) -> Request:
    """A request; headers are named with ``_`` for ``-``."""
    asked = dict(one.split("=", 1) for one in query.split("&") if one)
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return Request(path, asked, named, body, "192.0.2.7", NOW)


def records(decoded: Decoded) -> list[dict[str, Any]]:
    """The records of all parts; each part must hold as many lines as it says."""
    found = []
    for part in decoded.parts:
        lines = part.lines.split(b"\n")
        assert lines.pop() == b""
        assert len(lines) == part.records
        found += map(orjson.loads, lines)
    return found


def total(decode: Callable[[Request], Decoded], asked: Request) -> None:
    """Decode, where nothing but a refusal may be raised, and all that is given must be whole."""
    refusal = None
    decoded = Decoded(())
    try:
        decoded = decode(asked)
    except BadRequestError as error:
        refusal = error
    assert refusal is None or (400 <= refusal.status < 500 and refusal.text)
    for part in decoded.parts:
        assert part.records > 0
        assert part.lines.count(b"\n") == part.records
        part.lines.decode()


@contextlib.contextmanager
def served(routes: Sequence[Route]) -> Iterator[tuple[str, list[Decoded]]]:
    """A server of some routes; yields its address and what it decodes."""
    taken: list[Decoded] = []
    app = Starlette(routes=[_at(one, taken) for one in routes])
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}", taken
        finally:
            server.should_exit = True
            thread.join()


def _at(route: Route, taken: list[Decoded]) -> At:
    async def called(asked: Asked) -> Response:
        body = await asked.body()
        if asked.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        headers = {key.lower(): value for key, value in asked.headers.items()}
        plain = Request(asked.url.path, dict(asked.query_params), headers, body, "127.0.0.1", datetime.now(UTC))
        try:
            decoded = route.decode(plain) if route.decode else Decoded(())
        except BadRequestError as error:
            reply = route.refuse(plain, error.status, error.text)
        else:
            taken.append(decoded)
            reply = route.answer(plain, decoded)
        return Response(reply.body, reply.status, dict(reply.headers))

    return At(route.path, called, methods=list(route.methods))
