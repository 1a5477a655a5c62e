"""The columns that the second line of each client has in the lake, and its attributes: all that are not null."""

from __future__ import annotations

from typing import Any

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
OURS = frozenset(
    ("collection", "observed_timestamp", "source", "generation", "offset", "item", "batch", "record_id", "log_format")
)
"""Columns that tell how a record came here."""
RULED = frozenset(("log_type", "redaction_count", "client_risk_level", "url_template"))
"""Columns that Logshed finds out itself."""
WHEN = {"timestamp": "2024-05-01 10:00:01+00:00", "timestamp_source": "event"}
WARN = {"severity_text": "WARN", "severity_number": 13}
WARNING = {"severity_text": "WARNING", "severity_number": 13}
OTLP = {
    **WHEN,
    **WARNING,
    "timestamp": "2024-05-01 10:00:01.123456+00:00",
    "event_name": "order.paid",
    "trace_id": TRACE,
    "span_id": SPAN,
    "service_name": "shop",
    "service_namespace": "web",
    "deployment_environment_name": "live",
    "host_name": "web-1",
    "scope_name": "shop.orders",
    "http_request_method": "POST",
    "url_path": "/orders/17",
    "http_response_status_code": 503,
    "user_id": "u9",
}
OTLP_ATTRIBUTES = {
    "scope.version": "1.2.0",
    "flags": "1",
    "retry": "true",
    "share": "0.5",
    "count": "1099511627776",
    "sizes": "[1,2]",
    "owner": "[EMAIL]",
}
ELASTIC = {
    **WHEN,
    **WARN,
    "trace_id": TRACE,
    "span_id": SPAN,
    "service_name": "shop",
    "host_name": "web-1",
    "k8s_namespace_name": "web",
    "k8s_pod_name": "shop-0",
    "http_request_method": "POST",
    "http_response_status_code": 503,
    "user_id": "u9",
}
ELASTIC_ATTRIBUTES = {"retry": "true", "labels.team": "core", "labels.owner": "[EMAIL]"}
SYSLOG = {**WHEN, **WARNING, "service_name": "shop", "host_name": "web-1", "process_pid": 17}
LOCAL3 = {"syslog.facility": "local3"}
SPLUNK = {"com.splunk.source": "shop"}

Columns = tuple[dict[str, Any], dict[str, str]]
SECOND: dict[str, Columns] = {
    "otlp_http": (OTLP, OTLP_ATTRIBUTES),
    "otlp_grpc": (OTLP, OTLP_ATTRIBUTES),
    "elasticsearch": (ELASTIC, {**ELASTIC_ATTRIBUTES, "log.record.uid": "elasticsearch-1"}),
    "opensearch": (ELASTIC, {**ELASTIC_ATTRIBUTES, "log.record.uid": "opensearch-1"}),
    "loki": (
        {**WHEN, **WARNING, "host_name": "web-1"},
        {"job": "shop", "team": "core", "logger": "orders", "owner": "[EMAIL]"},
    ),
    "promtail": (
        {
            **WHEN,
            **WARN,
            "trace_id": TRACE,
            "service_name": "shop",
            "k8s_namespace_name": "web",
            "k8s_pod_name": "shop-0",
            "log_file_path": "/var/log/shop.log",
        },
        {"owner": "[EMAIL]"},
    ),
    "splunk_hec_handler": (
        {**WHEN, "host_name": "web-1"},
        {**SPLUNK, "com.splunk.sourcetype": "_json", "team": "core", "owner": "[EMAIL]"},
    ),
    "splunk_handler": ({"host_name": "web-1"}, {**SPLUNK, "com.splunk.sourcetype": "app"}),
    "fluent_logger": (WHEN, {"fluent.tag": "fluent_logger.shop"}),
    "node": (WHEN, {"fluent.tag": "node.shop", "team": "core"}),
    "python_tcp": (SYSLOG, LOCAL3),
    "python_udp": (SYSLOG, LOCAL3),
    "rsyslog": ({**WARNING, "service_name": "shop"}, LOCAL3),
    "rsyslog_elastic": ({**WARNING, "service_name": "shop"}, {}),
}
"""By client. What a client cannot set, as the time and the host of rsyslog, is not said here."""
FREE = {
    "splunk_handler": ("timestamp", "timestamp_source"),
    "rsyslog": ("timestamp", "timestamp_source", "host_name"),
    "rsyslog_elastic": ("timestamp", "timestamp_source", "host_name"),
}
"""Columns that a client sets by its own clock and machine."""
