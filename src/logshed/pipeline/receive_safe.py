"""Makes what many clients sent such that it may rest: those of one format and one policy together, in one turn."""

from __future__ import annotations

import io
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from logshed.formats import registry
from logshed.formats.blocks import BLOCK_BYTES, HINT, like_unended, unended
from logshed.formats.choice import Choice
from logshed.formats.multiline import Joiner
from logshed.pipeline.receive_formats import StreamFormats
from logshed.pipeline.stages import Stages
from logshed.receivers.model import RECEIVED
from logshed.sources.lines import LineCutter, texts
from logshed.spool import Piece
from logshed.work import UNTIL_EOF, Split

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.pipeline.job import Job
    from logshed.spool import Stream

SAMPLE_LINES, SAMPLE_BYTES = 100, 2**18
"""Of more lines only so many are looked at to tell a format: of six hundred it takes three times as long."""
MOST_STAGES = 256
MOST_BLOCKS = 256
"""Streams of which is kept in memory that a private key began and has not ended; 32 KiB each."""
KEY = "key"
"""In a stream's cursor: bytes of a private key that has not ended."""


class Arrived(NamedTuple):
    """Lines of one stream.

    Attributes:
        source: Its name as it may rest.
        collection: The collection of its records.
        lines: Each with its line feed.
        format: The format choice that the protocol or the client gave.
    """

    source: str
    collection: str
    lines: bytes
    format: str = ""


class _Records(NamedTuple):
    """Records of one stream, to be made safe."""

    source: str
    collection: str
    format: str
    frame: pl.DataFrame


class Safe:
    """Makes lines safe.

    Args:
        job: Policy, formats, sizes.
        before: Gives a stream as it is on disk, by source and collection.
    """

    def __init__(self, job: Job, before: Callable[[str, str], Stream | None]) -> None:
        self.formats = StreamFormats(job.plugins)
        self._job = job
        self._before = before
        self._table = registry.load(job.plugins)
        self._stages: OrderedDict[tuple[int, str], Stages] = OrderedDict()
        self._blocks: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._new: dict[tuple[str, str], bytes] = {}

    def pieces(self, arrived: Sequence[Arrived]) -> list[Piece]:
        """What may rest of lines, one piece a stream, each in the order in which it came.

        Until ``kept`` says that they do, the next lines are taken for those that come instead.
        """
        self._new = {}
        groups: dict[tuple[int, str], list[_Records]] = {}
        for records in self._records(arrived):
            policy = self._job.policy.of(records.collection, records.source)
            groups.setdefault((id(policy), records.format), []).append(records)
        return [piece for key, group in groups.items() for piece in self._rested(key, group)]

    def kept(self) -> None:
        """The pieces that were made last are on disk."""
        for stream, block in self._new.items():
            self._blocks.pop(stream, None)
            if block:
                self._blocks[stream] = block
                if len(self._blocks) > MOST_BLOCKS:
                    self._blocks.popitem(last=False)
        self._new = {}

    def warm(self) -> None:
        """Do once what takes long the first time, so that the first client does not wait for it."""
        lines = [(b'{"observed_time_unix_nano":0,"body":"warm"}\n', RECEIVED), (b"warm\n", "")]
        self.pieces([Arrived("warm:", self._job.collection, data, format_) for data, format_ in lines])

    def texts(self, source: str, collection: str, texts: Sequence[str]) -> list[str]:
        """What may rest of texts that no format takes, each with its own lines."""
        if not texts:
            return []
        count = len(texts)
        numbers = pl.int_range(count, dtype=pl.Int64, eager=True)
        frame = pl.DataFrame({"text": pl.Series(texts, dtype=pl.String), "offset": numbers}).with_columns(
            cut_bytes=pl.lit(None, pl.Int64), escaped=pl.lit(value=False), line_count=pl.lit(1, pl.Int32)
        )
        stages = self._stage((id(self._job.policy.of(collection, source)), ""), source, collection)
        return stages.rest(frame)["text"].to_list()

    def _records(self, arrived: Sequence[Arrived]) -> list[_Records]:
        streams: dict[tuple[str, str, str], list[bytes]] = {}
        for one in arrived:
            lines = one.lines if one.lines.endswith(b"\n") else one.lines + b"\n"
            streams.setdefault((one.source, one.collection, one.format), []).append(lines)
        found = []
        for (source, collection, asked), several in streams.items():
            data = several[0] if len(several) == 1 else b"".join(several)
            known = self._before(source, collection)
            before = known.format if known else ""
            format_ = self.formats.of(source, asked, data.count(b"\n"), partial(_sample, data), before)
            found.append(_Records(source, collection, format_, self._framed((source, collection), format_, data)))
        return found

    def _framed(self, stream: tuple[str, str], format_: str, data: bytes) -> pl.DataFrame:
        """Records: single lines where the format says so, else joined."""
        before = self._block(stream)
        frame, _ = LineCutter(len(before), self._job.max_line_bytes).read(io.BytesIO(data).readinto, len(data))
        choice = Choice.parse(format_)
        if choice.envelopes and (outer := registry.find(choice.envelopes[0], self._table).envelope) and outer.single:
            self._new[stream] = b""
            return frame.with_columns(line_count=pl.lit(1, pl.Int32))
        some = (before + data if before else data)[-BLOCK_BYTES:]
        self._new[stream] = some if HINT.encode() in some else b""
        joiner = Joiner(choice, lookback=before, formats=self._table)
        return pl.concat([joiner.push(frame), joiner.finish()])

    def _block(self, stream: tuple[str, str]) -> bytes:
        """What came last of a stream where a private key may have begun in it that goes on in its next lines.

        Of an earlier run nothing is left of such lines, but that there were some.
        """
        found = self._new.get(stream, self._blocks.get(stream))
        if found is None:
            known = self._before(*stream)
            size = known.cursor.get(KEY, 0) if known else 0
            found = like_unended(size) if size else b""
        return found

    def _rested(self, key: tuple[int, str], group: Sequence[_Records]) -> list[Piece]:
        first = group[0]
        together = first.frame if len(group) == 1 else pl.concat([one.frame for one in group], how="diagonal_relaxed")
        safe = self._stage(key, first.source, first.collection).rest(together)["text"].to_list()
        pieces, start = [], 0
        for one in group:
            own = safe[start : start + one.frame.height]
            start += one.frame.height
            if own:
                data = ("\n".join(own) + "\n").encode()
                size = unended(self._new[one.source, one.collection])
                pieces.append(Piece(one.source, one.collection, data, {KEY: size} if size else {}, one.format))
        return pieces

    def _stage(self, key: tuple[int, str], source: str, collection: str) -> Stages:
        """The stages of a policy and a format."""
        if key not in self._stages:
            self._stages[key] = Stages(self._job, Split(source, "", "", 0, UNTIL_EOF, key[1], collection=collection))
            if len(self._stages) > MOST_STAGES:
                self._stages.popitem(last=False)
        return self._stages[key]


def _sample(data: bytes) -> pl.Series:
    """Lines from the beginning."""
    some = data[:SAMPLE_BYTES]
    whole = some[: some.rfind(b"\n") + 1] or some
    return texts(b"".join(whole.splitlines(keepends=True)[:SAMPLE_LINES]))
