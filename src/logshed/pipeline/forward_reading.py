"""Reads what is forwarded: records of some batches in an order that is always the same, in slices that fit memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from logshed.sql.views import literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from logshed.pipeline.forward_state import Position
    from logshed.search.scope import Scope
    from logshed.sql.result import Result

    Query = Callable[[str], Result]

SLICE_ROWS = 40_000
"""Records that one statement reads: as many take about 100 MB."""
ORDER = ("batch", "source", "generation", "offset", "item")
_KEY = 'batch, source, generation, "offset"'


class Edge(NamedTuple):
    """A place between records."""

    batch: str
    source: str
    generation: str
    offset: int

    @property
    def sql(self) -> str:
        """As a row of values."""
        return f"({literal(self.batch)}, {literal(self.source)}, {literal(self.generation)}, {self.offset})"


class Slice(NamedTuple):
    """Records between two places, with those at both."""

    low: Edge
    high: Edge

    @property
    def sql(self) -> str:
        """A condition; the parts that say the same again let files and parts of files be passed over."""
        low, high = self
        parts = [f"batch >= {literal(low.batch)}", f"batch <= {literal(high.batch)}"]
        if low[:3] == high[:3]:
            parts += [f"source = {literal(low.source)}", f'"offset" >= {low.offset}', f'"offset" <= {high.offset}']
        return " AND ".join([*parts, f"({_KEY}) >= {low.sql}", f"({_KEY}) <= {high.sql}"])


@dataclass(frozen=True, slots=True)
class Reading:
    """How records are read.

    Attributes:
        query: Runs a statement on the lake.
        scope: Which records; its time is not regarded.
        as_received: Whether what came by OTLP is to be sent as it came.
    """

    query: Query
    scope: Scope
    as_received: bool

    def frames(self, batches: Sequence[str], position: Position) -> Iterator[pl.DataFrame]:
        """The records of batches that are not sent, as ``forward_otlp.encoded`` takes them."""
        own, left = f"batch IN ({', '.join(map(literal, batches))})", " AND ".join(["true", *_left(position)])
        for one in self._slices(f"{own} AND {left}"):
            for batch in self.query(self._statement(f"{own} AND {one.sql}", left)).batches():
                frame = pl.from_arrow(batch)
                if isinstance(frame, pl.DataFrame) and frame.height:
                    yield frame

    def _slices(self, left: str) -> Iterator[Slice]:
        """Slices of about ``SLICE_ROWS`` records, in their order: a source's lines are about equally long."""
        sql = (
            f'SELECT batch, source, generation, min("offset"), max("offset"), count(*) FROM logs WHERE {left} '
            "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        low, high, rows = None, None, 0
        for batch, source, generation, least, most, count in self.query(sql).rows():
            first, last = Edge(batch, source, generation, least), Edge(batch, source, generation, most)
            if low is not None and high is not None and rows + count > SLICE_ROWS:
                yield Slice(low, high)
                low, rows = None, 0
            if count > SLICE_ROWS:
                yield from _cut(first, last, -(-count // SLICE_ROWS))
                continue
            low, high, rows = low or first, last, rows + count
        if low is not None and high is not None:
            yield Slice(low, high)

    def _statement(self, own: str, left: str) -> str:
        received = "text IS NOT NULL AND format LIKE 'received%'" if self.as_received else "false"
        return (
            f"WITH own AS (SELECT *, count(*) OVER (PARTITION BY {_KEY}) AS siblings FROM logs WHERE {own}), "
            'places AS (SELECT batch AS b, source AS s, generation AS g, "offset" AS o, text, format FROM lines '
            f"WHERE {own}) "
            "SELECT own.* EXCLUDE (item), coalesce(item, 0) AS item, epoch_us(timestamp) AS timestamp_us, "
            "epoch_us(observed_timestamp) AS observed_us, "
            f"CASE WHEN siblings = 1 THEN text END AS line, siblings = 1 AND {received} AS received "
            'FROM own LEFT JOIN places ON b = batch AND s = source AND g = generation AND o = "offset" '
            f"WHERE {left} AND {self.scope.within(None, None).where} ORDER BY {_KEY}, coalesce(item, 0)"
        )


def _left(position: Position) -> Iterator[str]:
    """The conditions of what is not sent."""
    if position.since is not None:
        yield f"(batch > {literal(position.first)} OR timestamp >= make_timestamptz({position.since}))"
    if position.place is not None:
        batch, source, generation, offset, item = position.place
        after = f"({literal(source)}, {literal(generation)}, {offset}, {item})"
        behind = f'(source, generation, "offset", coalesce(item, 0)) > {after}'
        yield f"(batch <> {literal(batch)} OR {behind})"


def _cut(first: Edge, last: Edge, parts: int) -> Iterator[Slice]:
    """A source's records in parts, by their offsets."""
    step = -(-(last.offset - first.offset + 1) // parts)
    for low in range(first.offset, last.offset + 1, step):
        yield Slice(first._replace(offset=low), first._replace(offset=min(low + step - 1, last.offset)))
