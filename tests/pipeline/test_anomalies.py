from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import polars as pl
import pytest

from logshed import schema
from logshed.detections.anomalies.registry import load
from logshed.pipeline.anomalies import asked, find

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

START = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""
END = START + timedelta(days=5)
DETECTORS = load()
TYPES = {name: kind for name, kind in schema.polars_schema(schema.SILVER).items() if name != schema.UNMAPPED}
FINDINGS = {name: kind for name, kind in schema.polars_schema(schema.FINDINGS).items() if name != "batch"}


class Logs:
    """A table ``logs`` in memory, asked as a lake is."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def add(self, when: datetime, **fields: Any) -> None:
        """One record."""
        self.rows.append({"timestamp": when, "collection": "shop", **fields})

    def stream(self, since: datetime, until: datetime, every: float, **fields: Any) -> None:
        """Records at random moments, one in so many seconds."""
        dice = np.random.default_rng(len(self.rows))
        seconds = (until - since).total_seconds()
        for at in dice.uniform(0, seconds, int(seconds / every)):
            self.add(since + timedelta(seconds=float(at)), **fields)

    def find(self, rules: Sequence[str], since: datetime, until: datetime = END, **more: Any) -> pl.DataFrame:
        """What these detectors find in it."""
        columns = {name: pl.Series(name, [row.get(name) for row in self.rows], kind) for name, kind in TYPES.items()}
        logs = pl.DataFrame(columns).to_arrow()

        def query(sql: str, params: Mapping[str, object]) -> pl.DataFrame:
            connection = duckdb.connect()
            connection.execute("SET TimeZone = 'UTC'")
            connection.register("logs", logs)
            used = {name: params[name] for name in params if f"${name}" in sql}
            return connection.sql(sql, params=used).pl()

        return find(query, [DETECTORS[rule] for rule in rules], since, until, END, **more)


@pytest.fixture(scope="module")
def checkout() -> Logs:
    """Four days of a service with an error in fifty records, and half an hour with twenty times as many."""
    logs = Logs()
    logs.stream(START, END, 30, service_name="checkout", severity_number=9)
    logs.stream(START, END, 1_500, service_name="checkout", severity_number=17)
    outage = END - timedelta(hours=6)
    logs.stream(outage, outage + timedelta(minutes=30), 20, service_name="checkout", severity_number=17)
    return logs


def test_a_finding_says_what_was_expected(checkout: Logs) -> None:
    found = checkout.find(["error_rate_jump"], END - timedelta(days=1))
    assert dict(found.schema) == FINDINGS
    (row,) = found.to_dicts()
    assert row["rule_kind"] == "anomaly"
    assert (row["actor_type"], row["actor"], row["service_name"]) == ("service_name", "checkout", "checkout")
    assert row["timestamp"] == END - timedelta(hours=6)
    assert row["end_timestamp"] == END - timedelta(hours=5, minutes=30)
    assert 85 <= row["event_count"] <= 95
    assert row["explanation"].startswith("checkout logged ")
    assert "errors in 10 min from 2026-03-06 18:" in row["explanation"]
    assert row["explanation"].endswith("were expected; it lasted 30 min from 18:00")
    told = row["attributes"]
    assert float(told["expected_low"]) <= float(told["expected_high"]) < float(told["value"])
    history = json.loads(told["history"])
    assert (len(history["values"]), history["width"], told["method"]) == (48, 600, "counts")
    assert history["values"][-1] > 10 > history["values"][0]
    assert 70 < row["score"] <= 80


def test_finding_it_again_gives_the_same_id(checkout: Logs) -> None:
    first = checkout.find(["error_rate_jump"], END - timedelta(days=1))
    again = checkout.find(["error_rate_jump"], END - timedelta(hours=7))
    assert first["finding_id"].to_list() == again["finding_id"].to_list()


def test_an_alarm_that_goes_on_keeps_its_id_and_its_beginning(checkout: Logs) -> None:
    half = END - timedelta(hours=5, minutes=40)
    early = checkout.find(["error_rate_jump"], END - timedelta(days=1), half)
    later = checkout.find(["error_rate_jump"], half, known=early)
    assert early["finding_id"].to_list() == later["finding_id"].to_list()
    assert early["end_timestamp"][0] < later["end_timestamp"][0]
    assert early["timestamp"][0] == later["timestamp"][0]


def test_late_rows_change_a_finding_and_not_its_id(checkout: Logs) -> None:
    first = checkout.find(["error_rate_jump"], END - timedelta(days=1))
    more = Logs()
    more.rows = list(checkout.rows)
    more.stream(
        END - timedelta(hours=6, minutes=10), END - timedelta(hours=6), 20, service_name="checkout", severity_number=17
    )
    again = more.find(["error_rate_jump"], END - timedelta(days=1), known=first)
    assert again["event_count"][0] > first["event_count"][0]
    assert again["finding_id"].to_list() == first["finding_id"].to_list()
    assert len(more.find(["error_rate_jump"], END - timedelta(days=1))) == 1


def test_what_lies_before_since_is_not_found(checkout: Logs) -> None:
    assert checkout.find(["error_rate_jump"], END - timedelta(hours=5)).is_empty()
    assert checkout.find(["error_rate_jump"], END - timedelta(days=1), collection="other").is_empty()


def test_a_silent_service_is_told_from_its_last_record_on() -> None:
    logs = Logs()
    logs.stream(START, END - timedelta(hours=30), 60, service_name="worker")
    logs.stream(START, END, 60, service_name="api")
    (row,) = logs.find(["service_silent"], END - timedelta(hours=2)).to_dicts()
    assert row["actor"] == "worker"
    assert END - timedelta(hours=30, minutes=10) < row["timestamp"] <= END - timedelta(hours=30)
    assert row["end_timestamp"] == END
    assert row["explanation"].startswith("worker wrote nothing for 1 d 6 h from 2026-03-05 18:00")


def test_the_end_of_an_archive_is_no_silence_and_the_years_after_it_cost_nothing() -> None:
    logs = Logs()
    logs.stream(START - timedelta(days=4000), START - timedelta(days=3996), 60, service_name="worker")
    logs.stream(START, END, 60, service_name="worker")
    assert logs.find(["service_silent", "log_volume_drop"], datetime(1970, 1, 1, tzinfo=UTC)).is_empty()


def test_a_new_exception_is_found_once() -> None:
    logs = Logs()
    logs.stream(START, END, 120, service_name="shop")
    logs.stream(START, END, 7_200, service_name="shop", exception_type="TimeoutError")
    for minutes in (0, 5, 90):
        when = END - timedelta(hours=3) + timedelta(minutes=minutes)
        logs.add(when, service_name="shop", exception_type="OutOfMemoryError")
    found = logs.find(["new_exception"], END - timedelta(days=1))
    assert found["explanation"].to_list() == [
        "shop logged OutOfMemoryError for the first time in 30 days at 2026-03-06 21:00, 3 times since"
    ]
    assert found["event_count"].to_list() == [3]
    assert found["attributes"][0]["exception_type"] == "OutOfMemoryError"
    assert logs.find(["new_exception"], END - timedelta(hours=2)).is_empty()


def test_a_restart_loop_is_seen_by_new_processes_and_by_messages() -> None:
    logs = Logs()
    logs.stream(START, END, 300, service_name="api", host_name="web1", process_pid=11)
    logs.stream(START, END, 300, service_name="db", host_name="web1", process_pid=1)
    for number in range(12):
        when = END - timedelta(hours=2) + timedelta(minutes=2 * number)
        logs.add(when, service_name="api", host_name="web1", process_pid=500 + number)
        logs.add(when, service_name="db", host_name="web1", process_pid=1, body="Application startup complete.")
    found = logs.find(["restart_loop"], END - timedelta(days=1))
    assert found["actor"].to_list() == ["api", "db"]
    assert found["explanation"][0].startswith("api on web1 started 5 times in 10 min")


def test_one_client_stands_out_from_the_others() -> None:
    logs = Logs()
    for client in range(40):
        logs.stream(
            START, END, 4_000, client_address=f"192.0.2.{client}", http_response_status_code=200,
            http_response_body_size=20_000 + client, url_path="/a",
        )  # fmt: skip
    begin = END - timedelta(hours=4)
    bad: dict[str, Any] = {"client_address": "198.51.100.9", "http_response_status_code": 200, "url_path": "/a"}
    logs.stream(begin, begin + timedelta(minutes=20), 0.4, http_response_body_size=90_000, **bad)
    logs.add(END - timedelta(hours=8), http_response_body_size=9_000_000, **bad)
    found = logs.find(["client_request_burst", "client_transfer", "large_response"], END - timedelta(days=1))
    assert found.select("rule_name", "actor").rows() == [
        ("large_response", "198.51.100.9"),
        ("client_request_burst", "198.51.100.9"),
        ("client_transfer", "198.51.100.9"),
    ]
    assert "got 9.0 MB from /a in one response" in found["explanation"][0]
    assert found["attributes"][0]["url_path"] == "/a"


def test_series_that_share_an_actor_have_ids_of_their_own() -> None:
    logs = Logs()
    for path in ("/a/{id}", "/b/{id}"):
        logs.stream(START, END, 60, service_name="api", url_template=path, duration_ms=100.0)
        slow = END - timedelta(hours=2)
        logs.stream(slow, slow + timedelta(hours=1), 20, service_name="api", url_template=path, duration_ms=900.0)
    found = logs.find(["latency_jump"], END - timedelta(days=1))
    assert found["actor"].to_list() == ["api", "api"]
    assert found["finding_id"].n_unique() == 2
    again = logs.find(["latency_jump"], END - timedelta(hours=1, minutes=30), known=found)
    assert set(again["finding_id"]) == set(found["finding_id"])


def test_server_errors_and_volume_are_judged_too() -> None:
    logs = Logs()
    logs.stream(START, END, 20, service_name="web", http_response_status_code=200)
    burst = END - timedelta(hours=3)
    logs.stream(burst, burst + timedelta(minutes=30), 2, service_name="web", http_response_status_code=503)
    rules = ["server_error_burst", "log_volume_jump", "log_volume_drop", "new_country", "latency_drift"]
    for row in logs.rows:
        row |= {"client_geo_country_iso_code": None, "client_address": "192.0.2.1", "duration_ms": 5.0}
    found = logs.find(rules, END - timedelta(days=1))
    assert sorted(found["rule_name"]) == ["log_volume_jump", "server_error_burst"]


def test_an_empty_lake_has_no_anomalies() -> None:
    logs = Logs()
    found = logs.find(list(DETECTORS), END - timedelta(days=1))
    assert found.is_empty()
    assert dict(found.schema) == FINDINGS


def test_times_are_read_as_those_of_questions_are() -> None:
    assert asked("24h", None, END, "UTC") == (END - timedelta(days=1), END, END)
    assert asked("2026-03-02", END, END, "Europe/Berlin")[0] == START - timedelta(hours=1)
