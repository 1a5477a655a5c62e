"""What doors count is told to Prometheus, within bounds, and the lag follows what is in the lake."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as families

from logshed import __version__
from logshed.doors import receive_counts
from logshed.doors.receive_counts import COUNTERS, HISTOGRAMS, READINGS, Counts
from logshed.errors import LakeError, SpoolError


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def told(counts: Counts) -> dict[tuple[str, ...], float]:
    """Every figure by its name and the sorted values of its labels."""
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families(generate_latest(counts.registry).decode())
        for sample in family.samples
    }


def test_each_call_is_told_under_its_name_and_labels() -> None:
    counts = Counts()
    counts.accepted("otlp", "web", 1000, 250_000)
    counts.accepted("otlp", "web", 5, 100)
    counts.refused("splunk", "no event", 3)
    counts.dropped("syslog", 7)
    counts.duplicate("elastic", 2)
    counts.stored("web", 900, rejected=4)
    counts.throttled("0123456789ab")
    counts.request("otlp", 200, 0.004)
    counts.request("otlp", 429, 9.0)
    found = told(counts)
    assert found["logshed_receive_records_total", "otlp", "web"] == 1005
    assert found["logshed_receive_bytes_total", "otlp", "web"] == 250_100
    assert found["logshed_receive_refused_records_total", "no event", "splunk"] == 3
    assert found["logshed_receive_dropped_records_total", "syslog"] == 7
    assert found["logshed_receive_duplicate_records_total", "elastic"] == 2
    assert found["logshed_ingest_stored_records_total", "web"] == 900
    assert found["logshed_ingest_rejected_records_total", "web"] == 4
    assert found["logshed_receive_throttled_requests_total", "0123456789ab"] == 1
    assert found["logshed_receive_requests_total", "429", "otlp"] == 1
    assert found["logshed_receive_ack_seconds_count", "otlp"] == 1
    assert found["logshed_receive_ack_seconds_sum", "otlp"] == 0.004
    assert found["logshed_receive_ack_seconds_bucket", "0.0025", "otlp"] == 0
    assert found["logshed_receive_ack_seconds_bucket", "0.005", "otlp"] == 1
    assert found["logshed_receive_ack_seconds_bucket", "+Inf", "otlp"] == 1
    assert any(key[0] == "logshed_build_info" and __version__ in key for key in found)
    assert found["process_resident_memory_bytes",] > 1e6


def test_what_is_told_is_openmetrics_too_and_every_metric_has_its_text() -> None:
    counts = Counts()
    for name, kind in READINGS.items():
        counts.read(name, (lambda: {"udp": 3.0}) if kind.labels else (lambda: 3.0))
    counts.accepted("otlp", 'we"ird\n\\name', 1, 1)
    counts.request("otlp", "OK", 0.1)
    with counts.draining():
        pass
    text = generate_latest(counts.registry).decode()
    found = {family.name: family for family in families(text)}
    names = {*COUNTERS, *HISTOGRAMS, *(name.removesuffix("_total") for name in READINGS)}
    assert names <= found.keys()
    assert all(found[name].documentation for name in names)
    assert found["logshed_receive_records"].samples[0].labels["collection"] == 'we"ird\n\\name'
    from prometheus_client.openmetrics.exposition import generate_latest as written  # noqa: PLC0415 - of the same name

    assert names <= {family.name for family in openmetrics(written(counts.registry).decode())}


def test_label_sets_are_bounded_and_nothing_is_left_uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive_counts, "MOST_LABELS", 10)
    counts = Counts()
    for number in range(500):
        counts.accepted("raw", f"c{number}", 2, 10)
        counts.throttled(f"token{number}")
    found = told(counts)
    records = {key: value for key, value in found.items() if key[0] == "logshed_receive_records_total"}
    assert len(records) == 11
    assert sum(records.values()) == 1000
    assert records["logshed_receive_records_total", "other", "raw"] == 980
    assert found["logshed_receive_throttled_requests_total", "other"] == 490


def test_two_receivers_of_a_process_count_for_themselves() -> None:
    one, other = Counts(), Counts()
    one.dropped("syslog", 1)
    assert ("logshed_receive_dropped_records_total", "syslog") in told(one)
    assert ("logshed_receive_dropped_records_total", "syslog") not in told(other)


def test_a_reading_that_fails_is_left_out_and_the_rest_is_told() -> None:
    counts = Counts()

    def fails() -> float:
        raise SpoolError("cannot read the spool: it is gone; make it")

    counts.read("logshed_spool_bytes", fails)
    counts.read("logshed_spool_limit_bytes", lambda: 2**30)
    found = told(counts)
    assert ("logshed_spool_bytes",) not in found
    assert found["logshed_spool_limit_bytes",] == 2**30
    with pytest.raises(KeyError):
        counts.read("logshed_spool_byte", lambda: 1)


def test_the_lag_is_the_age_of_the_oldest_record_that_is_not_in_the_lake() -> None:
    clock = Clock()
    counts = Counts(clock)
    assert counts.lag() == 0
    counts.accepted("raw", "web", 1, 10)
    clock.now += 5
    counts.accepted("raw", "web", 1, 10)
    assert counts.lag() == 5
    with counts.draining():
        clock.now += 2
        counts.accepted("raw", "web", 1, 10)  # may have come too late for this run
        clock.now += 1
        assert counts.lag() == 8
    assert counts.lag() == 1
    with counts.draining():
        clock.now += 1
    assert counts.lag() == 0
    assert told(counts)["logshed_ingest_run_seconds_sum",] == 4


def test_the_lag_goes_on_where_a_run_fails_and_why_is_kept_until_one_ends_well() -> None:
    clock = Clock()
    counts = Counts(clock)
    counts.waiting_since(60)
    clock.now += 1
    with pytest.raises(LakeError), counts.draining():
        raise LakeError("cannot reach the lake: no route; check the network")
    assert counts.lag() == 61
    assert counts.failure == "cannot reach the lake: no route; check the network"
    with pytest.raises(ZeroDivisionError), counts.draining():
        _ = 1 // 0
    assert counts.failure == "cannot empty the spool into the lake: ZeroDivisionError"
    with counts.draining():
        pass
    assert (counts.lag(), counts.failure) == (0, "")
    found = told(counts)
    assert found["logshed_ingest_runs_total", "failed"] == 2
    assert found["logshed_ingest_runs_total", "done"] == 1


def test_threads_lose_no_count_while_figures_are_told() -> None:
    counts = Counts()

    def work() -> None:
        for number in range(2_000):
            counts.accepted("raw", f"c{number % 7}", 1, 3)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        told(counts)
    for thread in threads:
        thread.join()
    assert sum(value for key, value in told(counts).items() if key[0] == "logshed_receive_records_total") == 8_000


def test_counting_a_request_costs_microseconds() -> None:
    counts = Counts()
    begun = time.thread_time()
    for _ in range(10_000):
        counts.accepted("otlp", "web", 1000, 250_000)
        counts.request("otlp", 200, 0.004)
    assert time.thread_time() - begun < 0.5  # 50 µs each, an order above what it takes


def test_the_page_of_health_tells_every_metric_with_its_labels() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "receive-health.md").read_text(encoding="utf-8")
    written = dict(re.findall(r"^\| `(logshed_\w+)` \| ([^|]*) \|", page, re.MULTILINE))
    kinds = {f"{name}_total": kind for name, kind in COUNTERS.items()} | HISTOGRAMS | READINGS
    assert written == {name: ", ".join(f"`{label}`" for label in kind.labels) for name, kind in kinds.items()}
