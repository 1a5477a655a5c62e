"""The rules for Prometheus name figures that there are, are what Prometheus takes, and tell what goes wrong."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from tests.deploy.charts import ROOT
from tests.servers import found

from logshed.doors.receive_counts import COUNTERS, HISTOGRAMS, READINGS, Counts

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "deploy" / "prometheus"
ALERTS = FOLDER / "alerts.yaml"
CASES = {
    "LogshedReceiverDown": ({'up{job="logshed-receive", instance="a"}': "0x20"}, "5m"),
    "LogshedSpoolFilling": (
        {'logshed_spool_bytes{instance="a"}': "81x20", 'logshed_spool_limit_bytes{instance="a"}': "100x20"},
        "6m",
    ),
    "LogshedSpoolFull": (
        {'logshed_spool_bytes{instance="a"}': "96x20", 'logshed_spool_limit_bytes{instance="a"}': "100x20"},
        "3m",
    ),
    "LogshedLakeBehind": ({'logshed_ingest_lag_seconds{instance="a"}': "301+60x20"}, "10m"),
    "LogshedLakeRefuses": (
        {
            'logshed_ingest_runs_total{instance="a", outcome="failed"}': "0+12x30",
            'logshed_ingest_runs_total{instance="a", outcome="done"}': "7x30",
        },
        "20m",
    ),
    "LogshedRecordsLost": (
        {'logshed_receive_door_dropped_datagrams_total{instance="a", door="syslog_udp"}': "0 0 3x20"},
        "5m",
    ),
    "LogshedRecordsRefused": (
        {
            'logshed_receive_refused_records_total{instance="a", protocol="splunk", reason="no event"}': "0+2x40",
            'logshed_receive_records_total{instance="a", protocol="splunk", collection="web"}': "0+100x40",
        },
        "30m",
    ),
    "LogshedRecordsRejected": (
        {
            'logshed_ingest_rejected_records_total{instance="a", collection="web"}': "0+20x90",
            'logshed_ingest_stored_records_total{instance="a", collection="web"}': "0+100x90",
        },
        "80m",
    ),
    "LogshedRequestsFail": (
        {
            'logshed_receive_requests_total{instance="a", protocol="otlp", status="503"}': "0+2x40",
            'logshed_receive_requests_total{instance="a", protocol="otlp", status="200"}': "0+100x40",
        },
        "30m",
    ),
    "LogshedAnswersSlow": (
        {
            'logshed_receive_ack_seconds_bucket{instance="a", protocol="otlp", le="0.5"}': "0+50x40",
            'logshed_receive_ack_seconds_bucket{instance="a", protocol="otlp", le="1.0"}': "0+100x40",
            'logshed_receive_ack_seconds_bucket{instance="a", protocol="otlp", le="+Inf"}': "0+100x40",
        },
        "30m",
    ),
    "LogshedThrottled": ({'logshed_receive_throttled_requests_total{instance="a", token="0123"}': "0+1x90"}, "60m"),
}
"""For each alert figures that make it fire, and when it has."""


def alerts() -> list[dict[str, Any]]:
    """The rules."""
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def names() -> set[str]:
    """Every series that a receiver tells."""
    parts = {f"{name}_{part}" for name in HISTOGRAMS for part in ("bucket", "sum", "count")}
    return {f"{name}_total" for name in COUNTERS} | parts | set(READINGS)


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_figures_and_labels_that_there_are(rule: dict[str, Any]) -> None:
    asked = set(re.findall(r"\b(logshed_\w+)", rule["expr"]))
    assert asked <= names()
    assert asked or "up{" in rule["expr"]
    kinds = {f"{name}_total": kind for name, kind in COUNTERS.items()} | READINGS
    kinds |= {f"{name}_bucket": kind for name, kind in HISTOGRAMS.items()}
    labels = {label for name in asked for label in kinds[name].labels} | {"job", "instance", "le"}
    for listed in re.findall(r"(?:by|on) \(([^)]*)\)", rule["expr"]):
        assert set(listed.split(", ")) <= labels
    for label in re.findall(r"(\w+)=~?\"", rule["expr"]):
        assert label in labels
    assert rule["labels"]["severity"] in ("info", "warning", "critical")
    assert {"summary", "description"} == set(rule["annotations"])


def test_what_grows_from_nothing_is_told_as_nothing_first() -> None:
    told = {(sample.name, *sample.labels.values()) for one in Counts().collect() for sample in one.samples}
    assert {("logshed_ingest_runs_total", "done"), ("logshed_ingest_runs_total", "failed")} <= told


def test_every_alert_has_figures_that_make_it_fire() -> None:
    assert set(CASES) == {rule["alert"] for rule in alerts()}


def test_prometheus_takes_the_settings_and_each_alert_fires_when_it_should(tmp_path: Path) -> None:
    promtool = found("promtool", "prometheus")
    checked = subprocess.run([promtool, "check", "rules", ALERTS], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    words = [promtool, "check", "config", "--syntax-only", FOLDER / "prometheus.yaml"]
    checked = subprocess.run(words, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    for number, (name, (series, when)) in enumerate(CASES.items()):
        quiet = {key: re.sub(r"\d+", "0", value.split("x")[0].split("+")[0]) + "x90" for key, value in series.items()}
        quiet |= {key: "1x90" for key in series if key.startswith("up{") or "limit" in key}
        for which, given, fires in ((0, series, True), (1, quiet, False)):
            test = {
                "interval": "1m",
                "input_series": [{"series": key, "values": value} for key, value in given.items()],
                "promql_expr_test": [
                    {
                        "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}})',
                        "eval_time": when,
                        "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
                    }
                ],
            }
            path = tmp_path / f"{number}-{which}.yaml"
            text = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": [test]}
            path.write_text(yaml.safe_dump(text))
    done = subprocess.run(
        [promtool, "test", "rules", *sorted(tmp_path.glob("*.yaml"))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
