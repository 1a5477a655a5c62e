"""One followed stream on its way to rest: lines are joined to records, the records redacted, with their cursor."""

from __future__ import annotations

import io
import time
from collections import deque
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats import detect, registry
from logshed.formats.choice import Choice
from logshed.formats.multiline import Joiner
from logshed.pipeline.stages import Stages
from logshed.sources.lines import LineCutter, texts
from logshed.spool import Piece
from logshed.work import UNTIL_EOF, Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.pipeline.job import Job
    from logshed.sources.feeds import Arrival, Cursor, Stream

OPEN_S = 1.0
"""How long a record stays open for a line that may belong to it; so long the first lines of a stream wait for more,
too, to tell its format by."""
TELLING_LINES = 200
"""So many lines tell a format without waiting."""


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
    """

    def __init__(
        self,
        stream: Stream,
        job: Job,
        source: str,
        resource: tuple[tuple[str, str], ...] = (),
        format: str = "",  # noqa: A002 - the split's word
    ) -> None:
        self._stream = stream
        self._job = job
        self._source = source
        self._resource = resource
        self._collection = stream.collection or job.collection
        self._format = format or stream.format
        self._joiner: Joiner | None = None
        self._stages: Stages | None = None
        self._arrived: deque[tuple[Arrival, int]] = deque()
        self._lines = 0  # lines that came
        self.rested = 0
        self._last: tuple[Arrival, int] | None = None
        self._first: list[bytes] = []
        self._held_since = 0.0
        self._changed = 0.0

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

    def take(self, arrivals: Sequence[Arrival]) -> Piece | None:
        """What may rest after these lines; None where that is nothing.

        Args:
            arrivals: In the order in which they came; they are of this stream.
        """
        for arrival in arrivals:
            self._lines += len(arrival.lines)
            self._arrived.append((arrival, self._lines))
        lines = [line for arrival in arrivals for line in arrival.lines]
        if not lines:
            return None if self.has_open or not arrivals else self._piece(b"", 0)
        self._changed = time.monotonic()
        if not self._first:
            self._held_since = self._changed
        self._first += lines
        if not self._format and len(self._first) < TELLING_LINES:
            return None
        return self._rest(self._joined())

    def close(self) -> Piece | None:
        """What is still open, as it is."""
        if not self.has_open:
            return None
        records = [self._joined()] if self._first else []
        if self._joiner is not None:
            records.append(self._joiner.finish())
            self._joiner = None
        return self._rest(pl.concat(records)) if records else None

    def _joined(self) -> pl.DataFrame:
        data = b"\n".join(self._first) + b"\n"
        self._first = []
        frame, _ = LineCutter(0, self._job.max_line_bytes).read(io.BytesIO(data).readinto, len(data))
        if not self._format:
            self._format = str(detect.detect(texts(data), formats=registry.load(self._job.plugins)).choice)
        if not self._stream.joins:
            return frame.with_columns(line_count=pl.lit(1, pl.Int32))
        if self._joiner is None:
            choice = Choice.parse(self._format)
            self._joiner = Joiner(choice, formats=registry.load(self._job.plugins))
        return self._joiner.push(frame.with_columns(pl.col("offset") + self._lines))

    def _rest(self, records: pl.DataFrame) -> Piece | None:
        if not records.height:
            return None
        if self._stages is None:
            split = Split(self._source, "", "", 0, UNTIL_EOF, self._format, self._resource, collection=self._collection)
            self._stages = Stages(self._job, split)
        safe = self._stages.rest(records)
        data = ("\n".join(safe["text"].to_list()) + "\n").encode()
        return self._piece(data, int(records["line_count"].sum()))

    def _piece(self, data: bytes, count: int) -> Piece:
        self.rested += count
        return Piece(self._source, self._collection, data, self._cursor(), self._format, self._resource)

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
