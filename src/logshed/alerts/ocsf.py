"""OCSF: a Detection Finding (class 2004) for each finding, as lines of JSON in a file, or posted.

By https://schema.ocsf.io/1.5.0/classes/detection_finding. A bucket as the place is not here yet.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Any

import orjson

from logshed.alerts.common import http
from logshed.alerts.common.kind import Kind, Send
from logshed.alerts.common.template import filled
from logshed.alerts.common.version import VERSION
from logshed.errors import AlertError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from logshed.alert_settings import Alert
    from logshed.alerts.common.message import Finding, Message

KIND = Kind(takes=("path", "url", "token", "ca_file"), batch=100)
SCHEMA = "1.5.0"
CLASS, CATEGORY, CREATE = 2004, 2, 1
SEVERITIES = {
    "informational": (1, "Informational"), "low": (2, "Low"), "medium": (3, "Medium"), "high": (4, "High"),
    "critical": (5, "Critical"),
}  # fmt: skip
CONFIDENCES = {"low": (1, "Low"), "high": (3, "High")}
OBSERVABLES = (("client_address", 2, "IP Address"), ("user_id", 4, "User Name"), ("actor", 99, "Other"))


def sender(alert: Alert) -> Send:
    """What appends to the file, or posts to the address."""
    if bool(alert.path) == bool(alert.url):
        raise ValueError("path: ocsf writes to a file or posts to an address; set one of path and url")

    def send(message: Message) -> None:
        events = [orjson.dumps(event(one, message, alert.template)) for one in message.findings]
        if alert.path:
            append(alert.path, events)
        elif alert.url:
            headers = {"Authorization": f"Bearer {alert.token.read()}"} if alert.token else {}
            http.post(alert.url.read(), events, headers=headers, ca_file=alert.ca_file)

    return send


def event(finding: Finding, message: Message, template: str | None) -> dict[str, Any]:
    """A finding as an OCSF event; times are milliseconds."""
    severity_id, severity = SEVERITIES[finding.level]
    confidence_id, confidence = CONFIDENCES.get(finding.text("confidence"), (0, "Unknown"))
    said = finding.text("explanation")
    if template and message.kind == "finding":
        said = filled(type(message).of([finding]), template, str)
    return {
        "activity_id": CREATE, "activity_name": "Create",
        "category_uid": CATEGORY, "category_name": "Findings",
        "class_uid": CLASS, "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + CREATE, "type_name": "Detection Finding: Create",
        "severity_id": severity_id, "severity": severity,
        "confidence_id": confidence_id, "confidence": confidence,
        "status_id": 1, "status": "New", "is_alert": message.kind == "finding",
        "time": _milliseconds(finding.observed if "observed_timestamp" in finding.values else finding.start),
        "start_time": _milliseconds(finding.start), "end_time": _milliseconds(finding.end),
        "count": max(finding.count, 1), "message": said, "risk_score": round(finding.score),
        "metadata": _metadata(message),
        "finding_info": _info(finding, message),
        "observables": [
            {"name": name, "type_id": kind, "type": called, "value": text}
            for name, kind, called in OBSERVABLES if (text := finding.text(name))
        ],
        "evidences": [{"data": {"record_id": one}} for one in finding.evidence],
        "unmapped": {
            "collection": finding.text("collection"), "rule_author": finding.author,
            "rule_kind": finding.text("rule_kind"), "attributes": dict(finding.attributes),
        },
    }  # fmt: skip


def append(path: Path, events: list[bytes]) -> None:
    """Append lines to a file, whole or not at all, and have them on the disk before it returns.

    Raises:
        AlertError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o640), "r+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            end = file.seek(0, os.SEEK_END) if file.seekable() else 0
            torn = end > 0 and os.pread(file.fileno(), 1, end - 1) != b"\n"
            try:
                _write(file.fileno(), (b"\n" if torn else b"") + b"".join(one + b"\n" for one in events))
                if file.seekable():
                    os.fsync(file.fileno())
            except OSError:
                if file.seekable():  # a full disk: half a line helps nobody
                    file.truncate(end)
                raise
    except OSError as error:
        cause = error.strerror or type(error).__name__
        raise AlertError(f"cannot write {path}: {cause}; correct path or its permissions", retry=True) from None


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _metadata(message: Message) -> dict[str, Any]:
    product = {"name": "Logshed", "vendor_name": "Logshed", "version": VERSION}
    labels = {} if message.kind == "finding" else {"labels": [message.kind]}
    return {"version": SCHEMA, "product": product, "correlation_uid": message.key, **labels}


def _info(finding: Finding, message: Message) -> dict[str, Any]:
    analytic = {
        "type_id": 1, "type": "Rule", "name": finding.text("rule_name"), "uid": finding.text("rule_id"),
        "version": finding.text("rule_version"), "desc": f"{finding.title}, by {finding.author}",
    }  # fmt: skip
    found: dict[str, Any] = {
        "uid": finding.id,
        "title": ("[TEST] " if message.kind == "test" else "") + finding.title,
        "desc": finding.text("explanation"),
        "analytic": {key: text for key, text in analytic.items() if text},
        "created_time": _milliseconds(finding.observed),
        "first_seen_time": _milliseconds(finding.start),
        "last_seen_time": _milliseconds(finding.end),
    }
    if finding.techniques:
        found["attacks"] = [{"technique": {"uid": one}} for one in finding.techniques]
    return found


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
