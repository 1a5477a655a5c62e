"""Bytes to columns of lines: newlines are indexed by NumPy, lines are views into the bytes that were read."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from logshed.sources import encodings

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SCHEMA: dict[str, pl.DataType] = {
    "text": pl.String(),
    "offset": pl.Int64(),
    "cut_bytes": pl.Int64(),
    "escaped": pl.Boolean(),
}
"""A frame of lines: text without its line end, offset of its first byte, bytes cut off, whether it is escaped."""

_LF, _CR = 10, 13
_FIRST_SURROGATE, _LAST_SURROGATE = 0xDC80, 0xDCFF
_INLINE = 12  # an Arrow view holds up to 12 bytes itself
_SPARE = 4  # bytes held beyond the longest line: one that tells that it is too long, three for a byte-order mark
_PAD = 16  # so that gathering a view's first bytes never reads beyond the buffer
_MASKS = np.array([0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF], dtype=np.uint32)


class LineCutter:
    """Cuts a stream of bytes into lines, holding at most one block and one line of ``max_line_bytes``.

    Attributes:
        position: Offset of the next byte to be read.
        end: Offset after the last complete line.
    """

    def __init__(self, position: int, max_line_bytes: int) -> None:
        self.position = position
        self.end = position
        self._max = max_line_bytes
        self._carry: NDArray[np.uint8] = np.empty(0, np.uint8)
        self._carry_offset = position
        self._dropped = 0
        self._last_dropped = 0

    @property
    def is_between_lines(self) -> bool:
        """Whether the next byte begins a line."""
        return not len(self._carry)

    def read(self, readinto: Callable[[memoryview], int], size: int) -> tuple[pl.DataFrame, memoryview]:
        """Read a block and cut it.

        Args:
            readinto: Fills a buffer and says how many bytes it took; 0 at the end.
            size: Bytes to ask for.

        Returns:
            The lines that the block completed, and the block's bytes (none at the end).
        """
        front = 0 if self._dropped else len(self._carry)
        buffer = pa.allocate_buffer(front + size + _PAD)
        view = memoryview(buffer).cast("B")
        count = _fill(readinto, view[front : front + size])
        if not count:
            return empty(), view[:0]
        data = np.frombuffer(buffer, np.uint8)
        if front:
            data[:front] = self._carry
        frame = self._cut_block(buffer, data, front, front + count)
        self.position += count
        return frame, view[front : front + count]

    def finish(self) -> pl.DataFrame:
        """The unfinished last line, if there is one."""
        if not len(self._carry):
            return empty()
        frame = self._carried(self._dropped)
        self._carry, self._dropped, self.end = np.empty(0, np.uint8), 0, self.position
        return frame

    def _cut_block(self, buffer: pa.Buffer, data: NDArray[np.uint8], front: int, filled: int) -> pl.DataFrame:
        base = self.position - front
        newlines = np.flatnonzero(data[:filled] == _LF)
        if not len(newlines):
            self._keep(data, 0, filled, base)
            return empty()
        first, frames = 0, []
        if self._dropped:
            frames.append(self._close_long(data, int(newlines[0])))
            first, newlines = int(newlines[0]) + 1, newlines[1:]
        self.end = base + (int(newlines[-1]) + 1 if len(newlines) else first)
        if len(newlines):
            starts = np.concatenate(([first], newlines[:-1] + 1))
            frames.append(_lines(buffer, data, starts, _without_cr(data, starts, newlines), base, self._max))
        self._carry, self._dropped = np.empty(0, np.uint8), 0
        self._keep(data, self.end - base, filled, base)
        return pl.concat(frames, rechunk=False) if len(frames) > 1 else frames[0]

    def _keep(self, data: NDArray[np.uint8], start: int, stop: int, base: int) -> None:
        """Hold the beginning of an unfinished line; of a too long one only what can be kept."""
        if self._dropped:
            self._dropped += stop - start
        else:
            self._carry = data[start : min(stop, start + self._max + _SPARE)].copy()
            self._carry_offset = base + start
            self._dropped = stop - start - len(self._carry)
        if self._dropped and stop > start:
            self._last_dropped = int(data[stop - 1])

    def _close_long(self, data: NDArray[np.uint8], newline: int) -> pl.DataFrame:
        last = int(data[newline - 1]) if newline else self._last_dropped
        return self._carried(self._dropped + newline - (last == _CR))

    def _carried(self, beyond: int) -> pl.DataFrame:
        """The carried line as a frame, ``beyond`` bytes of it not being held."""
        size = len(self._carry)
        buffer = _owned(np.append(self._carry, np.zeros(_PAD, np.uint8)))
        data = np.frombuffer(buffer, np.uint8)
        zero = np.zeros(1, np.int64)
        return _lines(buffer, data, zero, np.array([size]), self._carry_offset, self._max, beyond)


def empty() -> pl.DataFrame:
    """No lines."""
    return pl.DataFrame(schema=SCHEMA)


def texts(data: bytes) -> pl.Series:
    """The lines of some bytes as they are read, stray bytes replaced; an unfinished last line counts."""
    cutter = LineCutter(0, max(len(data), 1))
    frame, _ = cutter.read(io.BytesIO(data).readinto, max(len(data), 1))
    lines = pl.concat([frame, cutter.finish()])
    escaped = lines["escaped"].arg_true()
    if escaped.is_empty():
        return lines["text"]
    return lines["text"].scatter(escaped, encodings.readable(lines["text"].gather(escaped)))


def _fill(readinto: Callable[[memoryview], int], view: memoryview) -> int:
    """Fill a buffer from a stream that may give less than it is asked for."""
    filled = 0
    while filled < len(view):
        count = readinto(view[filled:])
        if not count:
            break
        filled += count
    return filled


def _without_cr(data: NDArray[np.uint8], starts: NDArray[Any], newlines: NDArray[Any]) -> NDArray[Any]:
    """Ends of lines, a carriage return before the line feed left out."""
    ends: NDArray[Any] = newlines - ((data[newlines - 1] == _CR) & (newlines > starts))
    return ends


def _lines(
    buffer: pa.Buffer,
    data: NDArray[np.uint8],
    starts: NDArray[Any],
    ends: NDArray[Any],
    base: int,
    longest: int,
    beyond: int = 0,
) -> pl.DataFrame:
    """A frame of the lines of ``data`` from ``starts`` to ``ends``; ``beyond`` bytes of the last one are not in it."""
    offsets = starts + base
    if offsets[0] == 0 and data[: len(encodings.UTF8_MARK)].tobytes() == encodings.UTF8_MARK:
        starts = starts.copy()
        starts[0] = min(starts[0] + len(encodings.UTF8_MARK), int(ends[0]))
    lengths = ends - starts
    full = lengths.copy()
    full[-1] += beyond
    long = np.flatnonzero(full > longest)
    for row in long:
        lengths[row] = _boundary(data, int(starts[row]), longest)
    cut = pl.repeat(None, len(starts), dtype=pl.Int64, eager=True)
    if len(long):
        cut = cut.scatter(long, (full - lengths)[long])
    text, escaped = _text(buffer, data, starts, lengths, long)
    return pl.DataFrame({"text": text, "offset": offsets, "cut_bytes": cut, "escaped": escaped})


def _boundary(data: NDArray[np.uint8], start: int, size: int) -> int:
    """The size of at most ``size`` bytes that does not cut a UTF-8 character (of at most four bytes) in two."""
    for shorter in range(size, max(size - 4, 0), -1):
        if data[start + shorter] & 0xC0 != 0x80:  # noqa: PLR2004 - the mark of a continuation byte
            return shorter
    return size


def _text(
    buffer: pa.Buffer, data: NDArray[np.uint8], starts: NDArray[Any], lengths: NDArray[Any], long: NDArray[Any]
) -> tuple[pl.Series, pl.Series]:
    views = _views(data, starts, lengths, 0)
    buffers = [None, None, buffer]
    bad = _invalid(data, starts, lengths, long)
    if len(bad):
        escaped = np.frombuffer(encodings.escape(_joined(data, starts[bad], (starts + lengths)[bad])), np.uint8)
        ends = np.append(np.flatnonzero(escaped == _LF), len(escaped))
        begins = np.append(0, ends[:-1] + 1)
        buffers.append(_owned(np.append(escaped, np.zeros(_PAD, np.uint8))))
        views[bad] = _views(np.frombuffer(buffers[-1], np.uint8), begins, ends - begins, 1)
    buffers[1] = _owned(views)
    text = pl.Series(pa.Array.from_buffers(pa.string_view(), len(starts), buffers))
    flags = np.zeros(len(starts), np.bool_)
    flags[bad] = True
    return text, pl.Series(flags)


def _owned(values: NDArray[Any]) -> pa.Buffer:
    """Some values in Arrow's own memory: a buffer of Python's would need the interpreter's lock to be given back."""
    buffer = pa.allocate_buffer(max(values.nbytes, 1))
    memoryview(buffer).cast("B")[: values.nbytes] = values.reshape(-1).view(np.uint8).data
    return buffer


def _views(data: NDArray[np.uint8], starts: NDArray[Any], lengths: NDArray[Any], index: int) -> NDArray[np.int32]:
    """Arrow string views: length, then 12 bytes of text or 4 bytes, the buffer's index and the offset in it."""
    words = np.ndarray((len(data) - 3,), dtype="<u4", buffer=data, strides=(1,))
    views = np.zeros((len(starts), 4), np.int32)
    views[:, 0] = lengths
    views[:, 1] = words[starts].view(np.int32)
    views[:, 2] = index
    views[:, 3] = starts
    short = np.flatnonzero(lengths <= _INLINE)
    for place in range(3):
        kept = _MASKS[np.clip(lengths[short] - 4 * place, 0, 4)]
        views[short, 1 + place] = (words[starts[short] + 4 * place] & kept).view(np.int32)
    return views


def _joined(data: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any]) -> bytes:
    view = data.data
    return b"\n".join([view[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)])


def _invalid(
    data: NDArray[np.uint8], starts: NDArray[Any], lengths: NDArray[Any], long: NDArray[Any]
) -> NDArray[np.int64]:
    """Rows that are not valid UTF-8; they lie one behind the other, a line feed between two of them."""
    first, last = int(starts[0]), int(starts[-1] + lengths[-1])
    if _is_valid(data[first:last].data):
        return np.empty(0, np.int64)
    # Bad bytes become lone surrogates, and the line feeds before each say in which row it is.
    decoded = data[first:last].tobytes().decode("utf-8", "surrogateescape")
    points = np.frombuffer(decoded.encode("utf-32-le", "surrogatepass"), "<u4")
    bad = np.flatnonzero((points >= _FIRST_SURROGATE) & (points <= _LAST_SURROGATE))
    rows = np.unique(np.searchsorted(np.flatnonzero(points == _LF), bad))
    cut_valid = [row for row in long if _is_valid(data[starts[row] : starts[row] + lengths[row]].data)]
    return np.setdiff1d(rows, cut_valid, assume_unique=True).astype(np.int64)


def _is_valid(view: memoryview) -> bool:
    try:
        str(view, "utf-8")
    except UnicodeDecodeError:
        return False
    return True
