"""What is fuzzed: one target per decoder, each with what must hold whatever bytes come.

An input of a decoder of requests is a request as HTTP/1 writes one, with bare line feeds: a line with the method and
the address, the headers, an empty line, the body. An input of a decoder of streams is a byte, which says in how large
pieces the rest comes, and the rest.

All of it runs without a fuzzer too: ``test_corpus.py`` gives the targets what fuzzers and clients have left.
"""

from __future__ import annotations

import gc
import resource
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import cramjam
import orjson
from starlette.routing import compile_path

from logshed.doors import bodies
from logshed.doors.http_limits import HttpLimits
from logshed.receivers import elastic, forward, lines, loki, otlp, splunk, syslog, webhook
from logshed.receivers.common import loki_push, otlp_wire
from logshed.receivers.model import RECEIVED, BadRequestError, Decoded, Part, Reply, Request, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from logshed.receivers.streaming import Step, Talk

NOW = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)
PEER = "192.0.2.7"
SECONDS = 1.0
"""Of the processor, which an input of 64 KiB may take."""
MEGABYTES = 256
"""By which an input of 64 KiB may make the process larger than it ever was."""
LIMITS = HttpLimits()
"""Of bodies."""
_PLAIN = "x-plain-snappy"
"""A header by which an input has its body compressed by the target, so that what is compressed can be fuzzed."""
_KILOBYTE = 1024


@dataclass(frozen=True, slots=True)
class Target:
    """A decoder.

    Attributes:
        name: Of its corpus.
        run: Decodes an input and checks what came of it.
    """

    name: str
    run: Callable[[bytes], None]


def bounded(target: Target, data: bytes) -> None:
    """Run a target on an input, within the time and the memory that one may take.

    Raises:
        AssertionError: Something does not hold.
    """
    with _alone():
        before, largest = time.thread_time(), _megabytes()
        target.run(data)
        took, grown = time.thread_time() - before, _megabytes() - largest
    assert took <= SECONDS, f"it took {took:.1f} s"
    assert grown <= MEGABYTES, f"it took {grown} MB"


@contextmanager
def _alone() -> Iterator[None]:
    """Let no look for garbage go through what others left in this process: of millions of objects it takes a second."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def check(decoded: Decoded, *, text: bool = True) -> None:
    """Check that what was decoded is whole.

    Args:
        decoded: What came of an input.
        text: Whether lines are UTF-8; those of syslog are kept as they came, like those of a file.
    """
    for part in decoded.parts:
        _check_part(part, text=text)
    keys = [(part.stream, part.format, part.collection) for part in decoded.parts]
    assert len(set(keys)) == len(keys), "a stream has two parts"
    records = sum(part.records for part in decoded.parts)
    assert len(decoded.ids) in (0, records), "there is not one id a record"
    for one in decoded.refused:
        assert one.reason, "a refusal has no reason"
        assert one.reason.isprintable(), "a reason is not one line of text"
        assert isinstance(one.data, bytes)
    places = [one.index for one in decoded.refused]
    assert places == sorted(set(places)), "the places of what is refused are not in order"


def _check_part(part: Part, *, text: bool) -> None:
    found = part.lines.split(b"\n")
    assert found.pop() == b"", "the last line has no end"
    assert len(found) == part.records > 0, "there are not as many lines as records"
    assert part.stream, "a stream has no name"
    assert (part.stream + part.collection).isprintable(), "a name is not one line of text"
    if text:
        part.lines.decode()
    if part.format == RECEIVED:
        assert all(type(orjson.loads(one)) is dict for one in found), "a record is no object"


def _megabytes() -> int:
    """The most that the process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // _KILOBYTE


class OfRequests:
    """Takes requests to the routes of a protocol.

    Args:
        routes: Those that only answer, too.
        head: What goes before an input that has no head.
    """

    def __init__(self, routes: Iterable[Route], head: bytes) -> None:
        self._routes = [(compile_path(one.path)[0], one) for one in routes]
        self._head = head

    def __call__(self, data: bytes) -> None:
        """Decode a request and answer it."""
        request, method = _request(data, self._head)
        route = next((one for path, one in self._routes if method in one.methods and path.match(request.path)), None)
        if route is None:
            return
        try:
            decoded = route.decode(request) if route.decode else Decoded(())
            reply = None if route.decode else route.answer(request, decoded)
        except BadRequestError as error:
            reply = _refused(route, request, error)
        else:
            check(decoded)
        _check_reply(reply or route.answer(request, decoded))


def _refused(route: Route, request: Request, error: BadRequestError) -> Reply:
    assert 400 <= error.status < 500
    assert error.text
    reply = route.refuse(request, error.status, error.text)
    assert reply.status == error.status
    return reply


def _request(data: bytes, standard: bytes) -> tuple[Request, str]:
    """The request in an input, and its method."""
    head, found, body = data.partition(b"\n\n")
    if not found:
        head, body = standard, data
    first, *rest = head.decode("latin-1").split("\n")
    method, _, address = first.partition(" ")
    path, _, query = address.partition("?")
    pairs = (one.partition(":") for one in rest)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if headers.pop(_PLAIN, None) is not None:
        body = bytes(cramjam.snappy.compress_raw(body))
    return Request(path, dict(parse_qsl(query, keep_blank_values=True)), headers, body, PEER, NOW), method


def _check_reply(reply: Reply) -> None:
    assert 200 <= reply.status < 500
    assert isinstance(reply.body, bytes)
    assert all(value.isprintable() and value.isascii() for value in reply.headers.values())
    if "json" in dict(reply.headers).get("content-type", dict(reply.headers).get("Content-Type", "")):
        orjson.loads(reply.body)


def _otlp_protobuf(data: bytes) -> None:
    """The call of the gRPC service, and the same over HTTP; inputs have no head."""
    _OTLP(b"POST /v1/logs\ncontent-type: application/x-protobuf\n\n" + data)
    with _small(otlp_wire):
        in_pieces = _exported(data)
    assert _exported(data) == in_pieces, "a large request is read otherwise than a small one"


def _exported(data: bytes) -> Any:
    try:
        decoded = otlp.decode_export(data, NOW)
    except BadRequestError as error:
        return error.status
    check(decoded)
    otlp.answer_export(decoded)
    return decoded.parts, [(one.index, one.reason) for one in decoded.refused]


def _loki_protobuf(data: bytes) -> None:
    _LOKI(data)
    with _small(loki_push):
        _LOKI(data)


@contextmanager
def _small(reader: Any) -> Iterator[None]:
    """Have a reader take all bodies for large, which it reads piece by piece."""
    before, reader.SMALL = reader.SMALL, 0
    try:
        yield
    finally:
        reader.SMALL = before


_LOKI = OfRequests(loki.ROUTES, b"POST /loki/api/v1/push\nx-plain-snappy: 1")


_OTLP = OfRequests(otlp.ROUTES, b"POST /v1/logs\ncontent-type: application/json")


def _talked(talk: Talk, pieces: Iterable[bytes], *, text: bool = True) -> tuple[dict[str, str], bytes, bool]:
    """What is said in some pieces: a digest of each stream's lines, the answers, and whether the connection ended."""
    found: dict[str, Any] = defaultdict(blake2b)
    answers, over = b"", False
    for step in _steps(talk, pieces):
        check(step.decoded, text=text)
        for part in step.decoded.parts:
            found[part.stream].update(part.lines)
        answers += step.answer
        over = over or bool(step.over)
    return {stream: lines.hexdigest() for stream, lines in found.items()}, answers, over


def _steps(talk: Talk, pieces: Iterable[bytes]) -> Iterator[Step]:
    for piece in pieces:
        data, more = piece, True
        while more:
            step = talk.feed(data, NOW)
            yield step
            data, more = b"", step.more
            if step.over:
                return
    yield talk.end(NOW)


def _cut(data: bytes) -> tuple[bytes, list[bytes]]:
    """The bytes of a stream, and the pieces in which they come."""
    size, rest = (data[0], data[1:]) if data else (0, b"")
    return rest, [rest[at : at + size] for at in range(0, len(rest), size)] if size else [rest]


def _syslog(data: bytes) -> None:
    whole, pieces = _cut(data)
    longest = 64 if whole[:1] == b"!" else syslog.LONGEST
    once = _talked(syslog.Syslog(PEER, longest), [whole], text=False)
    assert _talked(syslog.Syslog(PEER, longest), pieces, text=False) == once, "it depends on where it is cut"
    check(syslog.datagrams({PEER: pieces}, NOW, longest).decoded, text=False)


def _forward(data: bytes) -> None:
    whole, pieces = _cut(data)
    once = _talked(forward.Forward(), [whole])
    assert _talked(forward.Forward(), pieces) == once, "it depends on where it is cut"
    taken, _, _ = _talked(forward.Forward(forward.Secrets("key", {"user": "password"})), pieces)
    assert not taken, "records came from a client that has not shown its key"


def _body(data: bytes) -> None:
    """What a door does to a body before a decoder sees it."""
    request, _ = _request(data, b"POST /\ncontent-encoding: gzip")
    try:
        kinds = bodies.encodings(request.headers)
        found = bodies.unpacked(request.body, kinds, LIMITS)
    except BadRequestError as error:
        _refused(otlp.ROUTES[0], request, error)
        return
    assert len(found) <= max(len(request.body), bodies.FREE_BYTES, LIMITS.ratio * len(request.body))


TARGETS: tuple[Target, ...] = (
    Target("otlp-protobuf", _otlp_protobuf),
    Target("otlp-json", _OTLP),
    Target("elastic", OfRequests(elastic.ROUTES, b"POST /_bulk")),
    Target("loki-protobuf", _loki_protobuf),
    Target("loki-json", OfRequests(loki.ROUTES, b"POST /loki/api/v1/push\ncontent-type: application/json")),
    Target("splunk", OfRequests(splunk.ROUTES, b"POST /services/collector/event")),
    Target("lines", OfRequests(lines.ROUTES, b"POST /v1/ndjson")),
    Target("webhook", OfRequests(webhook.ROUTES, b"POST /v1/webhook")),
    Target("syslog", _syslog),
    Target("forward", _forward),
    Target("bodies", _body),
)
BY_NAME = {target.name: target for target in TARGETS}
