"""Joins lines in envelopes: each stream on its own, partial pieces first, then the inner format's records."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from logshed.formats.blocks import HINT, KeyBlocks, as_lines, begin_with
from logshed.formats.columns import where
from logshed.formats.envelopes import unwrap
from logshed.formats.parse import without_colours
from logshed.formats.records import MAX_SPAN, close_long, group
from logshed.formats.starts import BEGINS_MANY, NO_START, as_written, kinds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.formats.model import Format

_LINES = ("text", "offset", "cut_bytes", "escaped")


class Streams:
    """Joins the lines of a whole source whose lines are in envelopes.

    Lines of records that may go on are kept, with what was found out about them; records wait until none that began
    before them is open, so that they come out ordered by offset.
    """

    def __init__(self, envelopes: Sequence[Format], forms: Sequence[Format], lookback: bytes = b"") -> None:
        self._lookback = lookback if HINT.encode() in lookback else b""
        self._envelopes = envelopes
        self._forms = forms
        self._multiline = any(form.multiline for form in forms)
        self._kept: list[pl.DataFrame] = []
        self._waiting: list[pl.DataFrame] = []
        self._number = 0

    @property
    def open_from(self) -> int | None:
        """Offset of the first line that is kept for what may belong to it."""
        return min((int(kept["offset"].min()) for kept in self._kept), default=None)  # type: ignore[arg-type]

    def push(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Take the next lines, give the records that are complete."""
        described = self._described(lines)
        if self._lookback:
            described = self._going_on(described)
        self._number += lines.height
        records, kept = self._joined(pl.concat([*self._kept, described]))
        self._kept = [kept] if kept.height else []
        ready = pl.concat([*self._waiting, records]).sort("offset") if self._waiting else records
        if not kept.height:
            self._waiting = []
            return ready
        before = ready["offset"] < kept["offset"].min()
        self._waiting = [ready.filter(~before)]
        return ready.filter(before)

    def _going_on(self, lines: pl.DataFrame) -> pl.DataFrame:
        """The first lines; where a stream's lie in a private key block, the first with that block's beginning."""
        earlier = as_lines(self._lookback, int(lines["offset"][0]))
        self._lookback = b""
        before = self._described(earlier).drop_nulls("stream")
        texts = lines["text"]
        for (stream,), rows in before.group_by("stream"):
            blocks = KeyBlocks()
            blocks.inside(rows["text"], rows["offset"].to_numpy())
            own = (lines["stream"] == stream).arg_true()
            if blocks.begun and len(own):
                texts = begin_with(texts, own[0], blocks.begun)
        hinted = lines["hinted"] | texts.str.contains(HINT, literal=True)
        return lines.with_columns(text=texts, hinted=hinted)

    def finish(self) -> pl.DataFrame:
        """Give the last records."""
        none = pl.DataFrame(
            schema={"text": pl.String(), "offset": pl.Int64(), "cut_bytes": pl.Int64(), "escaped": pl.Boolean()}
        )
        if not self._kept:
            return group(none, np.zeros(0, dtype=bool), keep_last=False)[0]
        lines = self._kept[0].sort("stream", "number")
        records, _ = group(lines, self._starts(lines), keep_last=False)
        self._kept = []
        return pl.concat([*self._waiting, records]).sort("offset")

    def _described(self, lines: pl.DataFrame) -> pl.DataFrame:
        """The lines with their payload's size and marks, their stream, and what they are to the inner formats."""
        payload = without_colours(as_written(lines))
        streams, partial = [], pl.Series("partial", [False]).new_from_index(0, lines.height)
        for form in self._envelopes:
            unwrapped = unwrap(payload, form)
            payload, partial = unwrapped.payload, partial | unwrapped.partial
            streams.append(unwrapped.stream)
        stream = pl.DataFrame({str(index): one for index, one in enumerate(streams)}).select(
            pl.concat_str(pl.all(), separator="\x1e", ignore_nulls=True)
        )
        return lines.select(_LINES).with_columns(
            where(payload.is_not_null(), stream.to_series()).alias("stream"),
            partial.alias("partial"),
            pl.Series("number", np.arange(self._number, self._number + lines.height)),
            pl.Series("kind", kinds_of(payload, self._forms)),
            payload.str.contains(HINT, literal=True).fill_null(value=False).alias("hinted"),
            payload.str.len_bytes().fill_null(0).cast(pl.Int64).alias("size"),
        )

    def _joined(self, lines: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Complete records, and the lines of those that may go on."""
        hinted = bool(lines["hinted"].any())
        if not (self._multiline or hinted or lines["partial"].any()):
            return group(lines, np.ones(lines.height, dtype=bool), keep_last=False)[0], lines.head(0)
        lines = lines.sort("stream", "number", maintain_order=True)
        starts = self._starts(lines)
        record = np.cumsum(starts) - 1
        open_records = record[self._may_go_on(lines, starts)]
        keep = np.isin(record, open_records)
        complete, _ = group(lines.filter(pl.Series(~keep)), starts[~keep], keep_last=False)
        return complete.sort("offset"), lines.filter(pl.Series(keep))

    def _may_go_on(self, lines: pl.DataFrame, starts: np.ndarray) -> np.ndarray:
        """The last row of each stream whose record the next line may belong to."""
        streams = lines["stream"]
        last = (streams != streams.shift(-1)).fill_null(value=True).to_numpy() & streams.is_not_null().to_numpy()
        begin = np.maximum.accumulate(np.where(starts, np.arange(lines.height), 0))
        numbers = lines["number"].to_numpy()
        within = self._number - numbers[begin] <= MAX_SPAN
        kinds = lines["kind"].to_numpy()
        goes_on = (kinds[begin] == BEGINS_MANY) | lines["partial"].to_numpy() | lines["hinted"].to_numpy()[begin]
        if bool(lines["hinted"].any()):
            goes_on = np.ones(lines.height, dtype=bool)
        rows: np.ndarray = last & within & goes_on
        return rows

    def _starts(self, lines: pl.DataFrame) -> np.ndarray:
        streams = lines["stream"]
        same = (streams == streams.shift(1)).fill_null(value=False).to_numpy()
        before_partial = np.concatenate([[False], lines["partial"].to_numpy()[:-1]]) & same
        kinds = np.where(before_partial, NO_START, lines["kind"].to_numpy())
        rows = np.arange(lines.height)
        segment = np.maximum.accumulate(np.where(same, 0, rows))
        known = np.maximum.accumulate(np.where(kinds != NO_START, rows, 0))
        goes_on = (known >= segment) & (kinds[known] == BEGINS_MANY) & (kinds == NO_START)
        starts: np.ndarray = ~(same & (before_partial | goes_on))
        if bool(lines["hinted"].any()):
            starts &= ~(_inside_blocks(lines, segment) & same)
        close_long(lines, starts, lines["number"].to_numpy())
        return starts


def _inside_blocks(lines: pl.DataFrame, segment: np.ndarray) -> np.ndarray:
    """Rows inside a private key block of their stream."""
    inside = np.zeros(lines.height, dtype=bool)
    hinted = lines["hinted"].to_numpy()
    bounds = np.append(np.unique(segment), lines.height)
    sizes = np.concatenate([[0], np.cumsum(lines["size"].to_numpy() + 1)])
    for first, last in pairwise(bounds):
        if hinted[first:last].any():
            found = KeyBlocks().inside(lines["text"][int(first) : int(last)], sizes[first:last])
            if found is not None:
                inside[first:last] = found
    return inside
