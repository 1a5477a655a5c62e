"""Doors: what lets people and programs look in by HTTP, each by a token of theirs."""

from __future__ import annotations

from logshed.doors.readable import Readable

__all__ = ["Readable"]
