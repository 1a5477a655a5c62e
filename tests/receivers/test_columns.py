"""What is sent over HTTP has the columns that it has when it is read from its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import polars as pl
import pytest
from tests.receivers.requests import NOW, request

from logshed.formats.choice import Choice
from logshed.formats.detect import detect
from logshed.formats.parse import parse
from logshed.receivers import elastic, lines, loki, splunk, webhook

if TYPE_CHECKING:
    from logshed.receivers.model import Decoded

NGINX = '192.0.2.7 - ann [26/Nov/2026:13:00:00 +0000] "GET /a?b=c HTTP/1.1" 404 12 "-" "curl/8.5.0"'
SECOND = 1_795_701_600
JSON = {"content_type": "application/json"}


def sent(name: str) -> Decoded:
    """One request of three records as a client of a protocol writes it."""
    if name == "elastic":
        plain = {
            "@timestamp": "2026-11-26T13:00:01Z",
            "message": NGINX,
            "host": {"name": "web-1"},
            "fields": {"team": "core"},
        }
        return elastic.decode_bulk(request((b'{"create":{"_index":"web"}}\n' + orjson.dumps(plain) + b"\n") * 3))
    if name == "loki":
        stream = {"stream": {"host": "web-1", "team": "core"}, "values": [[f"{SECOND}000000000", NGINX]] * 3}
        return loki.decode(request(orjson.dumps({"streams": [stream]}), **JSON))
    if name == "splunk":
        event = {"time": SECOND, "host": "web-1", "event": NGINX, "fields": {"team": "core"}}
        return splunk.decode_events(request(orjson.dumps(event) * 3))
    return lines.decode_raw(request(f"{NGINX}\n".encode() * 3))


def rows(decoded: Decoded) -> list[dict[str, Any]]:
    """The columns of all records, whose format is told as at an ingest."""
    (part,) = decoded.parts
    text = pl.Series(part.lines.decode().splitlines())
    return parse(text, detect(text).choice, observed=NOW).to_dicts()


@pytest.mark.parametrize("name", ["elastic", "loki", "splunk", "lines"])
def test_a_line_of_an_access_log_has_the_same_columns_by_every_protocol(name: str) -> None:
    found = rows(sent(name))
    assert len(found) == 3
    for row in found:
        assert row["parse_error"] is None
        assert (row["http_response_status_code"], row["url_path"], row["user_id"]) == (404, "/a", "ann")
        assert row["timestamp_source"] == "event"
        if name != "lines":
            attributes = dict(row["attributes"])
            assert (row["host_name"], attributes.get("team") or attributes.get("fields.team")) == ("web-1", "core")


def test_what_a_client_says_beside_the_line_has_columns_too() -> None:
    plain = {
        "@timestamp": "2026-11-26T13:00:01.5Z",
        "message": "it broke",
        "log": {"level": "error", "logger": "org.example", "origin": {"file": {"name": "a.py", "line": 7}}},
        "service": {"name": "shop", "environment": "live"},
        "kubernetes": {"namespace": "n", "pod": {"name": "p"}, "container": {"name": "c"}},
        "error": {"type": "ValueError", "message": "bad", "stack_trace": "a\nb"},
        "trace": {"id": "4bf92f3577b34da6a3ce929d0e0e4736"},
        "http": {"request": {"method": "GET", "referrer": "https://example.com/"}, "response": {"body": {"bytes": 9}}},
        "client": {"ip": "192.0.2.7"},
        "process": {"pid": 5, "thread": {"name": "main"}},
    }
    decoded = elastic.decode_bulk(request(b'{"create":{"_index":"web","_id":"x1"}}\n' + orjson.dumps(plain) + b"\n"))
    (row,) = parse(pl.Series([decoded.parts[0].lines.decode()]), Choice.parse("received/"), observed=NOW).to_dicts()
    expected = {
        "body": "it broke",
        "severity_text": "ERROR",
        "severity_number": 17,
        "scope_name": "org.example",
        "code_file_path": "a.py",
        "code_line_number": 7,
        "service_name": "shop",
        "deployment_environment_name": "live",
        "k8s_namespace_name": "n",
        "k8s_pod_name": "p",
        "container_name": "c",
        "exception_type": "ValueError",
        "exception_message": "bad",
        "exception_stacktrace": "a\nb",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "http_request_method": "GET",
        "http_referrer": "https://example.com/",
        "http_response_body_size": 9,
        "client_address": "192.0.2.7",
        "process_pid": 5,
        "thread_name": "main",
    }
    assert {key: row[key] for key in expected} == expected
    assert row["timestamp"].isoformat() == "2026-11-26T13:00:01.500000+00:00"
    assert dict(row["attributes"])["log.record.uid"] == "x1"


def test_a_webhooks_event_has_its_name_and_payload() -> None:
    decoded = webhook.decode(request(b'{"action":"opened","n":1}', "/v1/webhook/ci", x_github_event="issues"))
    (row,) = parse(pl.Series([decoded.parts[0].lines.decode()]), Choice.parse("received/"), observed=NOW).to_dicts()
    assert (row["event_name"], row["body"]) == ("issues", '{"action":"opened","n":1}')
    assert dict(row["attributes"])["webhook.action"] == "opened"
