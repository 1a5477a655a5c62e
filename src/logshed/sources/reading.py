"""Reads a split: frames of lines, from the first line that begins in it until the consumer has what it needs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Self

from logshed.errors import SourceError
from logshed.sources import kafka, objects, rawfile, streams
from logshed.sources.lines import LineCutter, empty
from logshed.sources.model import HEAD_BYTES
from logshed.work import UNTIL_EOF

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    import polars as pl

    from logshed.sources.model import Lines
    from logshed.work import Split

CHUNK_BYTES = 8 * 1024 * 1024
AFTER_END_BYTES = 128 * 1024
"""What is read at a time behind a split's end, to finish the record that is open there."""
LOOKBACK_BYTES = 32 * 1024
MAX_LINE_BYTES = 1024 * 1024
MAX_ROWS = 250_000
"""Lines in a frame: a chunk of empty lines would else become a frame of millions."""


def hash_of(data: bytes) -> str:
    """SHA-256 of some bytes, the first 32 hex digits."""
    return hashlib.sha256(data).hexdigest()[:32]


def read(split: Split, *, chunk_bytes: int = CHUNK_BYTES, max_line_bytes: int = MAX_LINE_BYTES) -> Lines:
    """Read a split's lines.

    Args:
        split: What to read.
        chunk_bytes: Bytes that are read at a time; what is held is a small multiple of it.
        max_line_bytes: A longer line is kept cut to this length.

    Raises:
        SourceError: The file cannot be opened, or it is no longer the one that the split was planned for.
    """
    if kafka.is_address(split.locator):
        return kafka.Messages(split, chunk_bytes, max_line_bytes)
    return Reading(split, chunk_bytes, max_line_bytes)


class Reading:
    """The lines of a split, read as they are asked for.

    Iterating gives frames of ``lines.SCHEMA``, ordered by offset. Where another split continues this one it goes on
    behind the split's end, until the consumer stops it (``close``, or leaving the ``with`` block) once its last record
    is complete; else the last line is the last that begins in the split.

    Attributes:
        lookback: At most 32 KiB of decoded bytes before the first line given out; fewer of what must be decoded.
        problem: What could not be read and why, or empty.
    """

    def __init__(self, split: Split, chunk_bytes: int = CHUNK_BYTES, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        """Open the split's file and go to its first line.

        Raises:
            SourceError: The file cannot be opened, or it is no longer the one that the split was planned for.
        """
        self.lookback = b""
        self.problem = ""
        self._split = split
        self._chunk = chunk_bytes
        self._raw = _open(split)
        self._stream = streams.decoded(self._raw, split.codec, split.encoding)
        self._file = self._raw if self._stream is self._raw and isinstance(self._raw, rawfile.RawFile) else None
        self._limit = self._file.size() if self._file else UNTIL_EOF
        if split.final and not split.continues:
            self._limit = min(self._limit, split.end)  # what was written since may finish the line that is taken
        self._ended = False
        self._before = b""  # the decoded bytes before the next one to be read, at most HEAD_BYTES
        self._begin = self._seek(self._file) if self._file else self._skip()
        self._cutter = LineCutter(self._begin, max_line_bytes)
        self._tail = self._before
        if self._file and self._begin > split.end:
            self._tail = self._file.before(split.end, HEAD_BYTES)

    @property
    def end(self) -> int:
        """Offset up to which every line that begins in the split was read."""
        return self._split.end if self._cutter.position >= self._split.end else self._cutter.end

    @property
    def tail_size(self) -> int:
        """Bytes before ``end`` that ``tail_hash`` covers."""
        return len(self._tail)

    @property
    def tail_hash(self) -> str:
        """SHA-256 of the bytes before ``end``, 32 hex digits."""
        return hash_of(self._tail)

    @property
    def taken(self) -> int:
        """Bytes of the file read so far, as they lie there: compressed ones count compressed."""
        return self._cutter.position - self._begin if self._file else self._raw.taken

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[pl.DataFrame]:
        while not self._ended:
            for piece in self._next().iter_slices(MAX_ROWS):
                if piece.height:
                    yield piece
        self.close()

    def close(self) -> None:
        """Give the file back; what was read so far stays known."""
        self._ended = True
        self._stream.close()

    def _next(self) -> pl.DataFrame:
        position = self._cutter.position
        ahead = self._split.end - position
        if ahead <= 0 and not self._split.continues and self._cutter.is_between_lines:
            self._ended = True
            return empty()
        size = min(self._chunk, ahead) if ahead > 0 else AFTER_END_BYTES
        frame, block = self._cutter.read(self._readinto, min(size, self._limit - position))
        if not len(block):
            return self._finish()
        if ahead <= 0 and not self._split.continues:
            self._ended = frame.height > 0
            return frame.head(1)
        if self.end > position:
            self._tail = self._joined(block[: self.end - position])
        self._before = self._joined(block)
        return frame

    def _finish(self) -> pl.DataFrame:
        """What is left where the stream ends: an unfinished line is taken from what will not grow, or when told to."""
        self._ended = True
        self._explain()
        will_grow = self._split.codec == "plain" and not isinstance(self._raw, streams.OnceStream)
        if not self._split.final and (will_grow or self.problem):
            return empty()
        frame = self._cutter.finish()
        if frame.height:
            self._tail = self._before
        return frame

    def _explain(self) -> None:
        cause = self._stream.problem
        expected = self._limit if self._split.end == UNTIL_EOF else self._split.end
        if not cause and self._file and self._cutter.position < expected:
            cause = "it became shorter while it was read"
        if cause:
            self.problem = f"cannot read all of {self._split.locator}: {cause}; what came before is kept"

    def _joined(self, block: memoryview) -> bytes:
        """The last bytes of what was passed before and this block."""
        recent = bytes(block[-HEAD_BYTES:])
        return (self._before + recent)[-HEAD_BYTES:]

    def _readinto(self, view: memoryview) -> int:
        if self._file:
            return self._file.readinto(view)
        data = self._stream.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _seek(self, file: rawfile.RawFile) -> int:
        """Go to the first line that begins in the split: its offset."""
        split = self._split
        if split.start > self._limit:
            self.close()
            raise SourceError(f"cannot read {split.locator} from byte {split.start:,}: it is shorter now; run it again")
        position = split.start
        if split.follows and position:
            position = file.after_newline(position - 1)
        self.lookback = file.before(position, LOOKBACK_BYTES)
        self._before = file.before(position, HEAD_BYTES)
        file.seek(position)
        return position

    def _skip(self) -> int:
        """Decode up to the split's start: the offset reached."""
        position = 0
        while position < self._split.start:
            piece = self._stream.read(min(self._chunk, self._split.start - position))
            if not piece:
                cause = self._stream.problem or "it is shorter now"
                self.close()
                raise SourceError(
                    f"cannot read {self._split.locator} from byte {self._split.start:,}: {cause}; run it again"
                )
            position += len(piece)
            self._before = self._joined(memoryview(piece))
        self.lookback = self._before
        return position


def _open(split: Split) -> rawfile.RawFile | streams.OnceStream:
    """Open the very file that was planned: under its new name in the same folder if it was renamed since."""
    try:
        raw = streams.open_same(split.locator, split.inode)
    except OSError as error:
        raise SourceError(f"cannot read {split.locator}: {error.strerror}; check that it is still there") from error
    if isinstance(raw, objects.ObjectFile):
        return raw  # every request names the etag that was planned
    if isinstance(raw, rawfile.RawFile) and split.head_hash and _head_hash(raw, split) != split.head_hash:
        raw.close()
        raise SourceError(f"cannot read {split.locator}: it was overwritten since it was looked at; run it again")
    return raw


def _head_hash(raw: rawfile.RawFile, split: Split) -> str:
    """Hash of the head; where that was empty, of one byte: what was written since it was looked at is seen."""
    size = split.head_size or 1
    if split.codec == "plain" and split.encoding == "utf-8":
        return hash_of(raw.before(size, size))
    stream = streams.decoded(raw, split.codec, split.encoding)
    head = streams.take(stream, size)
    raw.seek(0)
    raw.taken = 0
    return hash_of(head)
