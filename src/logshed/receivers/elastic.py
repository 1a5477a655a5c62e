"""Elasticsearch's ``_bulk``, and what its clients ask before they send: Beats, Logstash, Vector, Fluent Bit and others.

A document becomes one record: the names of the Elastic Common Schema, which are OpenTelemetry's for the most part,
become its columns, and a line in ``message`` is parsed as if it had been read from its file. Nothing can be changed
later, so ``index`` and ``create`` are the same, and ``update`` and ``delete`` fail for their item alone.

``ids`` holds one for each record in the order of the parts, ``<index>/<_id>``, and is empty where no record has one.
Addresses are given here as under the root; a door that has them elsewhere takes its prefix off the path.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import orjson

from logshed.receivers.common.documents import document, documents, flat, put
from logshed.receivers.common.elastic_replies import bulk_reply, doc_reply, probes, refusal
from logshed.receivers.common.gather import Gather, line, named, take_ids, take_text
from logshed.receivers.common.records import UnfitError, bounded, keyed, nanoseconds, text_of
from logshed.receivers.common.times import instant
from logshed.receivers.model import BadRequestError, Decoded, Refused, Reply, Request, Route

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "elastic"
TIMES = ("@timestamp", "timestamp", "time")
BODIES = ("message", "log", "msg", "body", "event.original")
"""Where a document has its line; the first that is text, and the rest stay attributes."""
PLACES = frozenset(
    (
        "@metadata",
        "agent",
        "cloud",
        "container",
        "host",
        "hostname",
        "input",
        "kubernetes",
        "log",
        "orchestrator",
        "service",
    )
)
"""What says where a document is from; the rest of one without a line is its body, as a line of JSON in a file is."""
SEVERITIES = ("log.level", "level", "severity", "severity_text")
TRACES, SPANS = ("trace.id", "trace_id", "traceId"), ("span.id", "span_id", "spanId")
LOGGER, RECORD_ID = "log.logger", "log.record.uid"
NAMES = {
    "client.ip": "client.address",
    "error.message": "exception.message",
    "error.stack_trace": "exception.stacktrace",
    "error.type": "exception.type",
    "host": "host.name",
    "hostname": "host.name",
    "http.response.body.bytes": "http.response.body.size",
    "http.request.referrer": "http.request.header.referer",
    "http.version": "network.protocol.version",
    "kubernetes.container.name": "k8s.container.name",
    "kubernetes.container_name": "k8s.container.name",
    "kubernetes.namespace": "k8s.namespace.name",
    "kubernetes.namespace_name": "k8s.namespace.name",
    "kubernetes.node.name": "k8s.node.name",
    "kubernetes.host": "k8s.node.name",
    "kubernetes.pod.name": "k8s.pod.name",
    "kubernetes.pod_name": "k8s.pod.name",
    "log.origin.file.line": "code.line.number",
    "log.origin.file.name": "code.file.path",
    "log.origin.function": "code.function.name",
    "process.thread.name": "thread.name",
    "server.ip": "server.address",
    "service": "service.name",
    "service.environment": "deployment.environment.name",
    "service.node.name": "service.instance.id",
    "stream": "log.iostream",
    "url.original": "http.target",
}
"""Keys of the Elastic Common Schema and of Fluent Bit's documents that OpenTelemetry calls otherwise."""
_MOVED = frozenset((*SEVERITIES, *TRACES, *SPANS, LOGGER, *NAMES))
_KEPT = ("index", "create")
_WITH_DOCUMENT = frozenset((*_KEPT, "update"))
_ACTIONS = _WITH_DOCUMENT | {"delete"}


class Item(NamedTuple):
    """What a client asked for one document.

    Attributes:
        action: ``index``, ``create``, ``update`` or ``delete``.
        place: The index.
        id: Of the document; empty where the client leaves it to us.
        failure: Why it is not taken; empty if it is.
    """

    action: str
    place: str
    id: str
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Bulk(Decoded):
    """A request's records with what its reply says of each.

    Attributes:
        items: In the request's order.
        made: The beginning of the ids that the reply gives to documents without one.
    """

    items: tuple[Item, ...] = field(default=())
    made: str = ""


def decode_bulk(request: Request) -> Bulk:
    """The documents of a bulk request.

    Raises:
        BadRequestError: A line that says what to do cannot be read, so nothing after it can.
    """
    first = unquote(request.path.strip("/").rpartition("/")[0])
    items, lines = _actions(request.body, first)
    return _bulk(request, items, lines)


def decode_doc(request: Request) -> Bulk:
    """The one document of ``/<index>/_doc`` or ``/<index>/_create``, perhaps with its id.

    Raises:
        BadRequestError: There is none, or it is no JSON object.
    """
    index, verb, uid = (*map(unquote, request.path.strip("/").split("/")), "", "", "")[:3]
    try:
        plain = document(request.body)
    except UnfitError as error:
        raise BadRequestError(400, f"cannot read the document: {error}; send one JSON object") from None
    if not isinstance(plain, dict):
        raise BadRequestError(400, "cannot read the document: it is no JSON object; send one")
    item = Item("create" if verb == "_create" else "index", index, uid)
    return _bulk(request, [item], [request.body])


def record_of(plain: dict[str, Any], now: int, uid: str = "") -> dict[str, Any]:
    """A document as the record that ``formats/received.toml`` reads.

    Args:
        plain: The document.
        now: Nanoseconds since 1970 at which it came.
        uid: Its id.
    """
    attributes = flat(plain)
    record: dict[str, Any] = {}
    for key in TIMES:
        if key in attributes and (moment := instant(attributes[key])) is not None:
            record["time_unix_nano"] = moment
            del attributes[key]
            break
    record["observed_time_unix_nano"] = now
    take_text(attributes, record, "body", BODIES)
    if "body" not in record and (rest := {key: value for key, value in plain.items() if key not in PLACES}):
        record["body"] = orjson.dumps(rest).decode()
        attributes = flat({key: value for key, value in plain.items() if key in PLACES})
    if not _MOVED.isdisjoint(attributes):
        take_text(attributes, record, "severity_text", SEVERITIES)
        take_ids(attributes, record, TRACES, SPANS)
        if LOGGER in attributes:
            record["scope"] = {"name": text_of(attributes.pop(LOGGER))}
        attributes = _renamed(attributes)
    if uid:
        put(attributes, RECORD_ID, uid)
    if attributes:
        record["attributes"] = attributes
    return record


def _renamed(attributes: dict[str, Any]) -> dict[str, Any]:
    return keyed((NAMES.get(key, key), value) for key, value in attributes.items())


def _actions(body: bytes, first: str) -> tuple[list[Item], list[bytes]]:
    """What is asked for each document, and the line of each, empty for one to delete."""
    bounded(body.count(b"\n") // 4)  # two lines an item, and as many empty ones at most
    items: list[Item] = []
    lines: list[bytes] = []
    known: dict[bytes, Item] = {}
    rest: Iterator[bytes] = iter(body.split(b"\n"))
    for text in rest:
        if not text.strip():
            continue
        item = known.get(text)
        if item is None:
            known[text] = item = _action(text, first, len(items))
            if len(known) > 64:  # noqa: PLR2004 - lines with ids are each their own; only those without are worth keeping
                known.clear()
        items.append(item)
        lines.append(next(rest, b"") if item.action in _WITH_DOCUMENT else b"")
    bounded(len(items))
    if not items:
        raise BadRequestError(400, "request body is required")
    return items, lines


def _action(text: bytes, first: str, at: int) -> Item:
    try:
        asked = document(text)
    except UnfitError as error:
        raise BadRequestError(400, f"cannot read the action of item {at}: {error}") from None
    if not isinstance(asked, dict) or len(asked) != 1:
        raise BadRequestError(400, f"cannot read the action of item {at}: it is no object of one key")
    ((action, what),) = asked.items()
    if action not in _ACTIONS or not isinstance(what, dict):
        raise BadRequestError(400, f"cannot read the action of item {at}: it is none of {', '.join(sorted(_ACTIONS))}")
    index, uid = what.get("_index"), what.get("_id")
    failure = "" if action in _KEPT else f"{action} is not done here: records never change; use create"
    return Item(action, text_of(index) if index else first, "" if uid is None else text_of(uid), failure)


def _bulk(request: Request, items: list[Item], lines: list[bytes]) -> Bulk:
    now = nanoseconds(request.now)
    gather, refused = Gather(), []
    uids: dict[str, list[str]] = {}
    for at, (item, plain) in enumerate(zip(items, documents(text or b"null" for text in lines), strict=True)):
        failure = item.failure or _failure(item, plain)
        if not failure:
            stream = named(item.place)
            gather.lines(stream).append(line(record_of(plain, now, item.id)))
            uids.setdefault(stream, []).append(item.id and f"{item.place}/{item.id}")
            continue
        items[at] = item._replace(failure=failure)
        if lines[at]:
            refused.append(Refused(at, failure, lines[at]))
    ids = tuple(uid for some in uids.values() for uid in some)
    made = blake2b(request.body, digest_size=8).hexdigest()
    return Bulk(gather.parts(), tuple(refused), ids if any(ids) else (), tuple(items), made)


def _failure(item: Item, plain: Any) -> str:
    if isinstance(plain, UnfitError):
        return str(plain)
    if not isinstance(plain, dict):
        return "it is no JSON object"
    return "" if item.place else "an index is missing"


def _answer_bulk(request: Request, decoded: Decoded) -> Reply:
    if not isinstance(decoded, Bulk):
        raise TypeError(type(decoded))
    return bulk_reply(decoded.items, decoded.made, slim="filter_path" in request.query)


def _answer_doc(request: Request, decoded: Decoded) -> Reply:
    del request
    if not isinstance(decoded, Bulk):
        raise TypeError(type(decoded))
    return doc_reply(decoded.items[0], decoded.made)


ROUTES: tuple[Route, ...] = (
    Route(("POST", "PUT"), "/_bulk", decode_bulk, _answer_bulk, refusal),
    Route(("POST", "PUT"), "/{index}/_bulk", decode_bulk, _answer_bulk, refusal),
    Route(("POST",), "/{index}/_doc", decode_doc, _answer_doc, refusal),
    Route(("POST", "PUT"), "/{index}/_doc/{id}", decode_doc, _answer_doc, refusal),
    Route(("POST", "PUT"), "/{index}/_create/{id}", decode_doc, _answer_doc, refusal),
    *probes(),
)
