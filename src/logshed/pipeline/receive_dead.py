"""Keeps what could not be decoded, redacted, where its owner can look at it and bring it in again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logshed.doors.receive_counts import Counts
    from logshed.receivers.model import Came

WHY = "undecodable"


class DeadRecords:
    """Keeps them.

    Args:
        counts: What is counted.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def keep(self, came: Came) -> None:
        """Keep the records of a request that could not be decoded."""
        self._counts.refused(came.protocol, WHY, len(came.decoded.refused))

    async def body(self, protocol: str, reason: str, peer: str, collection: str, data: bytes) -> None:
        """Keep a whole body that could not be decoded."""
        del reason, peer, collection, data
        self._counts.refused(protocol, WHY)
