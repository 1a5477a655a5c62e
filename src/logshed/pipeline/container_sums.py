"""Sums of what containers wrote lately: their errors, how many, and which are critical."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from logshed.pipeline.container_entries import CRITICAL

RECENT = 5
"""Errors of a container that a summary shows."""
Entry = dict[str, Any]


def errors(entries: dict[str, list[Entry]]) -> dict[str, list[Entry]]:
    """The errors of each container that has any."""
    found = {name: [one for one in own if one["level"] == "ERROR"] for name, own in entries.items()}
    return {name: own for name, own in found.items() if own}


def summary(everything: dict[str, list[Entry]], hours: float) -> dict[str, Any]:
    """How many errors there are, of which containers, and which are critical.

    Args:
        everything: What each container wrote.
        hours: From how many hours ago on.

    Returns:
        ``timestamp``, ``analysis_period_hours``, ``total_containers``, ``containers_with_errors``,
        ``total_error_entries``, ``error_breakdown`` (by name ``error_count`` and ``recent_errors``) and
        ``critical_issues`` (``container``, ``timestamp``, ``message``, ``severity``).
    """
    found = errors(everything)
    critical = [
        {"container": name, "timestamp": one["timestamp"], "message": one["message"], "severity": "CRITICAL"}
        for name, own in found.items()
        for one in own
        if re.search(CRITICAL, one["message"])
    ]
    return {
        "timestamp": datetime.now(UTC).isoformat(),
        "analysis_period_hours": hours,
        "total_containers": len(everything),
        "containers_with_errors": len(found),
        "total_error_entries": sum(map(len, found.values())),
        "error_breakdown": {
            name: {"error_count": len(own), "recent_errors": own[-RECENT:]} for name, own in found.items()
        },
        "critical_issues": critical,
    }
