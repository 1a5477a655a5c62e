"""A webhook: the alert as JSON, signed if a key is set."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import TYPE_CHECKING, Any

import orjson

from logshed.alerts.common import http
from logshed.alerts.common.kind import Kind, Send
from logshed.alerts.common.message import distinct
from logshed.alerts.common.template import body

if TYPE_CHECKING:
    from logshed.alert_settings import Alert
    from logshed.alerts.common.message import Message

KIND = Kind(needs=("url",), takes=("secret", "token", "ca_file"))


def sender(alert: Alert) -> Send:
    """What posts to the address."""

    def send(message: Message) -> None:
        if alert.url is None:
            raise ValueError("url: webhook needs it; set it")
        data = orjson.dumps(payload(message, alert.template)).replace(b"<", b"\\u003c").replace(b">", b"\\u003e")
        headers = {"X-Logshed-Key": message.key}
        if alert.token:
            headers["Authorization"] = f"Bearer {alert.token.read()}"
        if alert.secret:
            headers |= signed(data, alert.secret.read(), int(time.time()))
        http.post(alert.url.read(), [data], headers=headers, ca_file=alert.ca_file)

    return send


def payload(message: Message, template: str | None) -> dict[str, Any]:
    """The alert as it is posted."""
    return {
        "version": 1,
        "kind": message.kind,
        "key": message.key,
        "title": message.title,
        "level": message.level,
        "text": "\n".join(body(message, template, str)),
        "rule_authors": distinct(one.author for one in message.findings),
        "findings": [one.plain() for one in message.findings],
    }


def signed(data: bytes, key: str, now: int) -> dict[str, str]:
    """The headers that prove who posts and when: HMAC-SHA-256 of the time, a dot and the body."""
    digest = hmac.new(key.encode(), f"{now}.".encode() + data, hashlib.sha256).hexdigest()
    return {"X-Logshed-Timestamp": str(now), "X-Logshed-Signature": f"sha256={digest}"}
