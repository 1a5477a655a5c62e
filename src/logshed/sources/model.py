"""What a source says about the things it found: targets, problems and the identity of a file over time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import polars as pl

HEAD_BYTES = 4096
"""Decoded bytes at the head (and before the reached end) that tell one generation of a file from another."""

OBJECT = "etag:"
"""What the inode of an object in a store begins with."""
TOPIC = "kafka://"
"""What the locator of a topic's partition begins with."""


@dataclass(frozen=True, slots=True)
class Target:
    """One file that can be read.

    Attributes:
        path: The path as the user named it or as it was found below a folder.
        source: The source's name, ``file:`` and the absolute path with its links resolved; ``stdin:`` for ``-``; the
            address of an object.
        locator: What is opened: the absolute path, an address, or ``-``.
        codec: ``plain``, ``gzip``, ``bzip2``, ``xz``, ``zstd`` or ``parquet``.
        encoding: Text encoding of the decompressed bytes; ``utf-8`` covers ASCII and stray bytes.
        size: Bytes on disk; 0 for a stream.
        mtime: Last change, seconds since the epoch.
        inode: ``device:inode``; empty for a stream; of an object ``etag:`` and its etag.
        head: The first decoded bytes, at most ``HEAD_BYTES``.
        is_stream: Whether it can be read only once and from its start (standard input, a named pipe).
        note: What a person may want to know, or empty.
        generation: Which stream it is, where its source tells; empty where that has to be found out.
        start: Offset of the first line that is still there.
        collection: The collection of its records; empty where the run says it.
        format: The format choice that its lines were joined by; empty where none is known.
        resource: What produced its lines, where its source tells.
        envelope: The format in which its source wraps each line; a format that the user names is of what is inside.
        unit: Bytes for which a step of an offset stands, about: 1, but of messages.
    """

    path: str
    source: str
    locator: str
    codec: str = "plain"
    encoding: str = "utf-8"
    size: int = 0
    mtime: float = 0.0
    inode: str = ""
    head: bytes = b""
    is_stream: bool = False
    note: str = ""
    generation: str = ""
    start: int = 0
    collection: str = ""
    format: str = ""
    resource: tuple[tuple[str, str], ...] = ()
    envelope: str = ""
    unit: int = 1

    @property
    def is_topic(self) -> bool:
        """Whether it is a partition of a topic: its offsets count messages."""
        return self.locator.startswith(TOPIC)

    @property
    def bytes(self) -> int:
        """Bytes that are there, about."""
        return (self.size - self.start) * self.unit

    @property
    def is_object(self) -> bool:
        """Whether it is an object in a store: it never grows, and is opened only once it is known to be new."""
        return self.inode.startswith(OBJECT)

    @property
    def is_seekable(self) -> bool:
        """Whether an offset in the decoded stream is an offset in the file."""
        return self.codec == "plain" and self.encoding == "utf-8" and not self.is_stream


@dataclass(frozen=True, slots=True)
class Problem:
    """A path that is not read, and why.

    Attributes:
        path: The path as the user named it or as it was found.
        message: The cause, ``cannot <verb> <thing>: <cause>; <what to do>``.
    """

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Discovered:
    """What a list of paths comes to.

    Attributes:
        targets: Files to read, in the order of the paths, each file once.
        problems: Paths that the user asked for and that cannot be read.
        skipped: Files below a folder that are plainly no logs, with the reason.
    """

    targets: list[Target] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    skipped: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Identity:
    """Which generation of which source a target is, and from where it is new.

    Attributes:
        source: The source's name; that of the file's earlier name where it was rotated.
        generation: Which of the files that bore this name, 16 hex digits.
        start: Offset in the decoded stream from which nothing is in the lake yet.
        head_size: See ``Checkpoint``.
        head_hash: See ``Checkpoint``.
        note: Why a known file is read on or anew, or empty.
        exhausted: Whether nothing lies beyond ``start`` (known only where finding out meant decoding the file anyway).
        copy_of: Path of the target that holds the same generation and is read instead, or empty.
        problem: Why it cannot be told now, or empty: to take it as new then would double it.
        lost: What was gone before it could be read, or empty; what is there is read nonetheless.
    """

    source: str
    generation: str
    start: int
    head_size: int
    head_hash: str
    note: str = ""
    exhausted: bool = False
    copy_of: str = ""
    problem: str = ""
    lost: str = ""


class Lines(Protocol):
    """The lines of a split, read as they are asked for: frames of ``lines.SCHEMA``, ordered by offset.

    Attributes:
        lookback: Some decoded bytes before the first line, where lines may belong together.
        problem: What could not be read and why, or empty.
        end: Offset up to which everything that begins in the split was read.
        tail_size: See ``Checkpoint``.
        tail_hash: See ``Checkpoint``.
    """

    lookback: bytes
    problem: str

    @property
    def end(self) -> int:
        """See above; properties, since nobody sets them from outside."""

    @property
    def tail_size(self) -> int:
        """See above."""

    @property
    def tail_hash(self) -> str:
        """See above."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def __iter__(self) -> Iterator[pl.DataFrame]: ...
