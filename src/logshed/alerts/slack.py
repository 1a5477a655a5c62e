"""Slack, by an incoming webhook: blocks whose texts call nobody and link nowhere.

Limits by https://docs.slack.dev/reference/block-kit/blocks: 50 blocks, a header of 150 characters, a section's text of
3,000, ten fields of 2,000 each.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import orjson

from logshed.alerts.common import http
from logshed.alerts.common.kind import Kind, Send
from logshed.alerts.common.template import body
from logshed.alerts.common.text import cut, defanged, slack

if TYPE_CHECKING:
    from logshed.alert_settings import Alert
    from logshed.alerts.common.message import Message

KIND = Kind(needs=("url",), takes=("ca_file",), secret_url=True, rate="60/1h")
HEADER, SECTION, FIELD, FIELDS = 150, 3000, 2000, 10
_ANGLES = str.maketrans("<>", "\u2039\u203a")
_HALF_ENTITY = re.compile(r"&[a-z]{0,4}$")


def sender(alert: Alert) -> Send:
    """What posts to the channel."""

    def send(message: Message) -> None:
        if alert.url is None:
            raise ValueError("url: slack needs it; set it")
        url = alert.url.read()
        http.secure(url, "slack")
        http.post(url, [orjson.dumps(payload(message, alert.template))], ca_file=alert.ca_file)

    return send


def payload(message: Message, template: str | None) -> dict[str, Any]:
    """The alert as Slack's webhook takes it."""
    # A header's text is not escaped, so it has none of the marks that mean something elsewhere.
    title = cut(defanged(f"{message.level.upper()}: {message.title}".translate(_ANGLES)), HEADER)
    said = _fitting("\n".join(body(message, template, slack)), SECTION)
    fields = [_mrkdwn(f"*{slack(label)}*\n{slack(value)}", FIELD) for label, value in message.facts()[:FIELDS]]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}},
        {"type": "section", "text": _mrkdwn(said or slack(message.title), SECTION)},
        {"type": "section", "fields": fields},
    ]
    short = _fitting(slack(f"{message.level.upper()}: {message.title}"), SECTION)
    return {"text": short, "blocks": blocks, "link_names": False, "parse": "none", "unfurl_links": False}


def _mrkdwn(text: str, limit: int) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": _fitting(text, limit), "verbatim": True}


def _fitting(text: str, limit: int) -> str:
    """Escaped text cut without leaving half of an escape."""
    return text if len(text) <= limit else _HALF_ENTITY.sub("", text[: limit - 1]) + "…"
