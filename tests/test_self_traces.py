"""A receiver's own traces reach a collector whole, hold nothing of what is logged, and cost nothing while off."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.ports import free_port
from tests.traces import attributes, collecting

from logshed import self_traces
from logshed.errors import LakeError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.traces import Collector

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as kept:
        yield kept
        self_traces.stop()


def test_a_request_is_followed_into_the_lake_through_the_write_that_many_share(collector: Collector) -> None:
    assert self_traces.start(collector.url)
    written: list[self_traces.Place] = []

    async def request(number: int, headers: dict[str, str]) -> None:
        with self_traces.span(f"receive {number}", headers=headers, protocol="otlp") as receiving:
            with self_traces.span(f"redact {number}", records=10):
                await asyncio.sleep(0.01)
            assert receiving.place is not None
            written.append(receiving.place)
            await asyncio.sleep(0.01)
            receiving.note(status=200, records=10, bytes=999)

    async def main() -> None:
        await asyncio.gather(request(1, {"traceparent": f"00-{TRACE}-{PARENT}-01"}), request(2, {}))

    asyncio.run(main())
    with self_traces.span("spool append", links=written, requests=2) as appending:
        pass
    assert appending.place is not None
    with self_traces.span("drain", links=[appending.place]), self_traces.span("commit", batch="b1"):
        pass
    self_traces.stop()
    spans = collector.spans
    assert set(collector.paths) == {"/v1/traces"}
    assert collector.resources[0]["service.name"] == "logshed"
    assert spans["receive 1"].trace_id.hex() == TRACE
    assert spans["receive 1"].parent_span_id.hex() == PARENT
    assert spans["receive 2"].trace_id.hex() != TRACE
    assert not spans["receive 2"].parent_span_id
    for number in "12":
        assert spans[f"redact {number}"].parent_span_id == spans[f"receive {number}"].span_id
        assert spans[f"receive {number}"].end_time_unix_nano > spans[f"receive {number}"].start_time_unix_nano
    assert attributes(spans["receive 1"]) == {
        "logshed.protocol": "otlp",
        "logshed.status": 200,
        "logshed.records": 10,
        "logshed.bytes": 999,
    }
    linked = {(link.trace_id, link.span_id) for link in spans["spool append"].links}
    assert linked == {(spans[name].trace_id, spans[name].span_id) for name in ("receive 1", "receive 2")}
    assert [link.span_id for link in spans["drain"].links] == [spans["spool append"].span_id]
    assert spans["commit"].parent_span_id == spans["drain"].span_id


def test_an_error_is_told_by_its_kind_and_nothing_that_is_logged_gets_out(collector: Collector) -> None:
    assert self_traces.start(collector.url + "/v1/traces")
    other: Any = {"body": "hunter2", "token": "hunter2", "records": 3}

    def fails() -> None:
        with self_traces.span("drain", **other) as draining:
            draining.note(**other)
            raise LakeError("cannot write 'password=hunter2': no room; make some")

    with pytest.raises(LakeError):
        fails()
    self_traces.stop()
    span = collector.spans["drain"]
    assert (span.status.code, span.status.message) == (2, "LakeError")
    assert attributes(span) == {"logshed.records": 3, "error.type": "LakeError"}
    assert not span.events
    assert b"hunter2" not in collector.raw


def test_a_span_has_as_many_links_as_it_may_the_newest(collector: Collector) -> None:
    self_traces.start(collector.url)
    places = []
    for number in range(140):
        with self_traces.span(f"s{number}") as one:
            places.append(one.place)
    with self_traces.span("drain", links=[place for place in places if place is not None]):
        pass
    self_traces.stop()
    assert len(collector.spans["drain"].links) == self_traces.MOST_LINKS
    assert collector.spans["drain"].links[-1].span_id == collector.spans["s139"].span_id


def test_the_variables_of_opentelemetry_turn_it_on_and_name_it(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not self_traces.start()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "logs-eu")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert not self_traces.start()
    monkeypatch.delenv("OTEL_SDK_DISABLED")
    assert self_traces.start()
    with self_traces.span("drain"):
        pass
    self_traces.stop()
    assert collector.paths == ["/v1/traces"]
    assert collector.resources[0]["service.name"] == "logs-eu"


def test_off_it_imports_nothing_and_does_nothing() -> None:
    code = (
        "import sys\n"
        "from logshed import self_traces\n"
        "assert not self_traces.start()\n"
        "with self_traces.span('receive', headers={'traceparent': 'x'}, records=1) as one:\n"
        "    one.note(status=200)\n"
        "    assert one.place is None\n"
        "assert one is self_traces.span('drain')\n"
        "self_traces.stop()\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_collector_that_is_away_keeps_nobody_waiting_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_traces, "END_SECONDS", 0.5)
    self_traces.start(f"http://127.0.0.1:{free_port()}")
    begun = time.monotonic()
    with self_traces.span("drain"):
        pass
    assert time.monotonic() - begun < 3
    self_traces.stop()
    assert time.monotonic() - begun < 6  # what sends goes on for eight seconds


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(SettingsError, match="that is no address; write http://HOST:4318"):
        self_traces.start("127.0.0.1:4318")
