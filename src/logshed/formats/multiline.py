"""Joins physical lines to records: stack traces, interleaved streams, partial pieces, private key blocks.

Where one multi-line format and no envelope is chosen, whether a line begins a record depends on that line alone (and on
a private key block around it), so a source may be cut anywhere. Elsewhere the lines before it count, and one reader
takes the whole source.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from logshed.formats import adhoc, registry
from logshed.formats.blocks import begin_with
from logshed.formats.headers import Tracker
from logshed.formats.records import group
from logshed.formats.starts import Starts
from logshed.formats.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.formats.choice import Choice
    from logshed.formats.model import Format
    from logshed.work import Split


def splittable(choice: Choice) -> bool:
    """Whether a source of this choice may be cut at any byte and read by several readers."""
    if choice.envelopes or len(choice.formats) > 1:
        return False
    return all(_context_free(name) for name in choice.formats)


def _context_free(name: str) -> bool:
    """Whether a format's lines say by themselves what they are: no header before them does."""
    kind, _, definition = name.partition(":")
    if definition and kind not in adhoc.KINDS:
        return False
    table = registry.load()
    form = registry.find(name, table) if definition or name in table else None
    return form is None or not form.has_header


class Joiner:
    """Joins the lines of one split to records."""

    def __init__(
        self,
        choice: Choice,
        split: Split | None = None,
        *,
        lookback: bytes = b"",
        formats: Mapping[str, Format] | None = None,
    ) -> None:
        """Begin.

        Args:
            choice: The formats of the source.
            split: The range to join; None for a whole source. Records that begin in it are its own.
            lookback: At most 32 KiB right before the first line that will be pushed. Where a private key block is open
                there, the first record begins as that block does, so that redaction knows the rest of it.
            formats: The formats by name, the registry's by default.

        Raises:
            FormatError: The choice names a format that there is not.
        """
        table = registry.load() if formats is None else formats
        self._choice = registry.check(choice, table)
        self._forms = [registry.find(name, table) for name in self._choice.formats]
        envelopes, forms = _outer([registry.find(name, table) for name in self._choice.envelopes], self._forms)
        self._streams = Streams(envelopes, forms, lookback) if envelopes else None
        self._starts = Starts(forms, lookback)
        self._headers = Tracker(forms)
        self._skipping = split is not None and split.follows and splittable(self._choice)
        self._end = split.end if split is not None and splittable(self._choice) else None
        self._open: pl.DataFrame | None = None
        self._first = True
        self._done = False

    @property
    def choice(self) -> Choice:
        """The formats with which what comes after the lines pushed so far is to be read: a header may have changed."""
        return replace(self._choice, formats=tuple(self._headers.rebound(form).spelling for form in self._forms))

    @property
    def done(self) -> bool:
        """Whether every record that begins in the split is complete, so that reading may stop."""
        return self._done

    @property
    def open_from(self) -> int | None:
        """Offset of the first line whose record the next lines may belong to; None where all records are complete."""
        if self._streams is not None:
            return self._streams.open_from
        return None if self._open is None or self._open.is_empty() else int(self._open["offset"][0])

    def push(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Take the next lines, give the records that are complete.

        Args:
            lines: ``text``, ``offset``, ``cut_bytes``, ``escaped``, in the source's order.

        Returns:
            ``text`` (lines joined by line feeds), ``offset`` (of the first line), ``line_count``, ``cut_bytes`` (of all
            lines, null where none was cut), ``escaped``; ordered by offset.
        """
        if self._done or not lines.height:
            return _records(lines.head(0))
        if self._streams is not None:
            return self._streams.push(lines)
        key = self._starts.key_before(lines) if self._first else ""
        starts = self._starts.of(lines)
        lines = self._headers.apply(lines)
        if self._skipping:
            owned = int(starts.argmax()) if starts.any() else lines.height
            lines, starts = lines[owned:], starts[owned:]
            self._skipping = not lines.height
        elif self._first:
            starts[:1] = True
            lines = _going_on(lines, key)
        self._first = False
        lines, starts = self._until_end(lines, starts)
        return self._complete(lines, starts)

    def finish(self) -> pl.DataFrame:
        """Give the last records, complete or not."""
        self._done = True
        if self._streams is not None:
            return self._streams.finish()
        kept, self._open = self._open, None
        if kept is None:
            return _records(_NO_LINES)
        starts = np.zeros(kept.height, dtype=bool)
        starts[:1] = True
        return group(kept, starts, keep_last=False)[0]

    def _until_end(self, lines: pl.DataFrame, starts: np.ndarray) -> tuple[pl.DataFrame, np.ndarray]:
        """Leave the records that begin at the split's end or after it to the next split."""
        if self._end is None or not lines.height or int(lines["offset"][-1]) < self._end:
            return lines, starts
        beyond = starts & (lines["offset"].to_numpy() >= self._end)
        if not beyond.any():
            return lines, starts
        self._done = True
        stop = int(beyond.argmax())
        return lines[:stop], starts[:stop]

    def _complete(self, lines: pl.DataFrame, starts: np.ndarray) -> pl.DataFrame:
        keep_last = not self._done and self._starts.may_go_on
        if self._open is not None:
            before = np.zeros(self._open.height, dtype=bool)
            before[:1] = True
            lines, starts = pl.concat([self._open, lines]), np.concatenate([before, starts])
        records, self._open = group(lines, starts, keep_last=keep_last)
        return records


def _going_on(lines: pl.DataFrame, key: str) -> pl.DataFrame:
    """Lines of which the first lies in a private key block, with that block's beginning before it."""
    return lines.with_columns(text=begin_with(lines["text"], 0, key)) if key else lines


def _outer(envelopes: list[Format], forms: list[Format]) -> tuple[list[Format], list[Format]]:
    """Envelopes up to the first that holds whole records: in it there are no lines to join any more."""
    for index, one in enumerate(envelopes):
        if one.items:
            return envelopes[:index], [one]
        if one.envelope is not None and one.envelope.single:
            return envelopes[: index + 1], []
    return envelopes, forms


_NO_LINES = pl.DataFrame(
    schema={"text": pl.String(), "offset": pl.Int64(), "cut_bytes": pl.Int64(), "escaped": pl.Boolean()}
)


def _records(lines: pl.DataFrame) -> pl.DataFrame:
    return group(lines, np.ones(lines.height, dtype=bool), keep_last=False)[0]
