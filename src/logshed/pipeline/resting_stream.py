"""Followed streams on their way to rest: lines are joined to records, the records redacted, with their cursor."""

from __future__ import annotations

import io
import time
from collections import deque
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import detect, registry
from logshed.formats.blocks import BLOCK_BYTES
from logshed.formats.choice import Choice
from logshed.formats.multiline import Joiner
from logshed.pipeline.stages import Stages
from logshed.sources.lines import SCHEMA, LineCutter, texts
from logshed.spool import Piece
from logshed.work import UNTIL_EOF, Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.pipeline.job import Job
    from logshed.sources.feeds import Arrival, Cursor, Stream

IDLE_S = 600.0
"""A stream of which nothing came for so long is let go of; it is taken up again with its next lines."""
OPEN_S = 1.0
"""How long a record stays open for a line that may belong to it; so long the first lines of a stream wait for more,
too, to tell its format by."""
TELLING_LINES = 200
"""So many lines tell a format without waiting."""
SAMPLE_LINES = 600
"""Of more lines only so many are looked at to tell a format."""
NOTHING = pl.DataFrame(schema={**SCHEMA, "line_count": pl.Int32()})
"""No records."""


class RestingStream:
    """The lines of one stream, from arrival to what may rest.

    Attributes:
        rested: Lines that were given out.

    Args:
        stream: The stream.
        job: Policy, formats, sizes.
        source: Its name as it may rest.
        resource: What produces its lines, as it may rest.
        format: The format choice that its earlier lines had; empty has it found out from the first that come.
        formats: What is known of formats, by source or by what streams are alike in; what is found out is added.
    """

    def __init__(
        self,
        stream: Stream,
        job: Job,
        source: str,
        resource: tuple[tuple[str, str], ...] = (),
        format: str = "",  # noqa: A002 - the split's word
        formats: dict[str, str] | None = None,
    ) -> None:
        self._formats = {} if formats is None else formats
        self._stream = stream
        self._job = job
        self._source = source
        self._resource = resource
        self._collection = stream.collection or job.collection
        self._format = format or stream.format
        self._joiner: Joiner | None = None
        self._lookback = b""
        self._arrived: deque[tuple[Arrival, int]] = deque()
        self._lines = 0  # lines that came
        self.rested = 0
        self._last: tuple[Arrival, int] | None = None
        self._first: list[bytes] = []
        self._held_since = 0.0
        self._changed = time.monotonic()

    @property
    def target(self) -> str:
        """The container, file or pod that it belongs to."""
        return self._stream.target or self._stream.source

    @property
    def has_open(self) -> bool:
        """Whether lines wait for others that may belong to them."""
        return self.rested < self._lines

    def is_due(self) -> bool:
        """Whether nothing came for so long that what is open is taken for whole."""
        since = self._held_since if self._first else self._changed
        return self.has_open and time.monotonic() - since >= OPEN_S

    def is_idle(self) -> bool:
        """Whether nothing came for long, and all that came rests."""
        return not self.has_open and time.monotonic() - self._changed >= IDLE_S

    def take(self, arrivals: Sequence[Arrival]) -> pl.DataFrame | None:
        """Records that are whole after these lines, to be made safe; None where nothing may rest now.

        Args:
            arrivals: In the order in which they came; they are of this stream.
        """
        for arrival in arrivals:
            self._lines += len(arrival.lines)
            self._arrived.append((arrival, self._lines))
        lines = [line for arrival in arrivals for line in arrival.lines]
        if not lines:
            return None if self.has_open or not arrivals else NOTHING
        self._changed = time.monotonic()
        if not self._first:
            self._held_since = self._changed
        self._first += lines
        alike = self._stream.alike or self._source
        self._format = self._format or self._formats.get(alike, "")
        if not self._format and len(self._first) < TELLING_LINES:
            return None
        records = self._joined()
        return records if records.height else None

    def close(self) -> pl.DataFrame | None:
        """What is still open, as it is, to be made safe."""
        if not self.has_open:
            return None
        records = [self._joined()] if self._first else []
        if self._joiner is not None:
            records.append(self._joiner.finish())
            self._joiner = None
        found = pl.concat(records) if records else NOTHING
        self._lookback = "".join(f"{text}\n" for text in found["text"]).encode()[-BLOCK_BYTES:]
        return found if found.height else None

    def _joined(self) -> pl.DataFrame:
        sampled = self._first[:SAMPLE_LINES]
        data = b"\n".join(self._first) + b"\n"
        self._first = []
        frame, _ = LineCutter(0, self._job.max_line_bytes).read(io.BytesIO(data).readinto, len(data))
        alike = self._stream.alike or self._source
        self._format = self._format or self._formats.get(alike, "")
        if not self._format:
            sample = texts(b"\n".join(sampled) + b"\n")
            self._format = str(detect.detect(sample, formats=registry.load(self._job.plugins)).choice)
            if not self._stream.alike or sample.len() >= TELLING_LINES:
                self._formats[alike] = self._format
        if not self._stream.joins:
            return frame.with_columns(line_count=pl.lit(1, pl.Int32))
        if self._joiner is None:
            choice = Choice.parse(self._format)
            self._joiner = Joiner(choice, lookback=self._lookback, formats=registry.load(self._job.plugins))
        return self._joiner.push(frame.with_columns(pl.col("offset") + self._lines))

    @property
    def split(self) -> Split:
        """Where its records come from, as they are made safe and read."""
        return Split(self._source, "", "", 0, UNTIL_EOF, self._format, self._resource, collection=self._collection)

    def piece(self, safe: pl.DataFrame) -> Piece:
        """What rests of records that are safe."""
        data = ("\n".join(safe["text"].to_list()) + "\n").encode() if safe.height else b""
        return Piece(self._source, self._collection, data, self.done(safe), self._format, self._resource)

    def done(self, records: pl.DataFrame) -> Cursor:
        """Note that records have come to rest; where the stream goes on behind them."""
        self.rested += int(records["line_count"].sum())
        return self._cursor()

    def _cursor(self) -> Cursor:
        """The cursor behind the last line that rests."""
        while self._arrived and self._arrived[0][1] <= self.rested:
            arrival, _ = self._arrived.popleft()
            self._last = (arrival, len(arrival.lines))
        if self._arrived:
            arrival, end = self._arrived[0]
            begun = len(arrival.lines) - (end - self.rested)
            self._last = (arrival, begun) if begun else self._last
        return self._last[0].cursor(self._last[1]) if self._last is not None else {}


class Rester:
    """Makes records safe: those of all streams with one format and one policy together, since each turn has its price.

    Args:
        job: Policy, formats, sizes.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        self._stages: dict[tuple[int, str], Stages] = {}

    def pieces(self, waiting: Sequence[tuple[RestingStream, pl.DataFrame | None]]) -> list[Piece]:
        """What rests of streams and their records, in their order; nothing of those without any."""
        found = [(stream, records) for stream, records in waiting if records is not None]
        groups: dict[tuple[int, str], list[int]] = {}
        for place, (stream, records) in enumerate(found):
            if records.height:
                groups.setdefault(self._key(stream), []).append(place)
        safe = [records for _, records in found]
        for key, places in groups.items():
            together = pl.concat([found[place][1] for place in places], how="diagonal_relaxed")
            rested = self._of(key, found[places[0]][0]).rest(together)
            start = 0
            for place in places:
                height = found[place][1].height
                safe[place] = rested.slice(start, height)
                start += height
        return [stream.piece(records) for (stream, _), records in zip(found, safe, strict=True)]

    def _key(self, stream: RestingStream) -> tuple[int, str]:
        split = stream.split
        return id(self._job.policy.of(split.collection, split.source)), split.format

    def _of(self, key: tuple[int, str], stream: RestingStream) -> Stages:
        if key not in self._stages:
            self._stages[key] = Stages(self._job, stream.split)
        return self._stages[key]
