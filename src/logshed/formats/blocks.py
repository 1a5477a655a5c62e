"""Private key blocks in any log: all their lines belong to one record, so that redaction sees them whole."""

from __future__ import annotations

import numpy as np
import polars as pl

BLOCK_BYTES, BLOCK_LINES = 32_768, 500
"""Bytes from its first line, and lines, after which a block without an end is none."""
HINT = "PRIVATE KEY-----"
_BEGIN = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----"
_END = r"-----END [A-Z0-9 ]*PRIVATE KEY-----"


class KeyBlocks:
    """Tells which lines lie inside a block. Whether one does depends on the 32 KiB before it and nothing else."""

    def __init__(self, lookback: bytes = b"") -> None:
        self._lookback = lookback
        self._begin: tuple[int, int] | None = None
        self._begun = ""
        self._line = 0

    @property
    def open(self) -> bool:
        """Whether the last line seen is in a block that has not ended."""
        return self._begin is not None

    @property
    def begin(self) -> int:
        """Offset of the line in which the block begins that has not ended; -1 where none is."""
        return self._begin[0] if self._begin is not None else -1

    @property
    def begun(self) -> str:
        """How the block begins that has not ended, without what stands before that in its line; empty where none is."""
        return self._begun if self.open else ""

    def before(self, first: int) -> str:
        """The same of what lies before the first line, whose offset is given."""
        if self._lookback:
            self._look_back(first)
        return self.begun

    def inside(self, text: pl.Series, offsets: np.ndarray) -> np.ndarray | None:
        """True for lines in a block but for its first; None where there is no block at all."""
        if self._lookback:
            self._look_back(int(offsets[0]) if len(offsets) else 0)
        hinted = text.str.contains(HINT, literal=True)
        if self._begin is None and not hinted.any():
            self._line += text.len()
            return None
        return self._scan(text, offsets, hinted.to_numpy())

    def _look_back(self, first: int) -> None:
        lines = as_lines(self._lookback, first)
        self._lookback = b""
        self.inside(lines["text"], lines["offset"].to_numpy())

    def _scan(self, text: pl.Series, offsets: np.ndarray, hinted: np.ndarray) -> np.ndarray:
        rows = np.flatnonzero(hinted)
        marked = text.gather(rows)
        ends = marked.str.contains(_END).to_numpy()
        begins = marked.str.contains(_BEGIN).to_numpy() & ~marked.str.contains(f"(?s){_BEGIN}.*{_END}").to_numpy()
        begin_offset = np.full(text.len() + 1, -1, dtype=np.int64)
        begin_line = np.zeros(text.len() + 1, dtype=np.int64)
        marks = np.zeros(text.len() + 1, dtype=bool)
        marks[0] = True
        if self._begin is not None:
            begin_offset[0], begin_line[0] = self._begin
        for row, begin, end in zip(rows, begins, ends, strict=True):
            if begin or end:
                marks[row + 1] = True
            if begin:
                begin_offset[row + 1], begin_line[row + 1] = offsets[row], self._line + row
        last = np.maximum.accumulate(np.where(marks, np.arange(len(marks)), 0))
        opened, opened_line = begin_offset[last], begin_line[last]
        numbers = self._line + np.arange(text.len())
        inside: np.ndarray = (
            (opened[:-1] >= 0) & (offsets - opened[:-1] < BLOCK_BYTES) & (numbers - opened_line[:-1] < BLOCK_LINES)
        )
        self._line += text.len()
        self._begin = (int(opened[-1]), int(opened_line[-1])) if opened[-1] >= 0 else None
        if last[-1]:
            self._begun = str(text.gather([int(last[-1]) - 1]).str.extract(f"({_BEGIN})")[0] or "")
        if self._begin is not None and len(offsets) and self._expired(int(offsets[-1])):
            self._begin = None
        return inside

    def _expired(self, offset: int) -> bool:
        begin, line = self._begin or (0, 0)
        return offset - begin >= BLOCK_BYTES or self._line - line >= BLOCK_LINES


def unended(lines: bytes) -> int:
    """Bytes from the line on in which a block begins that does not end in lines; 0 where there is none."""
    some = lines[-BLOCK_BYTES:]
    if HINT.encode() not in some:
        return 0
    blocks, told = KeyBlocks(), as_lines(some, len(some))
    blocks.inside(told["text"], told["offset"].to_numpy())
    return len(some) - blocks.begin if blocks.open else 0


def like_unended(size: int) -> bytes:
    """A line that stands for so many bytes of a block that has not ended."""
    return b"-----BEGIN PRIVATE KEY-----".ljust(size - 1, b".") + b"\n"


def begin_with(text: pl.Series, row: int, begun: str) -> pl.Series:
    """Texts with a block's beginning, and a line feed, before one of them."""
    return text.clone().scatter(row, f"{begun}\n{text[row]}")


def as_lines(lookback: bytes, first: int) -> pl.DataFrame:
    """The lines before a first one, as readers give them.

    Args:
        lookback: What lies right before it.
        first: Its offset.
    """
    lines = lookback.removesuffix(b"\n").split(b"\n")
    sizes = np.array([len(line) + 1 for line in lines])
    offsets = first - len(lookback) + np.concatenate([[0], np.cumsum(sizes)[:-1]])
    text = pl.Series([line.decode("utf-8", "replace") for line in lines], dtype=pl.String)
    return pl.DataFrame({"text": text, "offset": offsets}).with_columns(
        cut_bytes=pl.lit(None, pl.Int64), escaped=pl.lit(value=False)
    )
