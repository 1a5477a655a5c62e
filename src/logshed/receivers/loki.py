"""Loki's push, in protobuf with snappy and in JSON, by which Promtail, Alloy, Vector, Fluent Bit and others send.

The line is the record's body, labels and structured metadata are attributes, under OpenTelemetry's names where they
have one. The tenant in ``X-Scope-OrgID`` is the collection that the client asks for. A door leaves the content encoding
``snappy`` to this decoder, since most clients compress so without saying it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from logshed.receivers.common.documents import document, put
from logshed.receivers.common.gather import Gather, asked, header, line, named, take_ids
from logshed.receivers.common.loki_push import few, read_push
from logshed.receivers.common.records import UnfitError, bounded, keyed, nanoseconds, text_of
from logshed.receivers.common.times import instant
from logshed.receivers.model import MOST_RECORDS, BadRequestError, Decoded, Refused, Reply, Request, Route

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAME = "loki"
LARGEST = 16 << 20
"""Bytes that snappy may make of a body."""
STREAMS = ("service_name", "service", "job", "app", "application", "container", "filename", "host")
"""Labels of which the first that is there names the stream."""
SEVERITIES = ("severity_text", "level", "severity", "detected_level")
TRACES, SPANS = ("trace_id", "traceID", "traceId"), ("span_id", "spanID", "spanId")
NAMES = {
    "container": "k8s.container.name",
    "container_name": "container.name",
    "deployment_environment": "deployment.environment.name",
    "filename": "log.file.path",
    "host": "host.name",
    "hostname": "host.name",
    "k8s_cluster_name": "k8s.cluster.name",
    "k8s_container_name": "k8s.container.name",
    "k8s_namespace_name": "k8s.namespace.name",
    "k8s_node_name": "k8s.node.name",
    "k8s_pod_name": "k8s.pod.name",
    "namespace": "k8s.namespace.name",
    "node_name": "k8s.node.name",
    "pod": "k8s.pod.name",
    "service_instance_id": "service.instance.id",
    "service_name": "service.name",
    "service_namespace": "service.namespace",
    "stream": "log.iostream",
}
"""Labels that Promtail, Alloy and the OpenTelemetry Collector write, and OpenTelemetry's names for them."""
MOST_PAIRS = 1_000_000
"""Labels and metadata that a push may have."""
_LONGEST_LABELS = 1 << 16
_SECOND = 1_000_000_000
_HIGHEST = 2**63 - 1
_LABEL = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_.:-]*)\s*=\s*("(?:[^"\\]|\\.)*"|`[^`]*`)\s*(?:,|$)')
_ESCAPES = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL)
_LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_UNICODE = 0x10FFFF
_HALVES = range(0xD800, 0xE000)


def decode(request: Request) -> Decoded:
    """The lines of a push.

    Raises:
        BadRequestError: It is neither of the two encodings.
    """
    gather, refused = Gather(), []
    collection, now = asked(header(request, "x-scope-orgid")), nanoseconds(request.now)
    if "json" in header(request, "content-type"):
        streams = _from_json(request.body)
    else:
        streams = _from_protobuf(unsnapped(request.body))
    at = pairs = 0
    for labels, entries in streams:
        pairs += len(labels)
        resource, severity, stream = _labels(labels)
        around = {"resource": orjson.Fragment(orjson.dumps(resource))} if resource else {}
        lines = gather.lines(stream, collection)
        for moment, text, metadata in entries:
            if text is None:
                refused.append(Refused(at, "an entry is a time and a line", metadata))
            else:
                pairs += len(metadata)
                lines.append(_record(moment, text, metadata, severity, around, now))
            at += 1
            if at > MOST_RECORDS or pairs > MOST_PAIRS:
                raise BadRequestError(413, "the push has too many entries, labels or metadata; send fewer at a time")
    return Decoded(gather.parts(), tuple(refused))


def unsnapped(body: bytes) -> bytes:
    """A body without its compression.

    Raises:
        BadRequestError: It is not compressed, or is larger than it may be.
    """
    import cramjam  # noqa: PLC0415 - of the extra `receive`

    try:
        if cramjam.snappy.decompress_raw_len(body) > LARGEST:
            raise BadRequestError(
                413, f"the push has more than {LARGEST >> 20} MiB without snappy; send less at a time"
            )
        return bytes(cramjam.snappy.decompress_raw(body)) if body else b""
    except cramjam.DecompressionError:
        raise BadRequestError(
            400, "cannot read the push: it is not compressed by snappy, nor said to be JSON"
        ) from None


def parse_labels(text: str) -> dict[str, str]:
    """Labels as Prometheus writes them: ``{job="web", host="a"}``.

    Raises:
        BadRequestError: They are not written so.
    """
    if len(text) > _LONGEST_LABELS:
        raise BadRequestError(
            400, f"cannot read the labels of a stream: they have more than {_LONGEST_LABELS} characters"
        )
    found: list[tuple[str, str]] = []
    inner, at = text.strip().removeprefix("{").removesuffix("}"), 0
    while at < len(inner):
        label = _LABEL.match(inner, at)
        if label is None:
            raise BadRequestError(400, 'cannot read the labels of a stream: they are not of the form {name="value"}')
        value = label[2][1:-1]
        found.append((label[1], value if label[2][0] == "`" else _ESCAPES.sub(_unescaped, value)))
        at = label.end()
    return keyed(found)


def _unescaped(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2] or escape[3]
    code = int(digits, 16) if digits else int(escape[4], 8) if escape[4] else None
    if code is None:
        return _LETTERS.get(escape[5], escape[5])
    return "\ufffd" if code > _UNICODE or code in _HALVES else chr(code)


def _labels(labels: dict[str, Any]) -> tuple[dict[str, Any], str, str]:
    """The attributes that labels make, the severity and the name of the stream in them."""
    plain = {key: value for key, value in labels.items() if value is not None}
    name = next((text_of(plain[key]) for key in STREAMS if plain.get(key)), "")
    severity = _severity(plain)
    resource: dict[str, Any] = {}
    for key, value in plain.items():
        put(resource, NAMES.get(key, key), text_of(value) if isinstance(value, (dict, list)) else value)
    return resource, severity, named(name)


def _severity(attributes: dict[str, Any]) -> str:
    key = next((one for one in SEVERITIES if isinstance(attributes.get(one), str)), "")
    return str(attributes.pop(key)) if key else ""


def _record(
    moment: int | None, text: str, metadata: dict[str, Any], severity: str, around: dict[str, Any], now: int
) -> bytes:
    record: dict[str, Any] = {} if moment is None else {"time_unix_nano": moment}
    record["observed_time_unix_nano"] = now
    record["body"] = text
    if metadata:
        severity = _severity(metadata) or severity
        take_ids(metadata, record, TRACES, SPANS)
        attributes: dict[str, Any] = {}
        for key, value in metadata.items():
            if value is not None:
                plain = text_of(value) if isinstance(value, (dict, list)) else value
                put(attributes, NAMES.get(key, key), plain)
        if attributes:
            record["attributes"] = attributes
    if severity:
        record["severity_text"] = severity
    record.update(around)
    return line(record)


def _from_protobuf(body: bytes) -> Iterator[tuple[dict[str, Any], Iterable[Any]]]:
    for labels, entries in read_push(body):
        yield parse_labels(labels.decode("utf-8", "replace")), map(_entry, entries)


def _entry(entry: Any) -> tuple[int | None, str, dict[str, Any]]:
    time = entry.timestamp
    moment = time.seconds * _SECOND + time.nanos
    pairs = ((one.name.decode("utf-8", "replace"), one.value.decode("utf-8", "replace")) for one in few(entry.metadata))
    return moment if 0 < moment <= _HIGHEST else None, entry.line.decode("utf-8", "replace"), keyed(pairs)


def _from_json(body: bytes) -> Iterator[tuple[dict[str, Any], Iterable[Any]]]:
    try:
        push = document(body)
    except UnfitError as error:
        raise BadRequestError(400, f"cannot read the push: {error}") from None
    streams = push.get("streams") if isinstance(push, dict) else None
    if not isinstance(streams, list):
        raise BadRequestError(400, "cannot read the push: it has no list of streams")
    bounded(len(streams))
    for stream in streams:
        if not isinstance(stream, dict):
            raise BadRequestError(400, "cannot read the push: a stream is no object")
        labels = stream.get("stream", stream.get("labels", {}))
        entries = stream.get("values", stream.get("entries", []))
        if isinstance(labels, str):
            labels = parse_labels(labels)
        if not isinstance(labels, dict) or not isinstance(entries, list):
            raise BadRequestError(400, "cannot read the push: a stream has no labels, or no list of entries")
        yield labels, map(_value, entries)


def _value(value: Any) -> tuple[int | None, str | None, Any]:
    """An entry of either form of JSON; what is none has no text, and its bytes as metadata."""
    if isinstance(value, dict) and "line" in value:
        return instant(value.get("ts")), text_of(value["line"]), _metadata(value.get("structuredMetadata"))
    if isinstance(value, list) and len(value) > 1:
        moment = value[0]
        if isinstance(moment, str) and moment.isdigit() and moment.isascii() and len(moment) < 20:  # noqa: PLR2004 - 2**63 has 19
            moment = int(moment)
        exact = isinstance(moment, int) and not isinstance(moment, bool) and 0 < moment <= _HIGHEST
        return moment if exact else None, text_of(value[1]), _metadata(value[2] if len(value) > 2 else None)  # noqa: PLR2004 - the third
    return None, None, orjson.dumps(value)


def _metadata(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return dict(value)
    return {} if value is None else {"metadata": value}


def _answer(request: Request, decoded: Decoded) -> Reply:
    del request, decoded
    return Reply(204)


def _refuse(request: Request, status: int, text: str) -> Reply:
    del request
    return Reply(status, text.encode() + b"\n", {"Content-Type": "text/plain; charset=utf-8"})


def _ready(request: Request, decoded: Decoded) -> Reply:
    del request, decoded
    return Reply(200, b"ready\n", {"Content-Type": "text/plain; charset=utf-8"})


def _labels_known(request: Request, decoded: Decoded) -> Reply:
    """No labels are kept as such; asked by those that test the address only."""
    del request, decoded
    return Reply(200, b'{"status":"success","data":[]}', {"Content-Type": "application/json"})


ROUTES: tuple[Route, ...] = (
    Route(("POST",), "/loki/api/v1/push", decode, _answer, _refuse),
    Route(("POST",), "/api/prom/push", decode, _answer, _refuse),
    Route(("GET",), "/ready", None, _ready, _refuse, open=True),
    Route(("GET",), "/loki/api/v1/labels", None, _labels_known, _refuse),
)
