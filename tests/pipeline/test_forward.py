"""Forwarding sends each record at least once, and what came by OTLP as it came, whatever breaks on the way."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from tests.alerts.servers import Web, web
from tests.in_process import called
from tests.ports import free_port

from logshed.api import Lake
from logshed.errors import BusyError, DeliveryError, SettingsError, UsageError
from logshed.pipeline import forward as verb
from logshed.pipeline.forward_state import Kept
from logshed.receivers import otlp
from logshed.receivers.model import Request
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECOND = 1_795_000_000
ACCESS = '192.0.2.7 - - [18/Nov/2026:14:26:{:02} +0000] "GET /a/{} HTTP/1.1" 200 5 "-" "curl/8.5.0"\n'
ACCESSES, RECEIVED = 40, 12


def exported() -> ExportLogsServiceRequest:
    """Records as an SDK sends them, with values of every kind."""
    request = ExportLogsServiceRequest()
    for service in ("shop", "blog"):
        of_resource = request.resource_logs.add()
        of_resource.resource.attributes.add(key="service.name").value.string_value = service
        of_resource.resource.attributes.add(key="telemetry.sdk.version").value.string_value = "1.2"
        of_resource.resource.attributes.add(key="process.pid").value.int_value = 7
        of_scope = of_resource.scope_logs.add()
        of_scope.scope.name, of_scope.scope.version = f"{service}.orders", "3"
        for number in range(RECEIVED // 2):
            record = of_scope.log_records.add(time_unix_nano=SECOND * 10**9 + number * 1_000_003)
            record.observed_time_unix_nano = record.time_unix_nano + 17
            record.severity_number, record.severity_text = (17, "Error") if number % 2 else (9, "Information")
            record.body.string_value = f"order {number} <b>paid</b>"
            record.trace_id, record.span_id, record.flags = bytes(range(1, 17)), bytes(range(1, 9)), 1
            record.event_name = "order.paid"
            record.attributes.add(key="http.request.method").value.string_value = "POST"
            record.attributes.add(key="http.response.status_code").value.int_value = 201
            record.attributes.add(key="url.full").value.string_value = "https://shop.example/a?b=1"
            record.attributes.add(key="share").value.double_value = 0.5
            record.attributes.add(key="retry").value.bool_value = True
            record.attributes.add(key="big").value.int_value = 2**62
            record.attributes.add(key="service.name").value.string_value = "of the record"
    return request


def flat(request: ExportLogsServiceRequest) -> list[Any]:
    """Each record with all that is said of it, in an order of its own."""

    def pairs(attributes: Any) -> list[Any]:
        return sorted((one.key, str(one.value)) for one in attributes if one.key != "log.record.uid")

    return sorted(
        [
            pairs(of_resource.resource.attributes), of_scope.scope.name, of_scope.scope.version,
            record.time_unix_nano, record.observed_time_unix_nano, record.severity_number, record.severity_text,
            record.body.string_value, record.trace_id.hex(), record.span_id.hex(), record.flags, record.event_name,
            pairs(record.attributes),
        ]
        for of_resource in request.resource_logs
        for of_scope in of_resource.scope_logs
        for record in of_scope.log_records
    )  # fmt: skip


def decoded(got: Web) -> ExportLogsServiceRequest:
    """All that a server got, as one request."""
    whole = ExportLogsServiceRequest()
    for body in got.bodies:
        whole.MergeFromString(gzip.decompress(body))
    return whole


def uids(got: Web) -> list[str]:
    return [
        next(one.value.string_value for one in record.attributes if one.key == "log.record.uid")
        for of_resource in decoded(got).resource_logs
        for of_scope in of_resource.scope_logs
        for record in of_scope.log_records
    ]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """What came by OTLP, and an access log, in two batches and two collections."""
    folder = tmp_path_factory.mktemp("forward")
    made = Lake.open(folder / "lake", create=True, settings=Settings.load(folder, environ={}))
    body = exported().SerializeToString()
    asked = Request("/v1/logs", {}, {"content-type": otlp.PROTOBUF}, body, "192.0.2.1", datetime.now(UTC))
    (folder / "otlp.log").write_bytes(b"".join(part.lines for part in otlp.decode(asked).parts))
    (folder / "access.log").write_text("".join(ACCESS.format(number, number) for number in range(ACCESSES)))
    made.ingest([folder / "otlp.log"], collection="otlp")
    made.ingest([folder / "access.log"], collection="web")
    return made


@pytest.fixture
def got() -> Iterator[Web]:
    with web() as server:
        server.always = (200, {"Content-Type": "application/x-protobuf"}, b"")
        server.url = server.url.partition("/services")[0]
        yield server


def sent(lake: Lake, got: Web, **given: Any) -> verb.Report:
    """A forwarding of all that there is; each address is one of its own."""
    given = {"since": "all", "patience": 20.0, **given}
    return lake.forward(f"otlp+{got.url}", **given)


def test_what_came_by_otlp_goes_on_as_it_came(lake: Lake, got: Web) -> None:
    report = sent(lake, got, collection="otlp")
    assert (report.records, report.rejected, report.behind) == (RECEIVED, 0, 0)
    assert flat(decoded(got)) == flat(exported())
    assert got.headers[0]["Content-Encoding"] == "gzip"


def test_other_records_go_with_the_names_of_opentelemetry_and_their_line(lake: Lake, got: Web) -> None:
    sent(lake, got, search="path:/a/7")
    (of_resource,) = decoded(got).resource_logs
    (record,) = of_resource.scope_logs[0].log_records
    values = {one.key: one.value for one in record.attributes}
    assert record.body.string_value == ACCESS.format(7, 7).rstrip("\n")
    assert record.time_unix_nano == int(datetime(2026, 11, 18, 14, 26, 7, tzinfo=UTC).timestamp()) * 10**9
    assert values["http.request.method"].string_value == "GET"
    assert values["http.response.status_code"].int_value == 200
    assert values["client.address"].string_value == "192.0.2.7"
    assert values["logshed.collection"].string_value == "web"
    row = lake.query("SELECT record_id FROM logs WHERE url_path = '/a/7'").rows()
    assert values["log.record.uid"].string_value == row[0][0]


def test_a_second_run_sends_what_is_new_and_only_that(lake: Lake, got: Web, tmp_path: Path) -> None:
    assert sent(lake, got, name="twice").records == RECEIVED + ACCESSES
    assert sent(lake, got, name="twice").records == 0
    (tmp_path / "more.log").write_text("".join(ACCESS.format(1, f"more{number}") for number in range(3)))
    assert lake.forward(f"otlp+{got.url}", name="from now on").as_dict()["began"]
    lake.ingest([tmp_path / "more.log"], collection="more")
    got.bodies.clear()
    for name in ("twice", "from now on"):
        report = sent(lake, got, name=name)
        assert (report.records, report.began) == (3, False)
    assert len(set(uids(got))) == 3
    assert sent(lake, got, name="twice", again=True).records == RECEIVED + ACCESSES + 3
    recent = datetime.fromtimestamp(SECOND, UTC).isoformat()
    assert sent(lake, got, name="since", since=recent, collection="otlp").records == RECEIVED
    assert sent(lake, got, name="none", since="2026-11-19", collection="web").records == 0


def test_what_a_sink_cannot_take_now_is_sent_again_with_the_same_key(lake: Lake, got: Web) -> None:
    got.answers += [(503, {"Retry-After": "0"}, b""), (429, {"Retry-After": "0"}, b"")]
    told: list[str] = []
    report = sent(lake, got, collection="otlp", name="again", progress=lambda now: told.append(now.waiting))
    assert (report.records, report.again, report.waiting) == (RECEIVED, 2, "")
    assert len({headers["Idempotency-Key"] for headers in got.headers}) == 1
    assert "cannot send to 127.0.0.1: it answered 429; it may be over soon" in told


def test_a_sink_that_is_away_is_waited_for_and_nothing_is_lost(lake: Lake, got: Web) -> None:
    away = f"otlp+http://127.0.0.1:{free_port()}"
    with pytest.raises(DeliveryError, match="cannot be reached"):
        lake.forward(away, name="away", collection="otlp", since="all", patience=0.3)
    assert sent(lake, got, name="away", collection="otlp").records == RECEIVED
    assert flat(decoded(got)) == flat(exported())


def test_a_request_that_is_too_large_goes_in_halves(lake: Lake, got: Web) -> None:
    got.answers += [(413, {}, b""), (413, {}, b"")]
    assert sent(lake, got, collection="otlp", name="halves").records == RECEIVED
    got.bodies = got.bodies[2:]
    assert flat(decoded(got)) == flat(exported())


def test_a_record_that_is_refused_for_good_ends_it_unless_it_may_be_left_out(lake: Lake, got: Web) -> None:
    got.answers += [(400, {}, b"bad record")]
    with pytest.raises(DeliveryError, match="it answered 400 bad record"):
        sent(lake, got, collection="otlp", name="refused")
    got.answers += [(400, {}, b"bad record"), (200, {}, b""), (400, {}, b"bad record")]
    report = sent(lake, got, collection="otlp", name="refused", skip=True)
    assert (report.records, report.skipped) == (RECEIVED - 1, 1)


def test_what_the_sink_rejects_is_counted(lake: Lake, got: Web) -> None:
    partial = ExportLogsServiceResponse(partial_success=ExportLogsPartialSuccess(rejected_log_records=2))
    got.answers += [(200, {}, partial.SerializeToString())]
    assert sent(lake, got, collection="otlp", name="rejected").rejected == 2


def test_http_takes_lines_of_json_and_a_token(lake: Lake, got: Web) -> None:
    report = lake.forward(f"{got.url}/in", search="path:/a/1*", since="all", token="planted")  # noqa: S106 - a test's
    lines = [orjson.loads(line) for line in gzip.decompress(got.bodies[0]).splitlines()]
    assert report.records == len(lines) == 11
    assert {line["url_path"] for line in lines} == {"/a/1", *(f"/a/{number}" for number in range(10, 20))}
    assert got.headers[0]["Authorization"] == "Bearer planted"
    assert {"record_id", "timestamp", "collection"} <= lines[0].keys()
    assert not {"line", "received", "siblings"} & lines[0].keys()
    audit = lake.query("SELECT target, details FROM audit WHERE verb = 'forward'").rows()
    assert (report.to, 11) in [(target, orjson.loads(details)["records"]) for target, details in audit]
    assert "planted" not in str(audit)


def test_what_a_transform_took_away_does_not_go_with_the_line(tmp_path: Path, got: Web) -> None:
    (tmp_path / "logshed.toml").write_text('[[transform]]\nname = "less"\nset.user_id = "NULL"\n', "utf-8")
    lake = Lake.open(tmp_path / "lake", create=True, settings=Settings.load(tmp_path, environ={}))
    record = {"observed_time_unix_nano": 1_795_000_000_000_000_000, "body": "hi", "attributes": {"user.id": "u9"}}
    (tmp_path / "one.log").write_bytes(orjson.dumps(record) + b"\n")
    lake.ingest([tmp_path / "one.log"])
    assert lake.query("SELECT body, user_id FROM logs").rows() == [("hi", None)]
    sent(lake, got)
    assert b"hi" in gzip.decompress(got.bodies[0])
    assert b"u9" not in gzip.decompress(got.bodies[0])


def test_from_every_position_that_a_crash_can_leave_nothing_is_lost(
    lake: Lake, got: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verb, "ROWS", 9)
    monkeypatch.setattr(verb, "SAVED_S", 0.0)
    path, left = lake.root / "forward" / "crash.json", []

    def look(report: verb.Report) -> None:  # it is told after each position that is kept
        left.append((len(got.bodies), report.records, path.read_bytes()))

    total = sent(lake, got, name="crash", progress=look).records
    every = {row[0] for row in lake.query("SELECT record_id FROM logs").rows()}
    whole = list(got.bodies)
    assert total == len(every)
    assert len({position for _, _, position in left}) > total // 9
    for requests, records, position in left[:: max(len(left) // 4, 1)]:
        path.write_bytes(position)
        got.bodies[:] = whole[:requests]
        assert sent(lake, got, name="crash").records == total - records
        assert sorted(uids(got)) == sorted(every)


@pytest.mark.soak
def test_a_run_that_is_killed_goes_on_where_it_was(lake: Lake, got: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    child = (
        "import sys; from logshed.pipeline import forward; forward.ROWS, forward.SAVED_S = 5, 0.0\n"
        "import logshed; logshed.open(sys.argv[1]).forward(sys.argv[2], name=sys.argv[3], since='all')"
    )
    monkeypatch.setattr(verb, "ROWS", 7)
    every = {row[0] for row in lake.query("SELECT record_id FROM logs").rows()}
    for requests in (1, 3, 5):
        got.bodies.clear()
        words = [sys.executable, "-c", child, str(lake.root), f"otlp+{got.url}", f"killed{requests}"]
        process = subprocess.Popen(words, cwd=lake.root.parent)
        deadline = time.monotonic() + 60
        while len(got.bodies) < requests and time.monotonic() < deadline:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert 0 < len(uids(got)) < len(every)
        sent(lake, got, name=f"killed{requests}")
        assert set(uids(got)) == every
        assert len(uids(got)) - len(every) <= 10


def test_a_batch_that_appears_late_is_not_passed_over(lake: Lake, got: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "ROWS", 5)
    got.answers += [(200, {}, b"")] * 6 + [(400, {}, b"no")]
    with pytest.raises(DeliveryError):
        sent(lake, got, name="late")
    kept = Kept(lake.root, "late")
    position = kept.read()
    assert position is not None
    assert position.place is not None
    assert position.place[0] not in position.batches
    first = min(row[0] for row in lake.query("SELECT DISTINCT batch FROM logs").rows())
    assert first in position.batches
    got.bodies.clear()
    rest = sent(lake, got, name="late").records
    total = lake.query("SELECT count(*) FROM logs").rows()[0][0]
    assert rest == total - 30 + (30 - position.records)
    other = kept.read()
    assert other is not None
    assert other.place is None


def test_following_sends_what_comes_until_it_is_stopped(lake: Lake, got: Web, tmp_path: Path) -> None:
    stop, reports = threading.Event(), []
    running = threading.Thread(
        target=lambda: reports.append(lake.forward(f"otlp+{got.url}", name="follow", follow=True, every=0.1, stop=stop))
    )
    running.start()
    deadline = time.monotonic() + 90
    while Kept(lake.root, "follow").read() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    with pytest.raises(BusyError, match="cannot forward follow: it is running already"):
        lake.forward(f"otlp+{got.url}", name="follow")
    (tmp_path / "come.log").write_text("".join(ACCESS.format(2, f"come{number}") for number in range(4)))
    Lake.open(lake.root).ingest([tmp_path / "come.log"], collection="come")
    while not got.bodies and time.monotonic() < deadline:
        time.sleep(0.02)
    stop.set()
    running.join(60)
    assert len(uids(got)) == 4
    assert reports[0].records == 4


def test_a_forwarding_of_the_settings_keeps_its_token_elsewhere(tmp_path: Path) -> None:
    def loaded(text: str) -> Settings:
        (tmp_path / "logshed.toml").write_text(text)
        return Settings.load(tmp_path, environ={})

    table = '[[forward]]\nname = "siem"\nto = "https://siem.example.org/in"\n'
    (one,) = loaded(table + 'token = "file:token"\nca_file = "ca.pem"\n').forward
    assert (one.token, one.ca_file) == (f"file:{tmp_path / 'token'}", tmp_path / "ca.pem")
    with pytest.raises(SettingsError, match="a secret stands in the file itself; write env:NAME or file:/path"):
        loaded(table + 'token = "planted"\n')
    with pytest.raises(SettingsError, match="two forwardings are named siem"):
        loaded(table + table)


def test_an_address_that_nothing_sends_to_is_told(lake: Lake) -> None:
    with pytest.raises(UsageError, match=r"cannot forward to loki\+http://: nothing sends there; write one of otlp"):
        lake.forward("loki+http://127.0.0.1")


def test_the_command_runs_what_the_settings_name_and_tells_what_was_rejected(
    lake: Lake, got: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = (
        f'[[forward]]\nname = "siem"\nto = "otlp+{got.url}"\ncollection = "otlp"\nsince = "all"\ntoken = "env:SIEM"\n'
    )
    (tmp_path / "logshed.toml").write_text(table)
    monkeypatch.chdir(tmp_path)
    words = ["forward", "siem", "--lake", str(lake.root)]
    missing = called(*words)
    assert (missing.exit_code, "the variable SIEM is not set" in missing.stderr) == (2, True)
    monkeypatch.setenv("SIEM", "planted")
    partial = ExportLogsServiceResponse(partial_success=ExportLogsPartialSuccess(rejected_log_records=2))
    got.answers += [(200, {}, partial.SerializeToString())]
    ran = called(*words)
    assert ran.exit_code == 3, ran.output
    assert ran.stdout == f"Sent {RECEIVED} records of 2 batches to otlp+{got.url}. It rejected 2 of them.\n".replace(
        "of 2 batches", f"of {lake.query('SELECT count(DISTINCT batch) FROM logs').rows()[0][0]} batches"
    )
    assert got.headers[0]["Authorization"] == "Bearer planted"
    unknown = called("forward", "other", "--lake", str(lake.root))
    assert unknown.exit_code == 2
    assert "give --to ADDRESS, or a name: logshed.toml has siem" in unknown.stderr
