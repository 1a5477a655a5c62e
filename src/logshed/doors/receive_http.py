"""Receives logs over HTTP: each request by a token and within limits, acknowledged when its records are on disk."""

from __future__ import annotations

import asyncio
import glob
import logging
import math
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.routing import Match

from logshed import self_traces
from logshed.access import Grant
from logshed.doors import bodies
from logshed.doors.addresses import Addresses, Place, Receiver, found
from logshed.doors.answers import Exchange, told
from logshed.doors.asked import headers_of, path_of, peer_of, query_of, too_long
from logshed.doors.callers import WRITE, Callers
from logshed.doors.decoding import Job, Threads, where
from logshed.doors.guard import EVERYTHING
from logshed.doors.http_limits import HttpLimits
from logshed.doors.shares import Shares
from logshed.errors import LogshedError, OverloadedError
from logshed.receivers.model import BadRequestError, Came, Reply, Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

    from logshed.access import Tokens
    from logshed.doors.shares import Held

Take = Callable[[Came], Awaitable[None]]
"""Puts records on disk and returns when they are there; raises ``BadRequestError`` or a ``LogshedError``."""
Dead = Callable[[str, str, str, str, bytes], Awaitable[None]]
"""Keeps a body that cannot be decoded: protocol, reason, the sender's address, collection, the body."""
Seen = Callable[[str, int, float], None]
"""Is told of each answer: protocol (empty where no protocol has the address), status, seconds."""

QUIET_SECONDS = 10.0
"""Between two lines of the same kind in our own log."""
SENDER = "webhook:{}"
"""Stands for the token of a webhook whose request is signed."""
UNDECODABLE = frozenset({400, 415, 422, 500})
"""Of what a decoder refuses so the body is kept: most clients throw it away."""
_BUSY = frozenset({429, 503})
_NOBODY = 401
_log = logging.getLogger(__name__)


class ReceiveApp:
    """The application that takes logs, for a door or to be mounted by a web server.

    Args:
        take: Puts records on disk.
        tokens: Who may come in; None is whoever is on this machine.
        limits: What it bears.
        extra_routes: Of Starlette, answered without a token.
        collection: Of records that name none.
        secrets: Of webhooks, by the last part of their address; ``""`` has that of all others.
        dead: Keeps what cannot be decoded.
        seen: Is told of each answer.
        everybody: Without tokens: whether others than this machine may come in.
        receivers: The protocols; all that are found unless given.

    Raises:
        DoorError: A receiver cannot be loaded.
    """

    def __init__(
        self,
        take: Take,
        tokens: Tokens | None = None,
        limits: HttpLimits | None = None,
        extra_routes: Sequence[BaseRoute] = (),
        *,
        collection: str = "",
        secrets: Mapping[str, str] | None = None,
        dead: Dead | None = None,
        seen: Seen | None = None,
        everybody: bool = False,
        receivers: Sequence[Receiver] | None = None,
    ) -> None:
        self.limits = limits or HttpLimits()
        self.callers = Callers(tokens, everybody=everybody)
        self.room = Shares(self.limits.held_bytes, self.limits.held_of_one)
        self._take, self._dead, self._seen = take, dead, seen
        self._extra, self._collection, self._secrets = tuple(extra_routes), collection, secrets or {}
        self._addresses = Addresses(found() if receivers is None else receivers)
        self._threads = Threads(self.limits.decoders)
        self._said: dict[str, float] = {}

    def close(self) -> None:
        """Let its threads go."""
        self.callers.close()
        self._threads.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            raise TypeError(scope["type"])
        begun, protocol = time.perf_counter(), ""
        headers = headers_of(scope)
        exchange = Exchange(scope, receive, send, headers, self.limits)
        path = path_of(scope)
        try:
            place = await self._place(path, headers, exchange)
            if place is not None:
                protocol = place.receiver.name
                await self._answer(place, path, headers, exchange)
        except BadRequestError as error:
            await exchange.answer(told(error.status, error.text))
        except bodies.GoneError:
            return
        except Exception as error:  # noqa: BLE001 - as of another route; it ends this request alone
            self._say(where(error), f"cannot answer a request: {where(error)}")
            if not exchange.status:
                await exchange.answer(told(500, "that could not be answered, by a fault of this program"))
        if self._seen is not None and exchange.status:
            self._seen(protocol, exchange.status, time.perf_counter() - begun)

    async def _place(self, path: str, headers: Mapping[str, str], exchange: Exchange) -> Place | None:
        """What is at an address; None where it has been answered already."""
        scope = exchange.scope
        if too_long(scope, self.limits):
            raise BadRequestError(431, "the headers are too many or too long")
        self.callers.check_host(headers)
        method = scope["method"]
        looked = "GET" if method == "HEAD" else method
        fixed = self._addresses.fixed(path)
        if fixed is not None and (place := fixed.get(method) or fixed.get(looked)):
            return place
        for route in self._extra if fixed is None else ():
            match, child = route.matches(scope)
            if match is Match.FULL:
                scope.update(child)
                await exchange.hand_to(route.handle)
                return None
        place = self._addresses.named(path, method) or self._addresses.named(path, looked)
        if place is None:
            await exchange.answer(_nothing(self._addresses.methods(path), method))
        return place

    async def _answer(self, place: Place, path: str, headers: dict[str, str], exchange: Exchange) -> None:
        """Answer in the form of a protocol, whatever happens."""
        authorization = headers.pop("authorization", "")
        headers.pop("cookie", None)
        request = Request(path, {}, headers, b"", peer_of(exchange.scope), datetime.now(UTC))
        after = self.limits.retry_seconds
        status, text = 503, "the records could not be stored; send them again later"
        try:
            with self_traces.span("receive", headers=headers, protocol=place.receiver.name, door="http") as span:
                reply = await self._reply(place, request, authorization, exchange)
                span.note(status=reply.status)
        except BadRequestError as error:
            status, text = error.status, error.text
        except OverloadedError as error:
            status, text, after = 429, "too much is sent at once; send the records again later", error.after
        except LogshedError as error:
            self._say(type(error).__name__, str(error))
        except bodies.GoneError:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours ends one request, and the client is told
            self._say(where(error), f"cannot take a request of {place.receiver.name}: {where(error)}")
        else:
            await exchange.answer(reply)
            return
        refusal = place.route.refuse(request, status, text)
        headers = dict(refusal.headers)
        if status in _BUSY:
            headers["Retry-After"] = str(max(1, math.ceil(after)))
        elif status == _NOBODY:
            headers["WWW-Authenticate"] = 'Bearer realm="logshed"'
        await exchange.answer(Reply(refusal.status, refusal.body, headers))

    async def _reply(self, place: Place, request: Request, authorization: str, exchange: Exchange) -> Reply:
        grant, secret = await self._admitted(place, request, authorization)
        kinds = bodies.encodings(request.headers)
        query = query_of(exchange.scope)
        who = grant.token or request.peer
        with await bodies.room(self.room, who, exchange.length, self.limits) as held:
            body = await exchange.body(held)
            request = Request(request.path, query, request.headers, body, request.peer, request.now)
            if secret and place.receiver.check is not None:
                place.receiver.check(request, secret)
            job = Job(place.route, request, kinds, self.limits)
            del body, request  # which may be large, and are not needed while the records go to the disk
            return await self._taken(job, place, grant, held)

    async def _admitted(self, place: Place, request: Request, authorization: str) -> tuple[Grant, str]:
        """What the sender may do, and the secret by which the request has to be signed, if it has.

        Raises:
            BadRequestError: It shows no token and can have no signature.
        """
        if place.route.open:
            return EVERYTHING, ""
        if place.receiver.check is None or authorization:
            return await self.callers.grant(authorization, request.peer), ""
        secret = self._secrets.get(place.name) or self._secrets.get("", "")
        if self.callers.tokens is None:
            return EVERYTHING, secret
        if not secret:
            raise BadRequestError(401, "no secret is set for this webhook; set one, or send a token")
        scopes = (glob.escape(self._collection) or "*",)
        return Grant(SENDER.format(place.name), scopes, frozenset({WRITE})), secret

    async def _taken(self, job: Job, place: Place, grant: Grant, held: Held) -> Reply:
        """Decode, store, and say so."""
        loop, peer = asyncio.get_running_loop(), job.request.peer
        who = grant.token or peer
        name = job.name(who)
        try:
            if not job.decode_small():
                await self._threads.run(loop, who, job.decode)
        except Exception as error:  # noqa: BLE001 - any fault of a decoder: the body is kept, and may be read once it is mended
            raise await self._undecodable(error, job, place) from None
        if place.route.decode is not None:
            held.set(job.size())
            job.forget()
            await self._take(Came(place.receiver.name, job.decoded, grant, peer, self._collection, name))
        return job.answer() if job.quick else await self._threads.run(loop, who, job.answer)

    async def _undecodable(self, error: Exception, job: Job, place: Place) -> BadRequestError:
        """Keep a body that cannot be decoded, and tell why."""
        if not isinstance(error, BadRequestError):
            reason = where(error)
            self._say(reason, f"cannot decode a request of {place.receiver.name}: {reason}")
            error = BadRequestError(500, "the records could not be read, by a fault of this program")
        if self._dead is not None and error.status in UNDECODABLE and job.request.body:
            await self._dead(place.receiver.name, error.text, job.request.peer, self._collection, job.request.body)
        return error

    def _say(self, kind: str, text: str) -> None:
        """Tell our own log, but not at each request."""
        now = time.monotonic()
        if now - self._said.get(kind, -QUIET_SECONDS) >= QUIET_SECONDS:
            self._said[kind] = now
            _log.error("%s", text)


def _nothing(methods: tuple[str, ...], method: str) -> Reply:
    """What is said of an address, or a method, that no protocol has."""
    if not methods:
        return told(404, "there is no such address")
    allow = {"Allow": ", ".join(sorted({*methods, "OPTIONS"}))}
    return Reply(204, b"", allow) if method == "OPTIONS" else told(405, "this address has other methods", allow)
