"""Clients of Elasticsearch, OpenSearch, Loki and Splunk, curl, and a webhook signed as GitHub signs it."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import logging
import subprocess
import urllib.request
from typing import TYPE_CHECKING, Any

import cramjam
import pytest
from tests.receive.content import COUNT, EMAIL, MOMENT, NGINX, PLANTED, lines, numbered
from tests.receive.pushes import Entry, push

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.receive.receiver import Receiver

SIGNED_BY = "It's a Secret to Everybody"
DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958"


def documents(name: str) -> list[dict[str, Any]]:
    """A client's lines as documents of the Elastic Common Schema."""
    made: list[dict[str, Any]] = [
        {"@timestamp": (MOMENT + number) * 1000, "message": text, "log": {"level": "warn"}, "service": {"name": "shop"}}
        for number, text in enumerate(lines(name))
    ]
    made[1] |= {
        "host": {"name": "web-1"},
        "trace": {"id": "5b8efff798038103d269b633813fc60c"},
        "span": {"id": "eee19b7ec3c1b174"},
        "user": {"id": "u9"},
        "http": {"request": {"method": "POST"}, "response": {"status_code": 503}},
        "kubernetes": {"namespace": "web", "pod": {"name": "shop-0"}},
        "labels": {"team": "core", "owner": EMAIL},
        "retry": True,
    }
    return made


def actions(name: str, **more: Any) -> Iterator[dict[str, Any]]:
    """What the bulk helpers are given: documents with ids, and those of another index."""
    for number, plain in enumerate(documents(name)):
        yield {"_index": "shop", "_id": f"{name}-{number}", "_source": plain, **more}
    access = {"@timestamp": "2024-05-01T10:00:30Z", "message": NGINX, "service": {"name": "front"}}
    yield {"_index": "access", "_id": f"{name}-access", "_source": access, **more}


def elasticsearch(receiver: Receiver, name: str) -> dict[str, Any]:
    """The official client, with an API key: all by ``bulk``, again by ``streaming_bulk``, and some that must fail."""
    from elasticsearch import Elasticsearch, helpers  # noqa: PLC0415 - names are those of the other client

    key = ("id", receiver.token(name))
    with Elasticsearch(receiver.url(), api_key=key, http_compress=True) as client:
        told: dict[str, Any] = {"version": client.info()["version"]["number"]}
        told["bulk"] = helpers.bulk(client, actions(name), chunk_size=4)
        again = helpers.streaming_bulk(client, actions(name, _op_type="create"))
        told["again"] = [(ok, item["create"]["_id"]) for ok, item in again]
        mixed: list[dict[str, Any]] = [
            {"_op_type": "create", "_index": "shop", "_id": f"{name}-new", "message": f"{name} new"},
            {"_op_type": "update", "_index": "shop", "_id": f"{name}-1", "doc": {"message": PLANTED}},
            {"_op_type": "delete", "_index": "shop", "_id": f"{name}-2"},
        ]
        told["mixed"] = helpers.bulk(client, mixed, raise_on_error=False)
        made = client.index(index="shop", document={"message": f"{name} alone"})
        told["index"] = made["result"]
    return told


def opensearch(receiver: Receiver, name: str) -> dict[str, Any]:
    """OpenSearch's client, with a user and a password."""
    from opensearchpy import OpenSearch, helpers  # noqa: PLC0415 - as above

    client = OpenSearch(receiver.url(), http_auth=("shipper", receiver.token(name)), http_compress=True)
    told: dict[str, Any] = {"bulk": helpers.bulk(client, actions(name), chunk_size=4)}
    told["again"] = [ok for ok, _ in helpers.parallel_bulk(client, actions(name), thread_count=2)]
    client.close()
    return told


def loki(receiver: Receiver, name: str) -> None:
    """A handler of Python's logging, in both of Loki's JSON forms."""
    library = pytest.importorskip("logging_loki", reason="needs python-logging-loki")
    for version, some in (("0", lines(name)[: COUNT // 2]), ("1", lines(name)[COUNT // 2 :])):
        handler = library.LokiHandler(
            url=receiver.url("/loki/api/v1/push"),
            tags={"job": "shop", "host": "web-1", "team": "core", "owner": EMAIL},
            auth=("tenant", receiver.token(name)),
            version=version,
        )
        handler.setFormatter(logging.Formatter("%(message)s"))
        handler.handleError = _raise
        for number, text in enumerate(some):
            made = logging.LogRecord("orders", logging.WARNING, "", 1, text, (), None)
            made.created = MOMENT + number
            handler.handle(made)
        handler.emitter.close()


def promtail(receiver: Receiver, name: str) -> None:
    """The bytes that Promtail and Alloy send: protobuf packed by snappy, with a tenant."""
    shop = '{service_name="shop", namespace="web", pod="shop-0", filename="/var/log/shop.log", level="warn"}'
    entries: list[Entry] = [((MOMENT + number) * 10**9 + 7, text, {}) for number, text in enumerate(lines(name))]
    entries[1] = (*entries[1][:2], {"trace_id": "5b8efff798038103d269b633813fc60c", "owner": EMAIL})
    body = push((shop, entries), ('{job="nginx"}', [((MOMENT + 30) * 10**9, NGINX, {})]))
    headers = {
        "content-type": "application/x-protobuf",
        "x-scope-orgid": name,
        "user-agent": "promtail/3.4.2",
        "authorization": f"Bearer {receiver.token(name)}",
    }
    assert post(receiver.url("/loki/api/v1/push"), bytes(cramjam.snappy.compress_raw(body)), headers) == (204, b"")


def splunk_hec_handler(receiver: Receiver, name: str) -> None:
    """A handler of Python's logging that sends an event a request."""
    library = pytest.importorskip("splunk_hec_handler", reason="needs splunk-hec-handler")
    handler = library.SplunkHecHandler(
        "127.0.0.1",
        receiver.token(name),
        port=receiver.port("http"),
        proto="http",
        source="shop",
        sourcetype="_json",
        hostname="web-1",
        empty_body=True,
    )
    for number, text in enumerate(lines(name)):
        made = {"message": text, "time": MOMENT + number, "fields": {"team": "core", "owner": EMAIL}}
        handler.handle(logging.LogRecord("x", logging.WARNING, "", 1, made, (), None))
    handler.r.close()


def splunk_handler(receiver: Receiver, name: str) -> None:
    """A handler of Python's logging that sends many events a request."""
    library = pytest.importorskip("splunk_handler", reason="needs splunk-handler")
    handler = library.SplunkHandler(
        host="127.0.0.1",
        port=receiver.port("http"),
        token=receiver.token(name),
        index=name,
        protocol="http",
        verify=False,
        hostname="web-1",
        source="shop",
        sourcetype="app",
        flush_interval=0,
    )
    for text in lines(name):
        handler.handle(logging.LogRecord("x", logging.WARNING, "", 1, text, (), None))
    handler.shutdown()


def curl(receiver: Receiver, name: str, folder: Path) -> dict[str, Any]:
    """Raw lines from a file, packed ones, JSON lines of which one is none, and events of HEC."""
    raw, access, events = folder / "raw.log", folder / "access.log", folder / "events.ndjson"
    raw.write_text("".join(f"{text}\n" for text in numbered(name)[: COUNT // 2]))
    access.write_text(f"{NGINX}\n")
    some = [
        {"time": "2024-05-01T10:00:00Z", "level": "warn", "msg": text, "owner": EMAIL}
        for text in lines(name)[COUNT // 2 :]
    ]
    events.write_text("".join(f"{json.dumps(one)}\n" for one in some) + f"no JSON, {PLANTED}\n")
    packed = folder / "packed.gz"
    packed.write_bytes(gzip.compress(f"{NGINX}\n".encode()))
    hec = json.dumps({"time": MOMENT, "event": f"{name} hec", "fields": {"owner": EMAIL}})
    bearer, splunk = (f"Authorization: {kind} {receiver.token(name)}" for kind in ("Bearer", "Splunk"))
    return {
        "raw": _curl(receiver, "/v1/raw?stream=shop", bearer, f"@{raw}"),
        "access": _curl(receiver, f"/v1/raw/{name}?stream=access", bearer, f"@{access}"),
        "packed": _curl(receiver, "/v1/raw?stream=packed", bearer, f"@{packed}", "-H", "Content-Encoding: gzip"),
        "ndjson": _curl(receiver, "/v1/ndjson?stream=events", bearer, f"@{events}"),
        "hec": _curl(receiver, "/services/collector", splunk, hec),
    }


def github(receiver: Receiver, name: str) -> tuple[int, bytes]:
    """A delivery, sent twice, as GitHub does when it is asked to."""
    plain = {
        "action": "opened",
        "issue": {"title": f"{name} sold article 0", "body": PLANTED},
        "repository": {"full_name": "shop/web"},
    }
    body = json.dumps(plain).encode()
    headers = signed(body, SIGNED_BY)
    post(receiver.url("/v1/webhook"), body, headers)
    return post(receiver.url("/v1/webhook"), body, headers)


def signed(body: bytes, secret: str) -> dict[str, str]:
    """The headers of a delivery, signed as GitHub documents it."""
    return {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/044aadd",
        "x-github-event": "issues",
        "x-github-delivery": DELIVERY,
        "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


def curl_file(receiver: Receiver, name: str, file: Path) -> Any:
    """A file as it is."""
    return _curl(receiver, "/v1/raw", f"Authorization: Bearer {receiver.token(name)}", f"@{file}")


def post(url: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Status and body of the answer to a POST."""
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - of a test's own door
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - as above
        return answer.status, answer.read()


def _curl(receiver: Receiver, path: str, authorization: str, data: str, *more: str) -> Any:
    command = ["curl", "-sS", "--fail-with-body", "-H", authorization, *more, "--data-binary", data, receiver.url(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def _raise(_: logging.LogRecord) -> None:
    raise  # noqa: PLE0704 - called by logging while it handles an exception
