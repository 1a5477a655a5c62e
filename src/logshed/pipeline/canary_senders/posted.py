"""A canary's lines by what is posted over HTTP: Elasticsearch's ``_bulk``, Loki's push, Splunk's HEC, raw lines."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

import orjson

from logshed.alerts.common.http import Poster
from logshed.errors import DeliveryError
from logshed.pipeline.canary_senders.model import SERVICE, iso
from logshed.pipeline.sinks import delivering

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from logshed.pipeline.canary_senders.model import Batch
    from logshed.pipeline.sinks import Sink

_MILLION = 1_000_000


def bulk(batch: Batch) -> bytes:
    """Lines as documents with ids, so that one that is sent again is the same."""
    parts = []
    for number, (micros, text) in enumerate(zip(batch.micros, batch.texts, strict=True), batch.first):
        parts.append(orjson.dumps({"create": {"_index": batch.collection, "_id": f"{batch.key}-{number}"}}))
        parts.append(orjson.dumps({"@timestamp": iso(micros), "message": text, "service": {"name": SERVICE}}))
    return b"\n".join(parts) + b"\n"


def push(batch: Batch) -> bytes:
    """Lines as Promtail sends them: protobuf and snappy."""
    import cramjam  # noqa: PLC0415 - of the extra `receive`

    from logshed.receivers.common.loki_push import message  # noqa: PLC0415 - of the extra `receive`

    pushed = message("Push")()
    stream = pushed.streams.add(labels=f'{{job="{SERVICE}"}}'.encode())
    for micros, text in zip(batch.micros, batch.texts, strict=True):
        entry = stream.entries.add(line=text.encode())
        entry.timestamp.seconds, entry.timestamp.nanos = micros // _MILLION, micros % _MILLION * 1000
    return bytes(cramjam.snappy.compress_raw(pushed.SerializeToString()))


def events(batch: Batch) -> bytes:
    """Lines as events, one after the other."""
    of = {"source": SERVICE, "index": batch.collection}
    return b"".join(
        orjson.dumps({"time": micros / _MILLION, "event": text, **of})
        for micros, text in zip(batch.micros, batch.texts, strict=True)
    )


def raw(batch: Batch) -> bytes:
    """Lines as they are."""
    return "".join(f"{text}\n" for text in batch.texts).encode()


def bearer(token: str) -> str:
    """A token as most doors take it."""
    return f"Bearer {token}"


def api_key(token: str) -> str:
    """A token as Elasticsearch's clients send it."""
    return f"ApiKey {b64encode(f'canary:{token}'.encode()).decode()}"


def splunk(token: str) -> str:
    """A token as Splunk's clients send it."""
    return f"Splunk {token}"


@dataclass(frozen=True, slots=True)
class Way:
    """How a protocol is posted.

    Attributes:
        port: Its own port.
        path: Where to; the collection is filled in.
        kind: The content type.
        encode: Makes a body.
        authorize: Makes the header of a token.
        headers: More of them; the collection is filled in.
        failed: What stands in an answer that took not all.
    """

    port: int
    path: str
    kind: str
    encode: Callable[[Batch], bytes]
    authorize: Callable[[str], str] = bearer
    headers: Mapping[str, str] = field(default_factory=dict)
    failed: bytes = b""


WAYS = {
    "elastic": Way(9200, "/_bulk?filter_path=errors", "application/x-ndjson", bulk, api_key, failed=b'"errors":true'),
    "loki": Way(3100, "/loki/api/v1/push", "application/x-protobuf", push, headers={"X-Scope-OrgID": "{collection}"}),
    "splunk": Way(8088, "/services/collector/event", "application/json", events, splunk),
    "raw": Way(4318, f"/v1/raw/{{collection}}?stream={SERVICE}", "text/plain; charset=utf-8", raw),
}
"""By protocol."""


class Posted:
    """One of them."""

    acknowledges = True

    def __init__(self, sink: Sink) -> None:
        self._sink, self._way = sink, WAYS[sink.protocol]
        self._poster: Poster | None = None

    def send(self, batch: Batch) -> None:
        """As in ``Sender``."""
        with delivering():
            poster = self._poster = self._poster or self._opened(batch.collection)
            answer = poster.post(self._way.encode(batch), {"Idempotency-Key": batch.key})
        if self._way.failed and self._way.failed in answer.replace(b" ", b""):
            raise DeliveryError("cannot send: some of the lines were refused, as the answer says; see the door's log")

    def close(self) -> None:
        """As in ``Sender``."""
        if self._poster is not None:
            self._poster.close()

    def _opened(self, collection: str) -> Poster:
        way, sink = self._way, self._sink
        url = sink.url(way.port, way.path.format(collection=quote(collection, safe="")))
        headers = {name: value.format(collection=collection) for name, value in way.headers.items()}
        headers |= {"Content-Type": way.kind} | ({"Authorization": way.authorize(sink.token)} if sink.token else {})
        return Poster(url, headers=headers, ca_file=sink.ca_file)


SENDERS = {f"{protocol}+{transport}": Posted for protocol in WAYS for transport in ("http", "https")}
