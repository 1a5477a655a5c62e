"""What real clients send is in the lake once, in the columns that the same lines have when they are read from files.

All deliver to one receiver, each with a token for a collection of its own. It brings nothing into the lake until it is
asked to end: so what lies in its spool can be looked at, and what it does at its end is all that it does.
"""

from __future__ import annotations

import socket
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.conftest import ROOT
from tests.receive import clients_http, clients_otlp, clients_refused, clients_streams
from tests.receive.content import COUNT, FORBIDDEN, HIDDEN, NGINX, lines, numbered
from tests.receive.expected import FREE, OURS, RULED, SECOND
from tests.receive.receiver import Receiver

from logshed.api import Lake

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.started import Starter

SETTINGS = """
[receive]
every = "1h"
[receive.http]
listen = "127.0.0.1:0"
tokens = true
webhook_secret = "file:{folder}/webhook_secret"
[receive.grpc]
listen = "127.0.0.1:0"
tokens = true
[receive.syslog_tcp]
listen = "127.0.0.1:0"
collection = "syslog"
[receive.syslog_udp]
listen = "127.0.0.1:0"
collection = "syslog"
[receive.forward]
listen = "127.0.0.1:0"
collection = "forward"
"""
TRUTH = ROOT.parent / "shared" / "truth" / "files" / "nginx_json" / "nginxplus_json_logs"
COLLECTIONS = {
    "fluent_logger": "forward",
    "node": "forward",
    "python_tcp": "syslog",
    "python_udp": "syslog",
    "rsyslog": "syslog",
}
"""Of clients that have no token: those of their doors."""
ACCESS = {
    "otlp_http": "otlp:front",
    "otlp_grpc": "otlp:front",
    "elasticsearch": "elastic:access",
    "opensearch": "elastic:access",
    "promtail": "loki:nginx",
    "curl": "lines:access",
    "fluent_logger": "forward:fluent_logger.access",
    "node": "forward:node.access",
    "rsyslog": "syslog:127.0.0.1",
}
"""Sources of the line of an access log, by the clients that send one."""


@dataclass
class Delivered:
    """What came of it."""

    receiver: Receiver
    told: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, BaseException] = field(default_factory=dict)
    spool: bytes = b""

    def by(self, name: str) -> Any:
        """What a client was told; what went wrong with it goes wrong here."""
        if name in self.failed:
            raise self.failed[name]
        return self.told[name]

    def ask(self, sql: str) -> list[dict[str, Any]]:
        """What the lake answers."""
        found = self.lake.query(sql)
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows()]

    @cached_property
    def lake(self) -> Lake:
        """Where all is."""
        return Lake.open(self.receiver.lake)

    @cached_property
    def logs(self) -> list[dict[str, Any]]:
        """All records, asked for once."""
        return self.ask("SELECT * FROM logs")

    def records(self, **having: object) -> list[dict[str, Any]]:
        """Records with some values in some columns."""
        return [row for row in self.logs if all(row[name] == value for name, value in having.items())]

    def columns(self, **having: object) -> dict[str, Any]:
        """The columns of the one record that has some values which are not null, and which what was sent decides."""
        (row,) = self.records(**having)
        kept = {
            name: value
            for name, value in row.items()
            if value is not None and name not in OURS | RULED and not name.startswith(("client_geo", "client_as"))
        }
        return {**kept, "timestamp": str(kept["timestamp"]), "attributes": dict(kept.get("attributes", {}))}


def clients(folder: Path) -> dict[str, Callable[[Receiver, str], Any]]:
    """All, by name."""
    over_http = ("elasticsearch", "opensearch", "loki", "promtail", "splunk_hec_handler", "splunk_handler", "github")
    return {
        "otlp_http": clients_otlp.send,
        "otlp_grpc": clients_otlp.send,
        **{name: getattr(clients_http, name) for name in over_http},
        "curl": partial(clients_http.curl, folder=folder),
        "truth": partial(clients_http.curl_file, file=folder / "truth.log"),
        "fluent_logger": clients_streams.fluent_logger,
        "node": partial(clients_streams.node, mode="Forward"),
        "rsyslog": partial(clients_streams.rsyslog, folder=folder),  # first, as all by syslog are one stream
        "python_tcp": partial(clients_streams.syslog_handler, kind=socket.SOCK_STREAM),
        "python_udp": partial(clients_streams.syslog_handler, kind=socket.SOCK_DGRAM),
        "rsyslog_elastic": partial(clients_streams.rsyslog_elastic, folder=folder),
        "refused": clients_refused.refused,
    }


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory, starter: Starter, environment: dict[str, str]) -> Delivered:
    """All clients have delivered, the receiver has ended, and the same lines were read from files."""
    folder = tmp_path_factory.mktemp("clients")
    (folder / "webhook_secret").write_text(clients_http.SIGNED_BY)
    (folder / "access.log").write_text(f"{NGINX}\n")
    (folder / "truth.log").write_bytes(
        b"".join(TRUTH.read_bytes().splitlines(keepends=True)[:50] if TRUTH.exists() else [])
    )
    receiver = Receiver(folder / "receiver", starter, environment, SETTINGS.format(folder=folder))
    found = Delivered(receiver)
    receiver.token_by_command("curl")
    receiver.start()
    try:
        for name, send in clients(folder).items():
            try:
                found.told[name] = send(receiver, name)
            except (Exception, pytest.skip.Exception) as error:  # noqa: BLE001 - it fails the tests of this client alone
                found.failed[name] = error
        receiver.until(*(f"{name} mail" for name in COLLECTIONS if name not in found.failed))
        found.spool = receiver.rests()
        receiver.stop()
    finally:
        receiver.kill()
    found.lake.ingest([folder / "access.log", folder / "truth.log"], collection="file")
    return found


@pytest.mark.parametrize("name", SECOND)
def test_every_line_of_a_client_is_in_the_lake_once(delivered: Delivered, name: str) -> None:
    delivered.by(name)
    found = Counter(row["body"] for row in delivered.records(collection=COLLECTIONS.get(name, name)))
    ours = {body: count for body, count in found.items() if body and body.startswith((f"{name} sold", f"{name} mail"))}
    assert ours == dict.fromkeys([*numbered(name), f"{name} {HIDDEN}"], 1)


@pytest.mark.parametrize("name", SECOND)
def test_what_a_client_says_of_a_record_has_the_columns_of_its_name(delivered: Delivered, name: str) -> None:
    delivered.by(name)
    columns, attributes = SECOND[name]
    body = numbered(name)[1]
    found = delivered.columns(body=body)
    told = found.pop("attributes")
    assert {key: value for key, value in found.items() if key not in FREE.get(name, ())} == {"body": body, **columns}
    assert {key: value for key, value in told.items() if key != "observed_time_unix_nano"} == attributes


@pytest.mark.parametrize("name", ACCESS)
def test_a_line_of_an_access_log_inside_a_protocol_is_read_as_in_its_file(delivered: Delivered, name: str) -> None:
    delivered.by(name)
    expected = delivered.columns(collection="file", url_path="/cart/17")
    assert (expected["http_response_status_code"], expected["user_id"]) == (404, "ann")
    found = delivered.columns(source=ACCESS[name], collection=COLLECTIONS.get(name, name), url_path="/cart/17")
    for one in (expected, found):
        del one["attributes"]
    del expected["log_file_path"]
    assert {key: found.get(key) for key in expected} == expected


@pytest.mark.skipif(not TRUTH.exists(), reason="needs the folder ../shared/truth beside the checkout")
def test_a_file_that_curl_sends_has_the_rows_that_it_has_as_a_file(delivered: Delivered) -> None:
    assert delivered.by("truth") == {"accepted": 50}
    found = [
        [
            {
                name: dict(value) if name == "attributes" else value
                for name, value in row.items()
                if name not in {*OURS - {"log_format"}, "log_file_path"}
            }
            for row in sorted(delivered.records(collection=collection), key=lambda row: row["offset"])
            if row["url_path"] != "/cart/17"
        ]
        for collection in ("truth", "file")
    ]
    assert len(found[0]) == 50
    assert found[0] == found[1]


def test_nothing_that_the_policy_forbids_rests_anywhere(delivered: Delivered) -> None:
    rested = {path: path.read_bytes() for path in delivered.receiver.folder.rglob("*") if path.is_file()}
    rested |= {path: pl.read_parquet(path).write_ndjson().encode() for path in rested if path.suffix == ".parquet"}
    rested[delivered.receiver.spool] = delivered.spool  # as it was while all lay in it
    assert delivered.spool.count(b"[EMAIL]") > len(SECOND)
    assert sum(data.count(b"[EMAIL]") for data in rested.values()) > 2 * len(SECOND)
    forbidden = [text.encode() for text in (*FORBIDDEN, *delivered.receiver.secrets.values())]
    assert [path for path, data in rested.items() if any(text in data for text in forbidden)] == []


def test_a_receiver_that_is_asked_to_end_brings_all_into_the_lake_first(delivered: Delivered) -> None:
    report = delivered.receiver.report
    [answer] = delivered.ask("SELECT count(*) AS lines FROM lines WHERE collection != 'file'")
    assert (report["stored"] + report["rejected"], report["lake"]) == (report["records"], "")
    assert answer["lines"] == report["records"] > len(SECOND) * COUNT


def test_elasticsearchs_client_is_told_of_each_document(delivered: Delivered) -> None:
    told = delivered.by("elasticsearch")
    uids = [f"elasticsearch-{one}" for one in (*range(len(lines(""))), "access")]
    assert told["bulk"] == (len(uids), [])
    assert told["again"] == [(True, uid) for uid in uids]
    stored, errors = told["mixed"]
    assert (stored, [(kind, item["status"]) for one in errors for kind, item in one.items()]) == (
        1,
        [("update", 400), ("delete", 400)],
    )
    assert (told["index"], int(told["version"].partition(".")[0])) == ("created", 9)
    for body in ("elasticsearch new", "elasticsearch alone"):
        assert len(delivered.records(body=body)) == 1


def test_opensearchs_client_may_send_all_again(delivered: Delivered) -> None:
    count = len(lines("")) + 1
    assert delivered.by("opensearch") == {"bulk": (count, []), "again": [True] * count}


def test_curl_is_told_what_was_taken(delivered: Delivered) -> None:
    told, half = delivered.by("curl"), COUNT // 2
    assert [told[name]["accepted"] for name in ("raw", "access", "packed", "ndjson")] == [half, 1, 1, half + 1]
    assert ([one["line"] for one in told["ndjson"]["refused"]], told["hec"]["code"]) == ([half + 2], 0)
    raw = delivered.ask("SELECT text FROM lines WHERE source = 'lines:shop' ORDER BY \"offset\"")
    assert [row["text"] for row in raw] == numbered("curl")[:half]
    events = delivered.records(source="lines:events")
    assert [row["body"] for row in events] == [*numbered("curl")[half:], f"curl {HIDDEN}"]
    assert {(row["severity_text"], dict(row["attributes"])["owner"]) for row in events} == {("WARN", "[EMAIL]")}


def test_a_delivery_of_a_webhook_is_one_record_however_often_it_comes(delivered: Delivered) -> None:
    assert delivered.by("github") == (200, b'{"accepted":1}')
    columns = delivered.columns(source="webhook:shop/web")
    attributes = columns["attributes"]
    assert (columns["event_name"], attributes["log.record.uid"]) == ("opened", clients_http.DELIVERY)
    assert (attributes["issue.title"], attributes["issue.body"]) == ("github sold article 0", HIDDEN)


@pytest.mark.parametrize("name", ["otlp_http", "otlp_grpc"])
def test_an_exception_and_a_structured_body_of_the_sdk_have_columns(delivered: Delivered, name: str) -> None:
    delivered.by(name)
    broke = delivered.columns(collection=name, body="it broke")
    assert (broke["exception_type"], broke["exception_message"]) == (
        "ValueError",
        "invalid literal for int() with base 10: 'no such article'",
    )
    assert broke["exception_stacktrace"].startswith("Traceback (most recent call last):\n")
    order = delivered.columns(collection=name, log_format="json")
    assert order["attributes"].items() >= {"order": "17", "items": '["a",2,null]'}.items()


def test_clients_without_the_right_are_told_so_and_bring_nothing_in(delivered: Delivered) -> None:
    assert delivered.by("refused") == {
        "elasticsearch without a valid key": 401,
        "elasticsearch with a key that reads": 403,
        "OTLP over HTTP without a valid token": "401",
        "OTLP over gRPC without a valid token": "UNAUTHENTICATED",
        "Loki for another tenant": 403,
        "HEC for another index": 403,
        "a webhook with another signature": 401,
    }
    assert delivered.ask("SELECT * FROM lines WHERE contains(text, 'refused sold')") == []
