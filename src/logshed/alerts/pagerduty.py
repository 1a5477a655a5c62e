"""PagerDuty, by its Events API v2: a trigger for each alert; a test is resolved at once.

Fields and limits by https://developer.pagerduty.com/docs/send-alert-event: a summary of 1,024 characters, a
``dedup_key`` of 255, severities critical, error, warning and info.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from logshed.alerts.common import http
from logshed.alerts.common.kind import Kind, Send
from logshed.alerts.common.message import iso
from logshed.alerts.common.template import body, filled
from logshed.alerts.common.text import clean, cut

if TYPE_CHECKING:
    from logshed.alert_settings import Alert
    from logshed.alerts.common.message import Message

KIND = Kind(needs=("routing_key",), takes=("url", "ca_file"), rate="60/1h")
ADDRESS = "https://events.pagerduty.com/v2/enqueue"
SUMMARY, DEDUP, SOURCE = 1024, 255, 255
SEVERITIES = {"critical": "critical", "high": "error", "medium": "warning", "low": "info", "informational": "info"}


def sender(alert: Alert) -> Send:
    """What triggers an alert in the service that the routing key belongs to."""

    def send(message: Message) -> None:
        if alert.routing_key is None:
            raise ValueError("routing_key: pagerduty needs it; set it")
        url = alert.url.read() if alert.url else ADDRESS
        http.secure(url, "pagerduty")
        key = {"routing_key": alert.routing_key.read(), "dedup_key": cut(f"logshed-{message.key}", DEDUP)}
        bodies = [orjson.dumps({**key, **payload(message, alert.template)})]
        if message.kind == "test":
            bodies.append(orjson.dumps({**key, "event_action": "resolve"}))
        http.post(url, bodies, ca_file=alert.ca_file)

    return send


def payload(message: Message, template: str | None) -> dict[str, Any]:
    """The event without its keys."""
    first = message.first
    summary = f"{message.level.upper()}: {message.title}"
    if template and message.kind == "finding":
        summary = clean(filled(message, template, str), SUMMARY)
    details = dict(message.facts())
    return {
        "event_action": "trigger",
        "client": "Logshed",
        "payload": {
            "summary": cut(summary or message.title, SUMMARY),
            "source": cut(first.actor[1] or first.text("service_name") or "logshed", SOURCE),
            "severity": SEVERITIES[message.level],
            "timestamp": iso(first.start),
            "component": cut(first.text("service_name"), SOURCE),
            "group": cut(first.text("collection"), SOURCE),
            "class": cut(first.text("rule_name"), SOURCE),
            "custom_details": {**details, "What was seen": body(message, None, str)},
        },
    }
