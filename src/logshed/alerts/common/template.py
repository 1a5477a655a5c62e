"""Fills in a template over a message's columns; no expression, no format specification, nothing that could run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.alert_settings import PLACES
from logshed.alerts.common.text import cut

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from logshed.alerts.common.message import Message

LONGEST = 1024
"""Characters that fill one place, so that none pushes out what the user wrote behind it."""


def body(message: Message, template: str | None, escape: Callable[[str], str]) -> list[str]:
    """The lines that say what was seen.

    Args:
        message: What is said.
        template: The user's own text, or None for the findings' explanations. A summary and a test have their own.
        escape: Makes a text of a finding harmless where it will stand; the template itself is the user's word.
    """
    if template is None or message.kind != "finding":
        return [escape(text) for text in message.explanations]
    return filled(message, template, escape).split("\n")


def filled(message: Message, template: str, escape: Callable[[str], str]) -> str:
    """The template with the first finding's columns in their places."""
    return PLACES.sub(lambda found: escape(cut(_value(message, found), LONGEST)), template)


def _value(message: Message, found: re.Match[str]) -> str:
    """What stands in a place."""
    first = message.first
    if found[1]:
        return first.attributes.get(found[1], "")
    computed = {
        "findings": str(len(message.findings)),
        "title": message.title,
        "evidence": ", ".join(first.evidence),
        "attributes": ", ".join(f"{key}={text}" for key, text in first.attributes.items()),
    }
    return computed.get(found[2]) or first.text(found[2])
