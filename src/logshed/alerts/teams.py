"""Microsoft Teams, by a workflow's webhook: an Adaptive Card of rich text, which knows no Markdown and no mentions.

The older connectors' message cards are gone; a workflow takes ``type: message`` with one card, at most 28 KB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from logshed.alerts.common import http
from logshed.alerts.common.kind import Kind, Send
from logshed.alerts.common.template import body
from logshed.alerts.common.text import cut_bytes, defanged

if TYPE_CHECKING:
    from logshed.alert_settings import Alert
    from logshed.alerts.common.message import Message

KIND = Kind(needs=("url",), takes=("ca_file",), secret_url=True, rate="60/1h")
TITLE_BYTES, TEXT_BYTES, FACT_BYTES = 600, 4500, 600
"""Twice their sum, as JSON may escape each character, stays below 28 KB."""
COLOURS = {"critical": "attention", "high": "attention", "medium": "warning", "low": "accent"}


def sender(alert: Alert) -> Send:
    """What posts to the workflow."""

    def send(message: Message) -> None:
        if alert.url is None:
            raise ValueError("url: teams needs it; set it")
        url = alert.url.read()
        http.secure(url, "teams")
        http.post(url, [orjson.dumps(payload(message, alert.template))], ca_file=alert.ca_file)

    return send


def payload(message: Message, template: str | None) -> dict[str, Any]:
    """The alert as a workflow's webhook takes it."""
    title = cut_bytes(defanged(f"{message.level.upper()}: {message.title}"), TITLE_BYTES)
    said = cut_bytes("\n".join(body(message, template, defanged)), TEXT_BYTES)
    blocks = [_rich(_run(title, weight="bolder", size="medium", color=COLOURS.get(message.level, "default")))]
    blocks += [_rich(_run(line)) for line in said.split("\n") if line]
    blocks += [
        _rich(_run(f"{label}: ", weight="bolder"), _run(cut_bytes(defanged(value), FACT_BYTES)))
        for label, value in message.facts()
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": blocks,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _rich(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **style: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}
