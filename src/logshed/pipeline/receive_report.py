"""How receiving stands, while it runs and at its end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from logshed.doors.receive_counts import Counts


@dataclass(slots=True)
class ReceiveReport:
    """What came, and where it is.

    Attributes:
        counts: What is counted.
        addresses: Where each door is.
        waiting: Bytes that wait to be written.
        spool: Bytes that the spool takes.
        limit: Bytes that it may take.
        lake: Why records wait in the spool, or empty.
        seconds: Wall time, at the end.
    """

    counts: Counts
    addresses: dict[str, list[str]] = field(default_factory=dict)
    waiting: int = 0
    spool: int = 0
    limit: int = 0
    lake: str = ""
    seconds: float = 0.0

    @property
    def records(self) -> int:
        """Records that were put on disk."""
        return int(self.counts.total("logshed_receive_records"))

    @property
    def stored(self) -> int:
        """Records that are in the lake and that a format could read."""
        return int(self.counts.total("logshed_ingest_stored_records"))

    @property
    def in_lake(self) -> int:
        """Records that are in the lake; those that no format could read are kept there, too."""
        return self.stored + int(self.counts.total("logshed_ingest_rejected_records"))

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        total = self.counts.total
        return {
            "addresses": self.addresses,
            "records": self.records,
            "bytes": int(total("logshed_receive_bytes")),
            "duplicates": int(total("logshed_receive_duplicate_records")),
            "refused": int(total("logshed_receive_refused_records")),
            "throttled": int(total("logshed_receive_throttled_requests")),
            "stored": self.stored,
            "rejected": int(total("logshed_ingest_rejected_records")),
            "spool_bytes": self.spool,
            "lake": self.lake,
            "seconds": round(self.seconds, 3),
        }
