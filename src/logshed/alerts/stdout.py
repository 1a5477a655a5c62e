"""Standard output: a line for each finding."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from logshed.alerts.common.kind import Kind, Send
from logshed.alerts.common.message import Message, iso
from logshed.alerts.common.template import filled
from logshed.alerts.common.text import clean
from logshed.errors import AlertError

if TYPE_CHECKING:
    from logshed.alert_settings import Alert

KIND = Kind(batch=100)


def sender(alert: Alert) -> Send:
    """What prints a message."""

    def send(message: Message) -> None:
        try:
            sys.stdout.write("".join(f"{one}\n" for one in lines(message, alert.template)))
            sys.stdout.flush()
        except OSError as error:
            cause = error.strerror or type(error).__name__
            raise AlertError(f"cannot print an alert: {cause}; see where standard output goes") from None

    return send


def lines(message: Message, template: str | None) -> list[str]:
    """The lines of a message: one for each finding, or the template."""
    if template and message.kind == "finding":
        parts = [Message.of([one]) for one in message.findings]
        return [f"{clean(filled(part, template, str), 8192)} (rule by {part.first.author})" for part in parts]
    before = {"finding": "", "summary": "[SUMMARY] ", "test": "[TEST] "}[message.kind]
    return [
        f"{before}{iso(one.start)} {one.level.upper()} {one.title}: {one.text('explanation')} "
        f"[{one.text('collection')}; {' '.join(filter(None, one.actor)) or 'no actor'}; records {one.count}; "
        f"score {one.score:.0f}; {' '.join(one.techniques) or 'no technique'}; "
        f"evidence {' '.join(one.evidence) or 'none'}; rule {one.text('rule_name')} by {one.author}]"
        for one in message.findings
    ]
