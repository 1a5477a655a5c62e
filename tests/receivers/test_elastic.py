from __future__ import annotations

import orjson
import pytest
from elasticsearch import Elasticsearch
from elasticsearch import helpers as elastic_helpers
from hypothesis import given, settings
from opensearchpy import OpenSearch
from opensearchpy import helpers as open_helpers
from tests.receivers.requests import BODIES, NOW_NANOSECONDS, records, request, served, total

from logshed.receivers.common.elastic_replies import version_for
from logshed.receivers.elastic import NAMES, ROUTES, decode_bulk, decode_doc
from logshed.receivers.model import BadRequestError, Decoded

BULK = next(one for one in ROUTES if one.path == "/_bulk")
DOC = next(one for one in ROUTES if one.path == "/{index}/_doc")


def bulk(*lines: object) -> bytes:
    return b"".join(one if isinstance(one, bytes) else orjson.dumps(one) + b"\n" for one in lines)


def test_a_document_of_the_elastic_common_schema_becomes_a_record() -> None:
    plain = {
        "@timestamp": "2026-11-26T13:59:59.123Z",
        "message": '192.0.2.1 - - [26/Nov/2026:13:59:59 +0000] "GET / HTTP/1.1" 200 5',
        "log": {
            "level": "warning",
            "logger": "org.example",
            "file": {"path": "/var/log/a"},
            "origin": {"file": {"line": 7}},
        },
        "trace": {"id": "4BF92F3577B34DA6A3CE929D0E0E4736"},
        "span": {"id": "short"},
        "kubernetes": {"pod": {"name": "web-1"}, "namespace": "shop"},
        "tags": ["a", "b"],
        "error": {"stack_trace": "a\nb"},
        "http": {"response": {"status_code": 404}},
        "ok": True,
    }
    decoded = decode_bulk(request(bulk({"create": {"_index": "web", "_id": "7"}}, plain)))
    assert [(part.stream, part.format, part.collection) for part in decoded.parts] == [("web", "received/", "")]
    assert decoded.ids == ("web/7",)
    assert records(decoded) == [
        {
            "time_unix_nano": NOW_NANOSECONDS - 877_000_000,
            "observed_time_unix_nano": NOW_NANOSECONDS,
            "severity_text": "warning",
            "body": plain["message"],
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
            "scope": {"name": "org.example"},
            "attributes": {
                "log.file.path": "/var/log/a",
                "code.line.number": 7,
                "span.id": "short",
                "k8s.pod.name": "web-1",
                "k8s.namespace.name": "shop",
                "tags": '["a","b"]',
                "exception.stacktrace": "a\nb",
                "http.response.status_code": 404,
                "ok": True,
                "log.record.uid": "7",
            },
        }
    ]


def test_what_only_has_the_name_of_a_column_stays_an_attribute() -> None:
    plain = {"@timestamp": "soon", "message": "x", "level": 3, "hostname": "a", "host": {"name": "b"}, "trace_id": "x"}
    (found,) = records(decode_bulk(request(bulk({"index": {}}, plain), "/logs/_bulk")))
    assert found == {
        "observed_time_unix_nano": NOW_NANOSECONDS,
        "body": "x",
        "attributes": {"@timestamp": "soon", "level": 3, "host.name.1": "a", "host.name": "b", "trace_id": "x"},
    }


def test_a_document_without_a_line_is_the_line_of_json_that_it_was() -> None:
    event = {"@timestamp": "2026-11-26T14:00:00Z", "event_type": "alert", "alert": {"severity": 1}, "message": 5}
    (found,) = records(
        decode_bulk(request(bulk({"index": {}}, {**event, "kubernetes": {"pod_name": "p"}}), "/a/_bulk"))
    )
    assert orjson.loads(found.pop("body")) == event
    assert found == {
        "time_unix_nano": NOW_NANOSECONDS,
        "observed_time_unix_nano": NOW_NANOSECONDS,
        "attributes": {"k8s.pod.name": "p"},
    }


def test_no_name_is_mapped_to_itself() -> None:
    assert [key for key, value in NAMES.items() if key == value] == []


def test_the_index_is_the_actions_or_the_addresses_and_ids_follow_the_parts() -> None:
    body = bulk(
        {"index": {"_id": "1"}}, {"a": 1}, {"create": {"_index": "b"}}, {"a": 2}, {"index": {"_id": 3}}, {"a": 3}
    )
    decoded = decode_bulk(request(body, "/one%2Ftwo/_bulk"))
    assert [(part.stream, part.records) for part in decoded.parts] == [("one/two", 2), ("b", 1)]
    assert decoded.ids == ("one/two/1", "one/two/3", "")
    assert [one["body"] for one in records(decoded)] == ['{"a":1}', '{"a":3}', '{"a":2}']


def test_each_item_has_its_own_fate_and_what_cannot_be_kept_is_kept_aside() -> None:
    body = bulk(
        {"index": {"_index": "a"}}, {"message": "fine"},
        {"delete": {"_index": "a", "_id": "1"}},
        {"update": {"_index": "a", "_id": "1"}}, {"doc": {"x": 1}},
        {"create": {"_index": "a"}}, b'{"broken\n',
        {"create": {}}, {"message": "nowhere"},
        {"create": {"_index": "a"}}, b"7\n",
        {"create": {"_index": "a"}}, b'{"a":' * 65 + b"1" + b"}" * 65 + b"\n",
        b"\n", {"create": {"_index": "a"}}, b'{"message":"last, without its line feed"}',
    )  # fmt: skip
    asked = request(body)
    decoded = decode_bulk(asked)
    assert [one["body"] for one in records(decoded)] == ["fine", "last, without its line feed"]
    assert [(one.index, one.reason.split(":")[0]) for one in decoded.refused] == [
        (2, "update is not done here"),
        (3, "it is no JSON"),
        (4, "an index is missing"),
        (5, "it is no JSON object"),
        (6, "it is nested more than 64 levels deep"),
    ]
    assert decoded.refused[1].data == b'{"broken'
    said = orjson.loads(BULK.answer(asked, decoded).body)
    assert said["errors"] is True
    fates = [next(iter(item.items())) for item in said["items"]]
    assert [(action, item["status"]) for action, item in fates] == [
        ("index", 201), ("delete", 400), ("update", 400), ("create", 400),
        ("create", 400), ("create", 400), ("create", 400), ("create", 201),
    ]  # fmt: skip
    assert fates[1][1]["error"]["type"] == "illegal_argument_exception"


def test_a_reply_is_written_as_clients_search_it() -> None:
    body = bulk({"index": {"_index": "a"}}, {"x": 1}, {"index": {"_index": "a", "_id": 'q"'}}, {"x": 2})
    asked = request(body)
    reply = BULK.answer(asked, decode_bulk(asked))
    assert reply.headers["X-Elastic-Product"] == "Elasticsearch"
    assert b'"errors":false,"items":[' in reply.body  # Fluent Bit looks for it in a reply that it could not read whole
    first, second = (one["index"] for one in orjson.loads(reply.body)["items"])
    assert first["_id"] != second["_id"] == 'q"'
    slim = request(body, query="filter_path=errors,items.index.status,items.index.error")
    assert orjson.loads(BULK.answer(slim, decode_bulk(slim)).body)["items"] == [{"index": {"status": 201}}] * 2


@pytest.mark.parametrize(
    "body",
    [b"", b"\n\n", b"x\n{}\n", b"[]\n{}\n", b'{"index":{},"x":{}}\n{}\n', b'{"index":7}\n{}\n', b'{"drop":{}}\n{}\n'],
)
def test_a_body_whose_actions_cannot_be_read_is_refused_whole(body: bytes) -> None:
    asked = request(bulk({"index": {"_index": "a"}}, {}) + body if body.strip() else body)
    with pytest.raises(BadRequestError) as caught:
        decode_bulk(asked)
    reply = BULK.refuse(asked, caught.value.status, caught.value.text)
    assert (reply.status, orjson.loads(reply.body)["error"]["reason"]) == (400, caught.value.text)


def test_more_documents_than_a_request_may_hold_are_refused() -> None:
    with pytest.raises(BadRequestError) as caught:
        decode_bulk(request(b'{"index":{"_index":"a"}}\n{}\n' * 100_001))
    assert caught.value.status == 413


def test_one_document_has_an_address_of_its_own() -> None:
    asked = request(b'{\n "message": "x"\n}', "/web/_doc/5")
    decoded = decode_doc(asked)
    assert ([one["body"] for one in records(decoded)], decoded.ids) == (["x"], ("web/5",))
    reply = DOC.answer(asked, decoded)
    assert (reply.status, orjson.loads(reply.body)["_id"]) == (201, "5")


@pytest.mark.parametrize(
    ("agent", "version"),
    [
        ("Elastic-Filebeat/8.17.0 (linux; amd64; abc; 2026)", "8.99.0"),
        ("Elastic-filebeat/9.1.2 (linux)", "9.99.0"),
        ("Filebeat/7.17.0", "7.99.0"),
        ("Elastic-Heartbeat/6.8.0", "7.99.0"),
        ("Logstash/9.0.0 (OS=Linux)", "9.99.0"),
        ("elasticsearch-py/9.5.1 (Python/3.11.9)", "9.99.0"),
        ("Vector/0.50.0", "8.99.0"),
        ("fluent-plugin-elasticsearch/5.4.0", "8.99.0"),
        ("", "8.99.0"),
    ],
)
def test_the_version_is_of_the_clients_major_and_newer(agent: str, version: str) -> None:
    assert version_for(agent) == version


def test_the_clients_of_elasticsearch_and_opensearch_deliver() -> None:
    with served(ROUTES) as (address, taken):
        with Elasticsearch(address, http_compress=True) as client:
            assert client.info()["version"]["number"].endswith(".99.0")
            assert client.ping()
            assert client.cluster.health()["status"] == "green"
            assert client.license.get()["license"]["status"] == "active"
            assert client.indices.exists(index="web")
            assert client.indices.exists_index_template(name="web")
            assert client.indices.put_index_template(name="web", index_patterns=["web*"])["acknowledged"]
            assert client.ilm.put_lifecycle(name="p", policy={})["acknowledged"]
            assert client.ingest.put_pipeline(id="p", processors=[])["acknowledged"]
            assert client.index(index="web", document={"message": "alone"})["result"] == "created"
            actions = ({"_index": "web", "_id": str(number), "message": f"line {number}"} for number in range(1_000))
            assert elastic_helpers.bulk(client, actions) == (1_000, [])
            bad = [{"_op_type": "delete", "_index": "web", "_id": "1"}, {"_index": "web", "message": "good"}]
            done, failed = elastic_helpers.bulk(client, bad, raise_on_error=False)
            assert (done, [one["delete"]["status"] for one in failed]) == (1, [400])
        with OpenSearch(address) as other:
            assert other.info()["cluster_name"] == "logshed"
            assert open_helpers.bulk(other, [{"_index": "open", "message": "x"}] * 3) == (3, [])
    bodies = [one.get("body") for decoded in taken for one in records(decoded)]
    assert bodies == ["alone", *(f"line {number}" for number in range(1_000)), "good", *"xxx"]
    assert {part.stream for decoded in taken for part in decoded.parts} == {"web", "open"}


def test_what_beats_ask_before_they_send_is_there() -> None:
    routes = {(method, one.path): one for one in ROUTES for method in one.methods}
    features = routes["GET", "/_xpack"].answer(request(), Decoded(()))
    assert orjson.loads(features.body)["features"]["ilm"] == {"available": True, "enabled": True}
    for path in ("/_ilm/policy/{name}", "/_index_template/{name}", "/_data_stream/{name}", "/_ingest/pipeline/{name}"):
        for method in ("GET", "HEAD", "PUT"):
            reply = routes[method, path].answer(request(path=path.replace("{name}", "filebeat")), Decoded(()))
            assert (reply.status, reply.headers["X-Elastic-Product"]) == (200, "Elasticsearch")


@settings(max_examples=100, deadline=None)
@given(BODIES)
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    total(decode_bulk, request(body))
    total(decode_bulk, request(b'{"create":{}}\n' + body, "/a/_bulk"))
    total(decode_doc, request(body, "/a/_doc"))
