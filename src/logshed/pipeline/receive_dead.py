"""Keeps what could not be decoded, redacted, where its owner can look at it and bring it in again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.spool.dead import DEAD, DeadLetters
from logshed.spool.letters import letter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from logshed.doors.receive_counts import Counts
    from logshed.pipeline.receive_safe import Safe
    from logshed.receivers.model import Came

WHY = "undecodable"
LARGEST = 2**22
"""Bytes of what is kept as it is; of more, as of what is no text, a hash, the size and the sender."""


class DeadRecords:
    """Keeps them; used by one thread at a time.

    Args:
        root: The spool's folder.
        safe: Makes text such that it may rest.
        counts: What is counted.
    """

    def __init__(self, root: Path, safe: Safe, counts: Counts) -> None:
        self._letters = DeadLetters(root / DEAD)
        self._safe = safe
        self._counts = counts

    def keep(self, came: Came) -> None:
        """Keep the records of a request that could not be decoded.

        Raises:
            SpoolError: They cannot be written.
        """
        found = [(one.reason, one.data) for one in came.decoded.refused]
        self._keep(came.protocol, came.peer, came.collection, found)

    def body(self, protocol: str, reason: str, peer: str, collection: str, data: bytes) -> None:
        """Keep a whole body that could not be decoded.

        Raises:
            SpoolError: It cannot be written.
        """
        self._keep(protocol, peer, collection, [(reason, data)])

    def _keep(self, protocol: str, peer: str, collection: str, found: Sequence[tuple[str, bytes]]) -> None:
        source = f"dead:{protocol}"
        reasons = self._safe.texts(source, collection, [reason for reason, _ in found])
        plain = [_text(data) for _, data in found]
        safe = iter(self._safe.texts(source, collection, [text for text in plain if text is not None]))
        self._letters.put_all(
            letter(
                protocol,
                reason,
                peer,
                collection,
                data=data,
                redacted_text=None if text is None else next(safe),
            )
            for (_, data), reason, text in zip(found, reasons, plain, strict=True)
        )
        self._counts.refused(protocol, WHY, len(found))


def _text(data: bytes) -> str | None:
    """Bytes as text; None where they are none, since no rule finds anything in them, or where they are too many."""
    if len(data) > LARGEST or b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
