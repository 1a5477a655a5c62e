"""What an ingest tells while it runs and when it is done."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from logshed.work import Counts

Status = Literal["ingested", "unchanged", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a running ingest is.

    Attributes:
        bytes_done: Bytes read so far, of the files as they lie on disk.
        bytes_total: Bytes to read; 0 where unknown (standard input).
        lines: Physical lines read.
        rejected: Lines that no format took.
        elapsed_s: Seconds since the start.
        current: What is being read.
    """

    bytes_done: int
    bytes_total: int
    lines: int
    rejected: int
    elapsed_s: float
    current: str


@dataclass(slots=True)
class FileReport:
    """What came of one file.

    Attributes:
        path: Its path as found.
        source: Its name in the tables.
        collection: Collection of its records.
        status: ``ingested``, ``unchanged`` (nothing new in it), ``failed`` or ``skipped`` (not a log).
        format: The format choice; empty where none was made.
        why: One sentence on why this format.
        share: Share of the sampled lines that the format takes, 0 to 1.
        counts: The fates of its lines.
        bytes: Bytes read.
        first_timestamp: Earliest event, ISO 8601 UTC, or empty.
        last_timestamp: Latest event, ISO 8601 UTC, or empty.
        error: What went wrong, or empty.
        note: What else the user should know, or empty.
        drift: The alarm where far fewer lines parse than is usual for this source, or empty.
        reject_samples: Beginnings of a few lines that no format took, redacted.
        lost: What was gone before it could be read, or empty; what was there is read.
        waits: Whether its last record was left for later, since more of it may come.
    """

    path: str
    source: str = ""
    collection: str = ""
    status: Status = "unchanged"
    format: str = ""
    why: str = ""
    share: float = 0.0
    counts: Counts = field(default_factory=Counts)
    bytes: int = 0
    first_timestamp: str = ""
    last_timestamp: str = ""
    error: str = ""
    note: str = ""
    drift: str = ""
    reject_samples: list[str] = field(default_factory=list)
    lost: str = ""
    waits: bool = False


@dataclass(slots=True)
class IngestReport:
    """What came of an ingest.

    Attributes:
        files: One report a file, in the order in which they were found.
        seconds: Wall time.
        batches: The batches committed.
        dry_run: Whether nothing was written.
        caught_up: Records that an interrupted run had left behind and that this one put into ``logs``.
        live: Why what was committed is not in the hot store yet, or empty.
    """

    files: list[FileReport]
    seconds: float = 0.0
    batches: list[str] = field(default_factory=list)
    dry_run: bool = False
    caught_up: int = 0
    live: str = ""

    @property
    def totals(self) -> Counts:
        """The fates of all lines."""
        return sum((report.counts for report in self.files), Counts())

    @property
    def failed(self) -> list[FileReport]:
        """Files that could not be read, or not to their end, or of which something was gone before."""
        return [report for report in self.files if report.error or report.lost]

    def exceeds(self, max_rejects_percent: float) -> bool:
        """Whether more than this share of the lines was rejected."""
        totals = self.totals
        return totals.rejected * 100 > max_rejects_percent * max(totals.read, 1)

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "files": [asdict(report) for report in self.files],
            "totals": asdict(self.totals),
            "seconds": round(self.seconds, 3),
            "batches": self.batches,
            "dry_run": self.dry_run,
            "caught_up": self.caught_up,
            "live": self.live,
        }
