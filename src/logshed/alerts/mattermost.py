"""Mattermost, by an incoming webhook: an attachment whose Markdown is escaped and which calls nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from logshed.alerts.common import http
from logshed.alerts.common.kind import Kind, Send
from logshed.alerts.common.template import body
from logshed.alerts.common.text import cut, defanged, markdown

if TYPE_CHECKING:
    from logshed.alert_settings import Alert
    from logshed.alerts.common.message import Message

KIND = Kind(needs=("url",), takes=("ca_file",), secret_url=True, rate="60/1h")
TEXT, FIELD = 7000, 700
"""Characters; a post may have 16,383 altogether, those of its attachments included."""
COLOURS = {
    "critical": "#8b0000", "high": "#d93025", "medium": "#e8710a", "low": "#f9ab00", "informational": "#1a73e8",
}  # fmt: skip


def sender(alert: Alert) -> Send:
    """What posts to the channel."""

    def send(message: Message) -> None:
        if alert.url is None:
            raise ValueError("url: mattermost needs it; set it")
        http.post(alert.url.read(), [orjson.dumps(payload(message, alert.template))], ca_file=alert.ca_file)

    return send


def payload(message: Message, template: str | None) -> dict[str, Any]:
    """The alert as Mattermost's webhook takes it."""
    title = f"{message.level.upper()}: {message.title}"
    fields = [
        {"short": len(value) < 40, "title": label, "value": _fitting(markdown(value), FIELD)}  # noqa: PLR2004 - half a line
        for label, value in message.facts()
    ]
    attachment = {
        "fallback": cut(defanged(title), 300),
        "color": COLOURS[message.level],
        "title": _fitting(markdown(title), 600),
        "text": _fitting("\n".join(body(message, template, markdown)), TEXT),
        "fields": fields,
    }
    return {"attachments": [attachment]}


def _fitting(text: str, limit: int) -> str:
    """Escaped text cut without leaving a backslash that would escape what follows."""
    return text if len(text) <= limit else text[: limit - 1].rstrip("\\") + "…"
