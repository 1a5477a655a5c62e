"""The units of work that travel between the stages: splits, checkpoints, counts and what was written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

UNTIL_EOF = 2**63 - 1
"""The end of a split whose length is known only once it is read (a compressed stream)."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far one generation of a source is in the lake, and how to know it again under another name.

    Attributes:
        source: The source's name, ``file:/abs/path``.
        generation: Which of the files that bore this name.
        end: Offset in the decoded stream up to which every line is in the lake.
        head_size: Bytes of the decoded head that ``head_hash`` covers (at most 4,096).
        head_hash: SHA-256 of the head, 32 hex digits.
        tail_size: Bytes before ``end`` that ``tail_hash`` covers (at most 4,096).
        tail_hash: SHA-256 of these bytes, 32 hex digits.
        inode: ``device:inode`` when last seen; empty where the source has none.
        continues: Whether ``end`` is where one split of a run gave way to the next, in the middle of a line or a record
            that is in the lake already: what comes next must be read as the next split would have been.
        format: The format choice that it was read with.
    """

    source: str
    generation: str
    end: int
    head_size: int
    head_hash: str
    tail_size: int
    tail_hash: str
    inode: str = ""
    continues: bool = False
    format: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """A range of bytes of one generation of one file or object.

    Attributes:
        source: The source's name, as in the tables.
        locator: What the source opens (a path, a URL).
        generation: Which of the files that bore this name.
        start: First byte, an offset in the decoded stream.
        end: First byte after it, or ``UNTIL_EOF``.
        format: The pinned format choice: envelopes and candidates, ``docker_json/java,json``.
        resource: What produced the lines, sorted pairs of OpenTelemetry resource attributes.
        codec: ``plain``, ``gzip``, ``bzip2``, ``xz``, ``zstd`` or ``parquet``.
        encoding: The text encoding of the decompressed bytes, ``utf-8`` unless declared or detected.
        follows: Whether another split of this run owns a record that runs into this one.
        continues: Whether another split of this run begins at ``end``; only then may a record be finished past it.
        head_size: See ``Checkpoint``.
        head_hash: See ``Checkpoint``.
        inode: See ``Checkpoint``.
        final: Whether a last line without a line feed is taken.
        collection: The collection of its records; empty where the run says it.
        unit: Bytes for which a step of an offset stands, about: 1, but of messages.
    """

    source: str
    locator: str
    generation: str
    start: int
    end: int
    format: str = ""
    resource: tuple[tuple[str, str], ...] = ()
    codec: str = "plain"
    encoding: str = "utf-8"
    follows: bool = False
    continues: bool = False
    head_size: int = 0
    head_hash: str = ""
    inode: str = ""
    final: bool = False
    collection: str = ""
    unit: int = 1

    @property
    def bytes(self) -> int:
        """Bytes of it, about; of what must be decoded to know that, many."""
        return (self.end - self.start) * self.unit


@dataclass(frozen=True, slots=True)
class Counts:
    """The fates of physical lines: ``read == stored + rejected + sum(dropped.values())``.

    Attributes:
        read: Physical lines read.
        stored: Lines that are part of a record that a format took.
        rejected: Lines kept with a ``parse_error``.
        dropped: Lines dropped, by the name of the rule.
        cut: Lines that were longer than ``max_line_bytes`` and kept cut.
        redacted: Spans replaced, by the name of the redaction rule.
    """

    read: int = 0
    stored: int = 0
    rejected: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    cut: int = 0
    redacted: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            read=self.read + other.read,
            stored=self.stored + other.stored,
            rejected=self.rejected + other.rejected,
            dropped=_summed(self.dropped, other.dropped),
            cut=self.cut + other.cut,
            redacted=_summed(self.redacted, other.redacted),
        )

    @property
    def dropped_lines(self) -> int:
        """Lines dropped by any rule."""
        return sum(self.dropped.values())

    @property
    def balanced(self) -> bool:
        """Whether every line read has exactly one fate."""
        return self.read == self.stored + self.rejected + self.dropped_lines


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file that a worker wrote and that the driver will commit.

    Attributes:
        table: Its table, such as ``silver.logs``.
        path: Where it lies.
        rows: Rows in it.
        checksum: SHA-256 of its bytes where that is kept, 64 hex digits; else empty.
    """

    table: str
    path: str
    rows: int
    checksum: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a split.

    Attributes:
        split: The split, its ``end`` replaced by the offset that was reached.
        data_files: The files written for it.
        counts: The fates of its lines.
        tail_size: See ``Checkpoint``.
        tail_hash: See ``Checkpoint``.
        first_timestamp: Earliest event time, ISO 8601 UTC, or empty.
        last_timestamp: Latest event time, ISO 8601 UTC, or empty.
        problem: What could not be read, or empty.
        reject_samples: Beginnings of a few lines that no format took, redacted.
    """

    split: Split
    data_files: tuple[DataFile, ...]
    counts: Counts
    tail_size: int = 0
    tail_hash: str = ""
    first_timestamp: str = ""
    last_timestamp: str = ""
    problem: str = ""
    reject_samples: tuple[str, ...] = ()

    def at(self, end: int) -> Self:
        """The same with the split's reached end."""
        return replace(self, split=replace(self.split, end=end))


def _summed(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
    return {name: left.get(name, 0) + right.get(name, 0) for name in {**left, **right}}
