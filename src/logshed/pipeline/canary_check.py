"""Asks the lake for the lines of a canary's run: which are there, which twice, which out of their order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from logshed.pipeline.canary_book import Book, Sent, ranges

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logshed.sql.result import Result

    Query = Callable[[str], Result]

FORM = "{iso} INFO canary run {run} stream {stream} line {number}"
"""A line: a time and a level in front let every format tell that each is a record of its own."""
PLACE = ("source", "generation", "offset", "item")
_BEFORE = 60_000_000
"""How far back of the first line's time is looked: what lost its fraction or its zone's seconds."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Lines that are not there.

    Attributes:
        stream: Of this stream.
        first: The first of them.
        last: The last of them.
    """

    stream: int
    first: int
    last: int

    def __str__(self) -> str:
        numbers = f"{self.first:,}" if self.first == self.last else f"{self.first:,}-{self.last:,}"
        return f"{self.stream}:{numbers}"


@dataclass(slots=True)
class Found:
    """What the lake holds of a run.

    Attributes:
        stored: Different lines.
        missing: How many lines are promised and not there.
        gaps: Which.
        duplicates: How often lines are there beyond once.
        disordered: Lines that stand behind one that was sent after them, of the same stream and source.
        unpromised: Lines that are there though nothing said so.
        collections: Where they are, with how many.
        sources: What they came through.
    """

    stored: int = 0
    missing: int = 0
    gaps: list[Missing] = field(default_factory=list)
    duplicates: int = 0
    disordered: int = 0
    unpromised: int = 0
    collections: dict[str, int] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)


def look(query: Query, run: str, since: int) -> dict[int, NDArray[np.int64]]:
    """The numbers of lines that are in the lake, by stream.

    Args:
        query: Runs a statement.
        run: The run's id.
        since: Only of lines that were sent from then on, in microseconds since 1970.
    """
    frame = query(_statement(run, since, ())).pl()
    return {int(one["stream"][0]): one["number"].to_numpy() for one in frame.partition_by("stream")}


def examine(query: Query, book: Book) -> Found:
    """Compare all of a run with what the lake holds."""
    names = ("collection", *PLACE)
    frame = query(_statement(book.run, book.begun, names)).pl().sort(*PLACE)
    found = Found(
        collections=dict(frame.group_by("collection").len().sort("collection").iter_rows()),
        sources=sorted(frame["source"].unique().to_list()),
    )
    once = frame.unique(["stream", "number"], keep="first", maintain_order=True)
    found.stored, found.duplicates = once.height, frame.height - once.height
    highest = pl.col("number").cum_max().over("stream", "source", "generation")
    found.disordered = once.filter(pl.col("number") < highest).height
    for stream, sent in enumerate(book.streams):
        numbers = once.filter(pl.col("stream") == stream)["number"].to_numpy()
        _compare(found, stream, sent.taken, numbers)
    return found


def unknown(query: Query, run: str) -> Book:
    """The book of a run that is known by its lines alone: all from each stream's first to its last are promised."""
    book = Book(run, "", 0)
    for stream, numbers in sorted(look(query, run, 0).items()):
        while len(book.streams) <= stream:
            book.streams.append(Sent())
        count = int(numbers.max()) + 1
        book.streams[stream].add(np.zeros(count, np.int64))
        book.streams[stream].take(0, count)
    return book


def _compare(found: Found, stream: int, promised: NDArray[np.bool_], numbers: NDArray[np.int64]) -> None:
    there = np.zeros(len(promised), np.bool_)
    there[numbers[numbers < len(promised)]] = True
    lost = np.flatnonzero(promised & ~there)
    found.missing += len(lost)
    found.gaps += [Missing(stream, first, last) for first, last in ranges(lost)]
    found.unpromised += int((there & ~promised).sum()) + int((numbers >= len(promised)).sum())


def _statement(run: str, since: int, names: tuple[str, ...]) -> str:
    pattern = f"canary run {run} stream (\\d+) line (\\d+)"
    more = "".join(f', "{name}"' for name in names)
    window = f'AND "timestamp" >= make_timestamptz({max(since - _BEFORE, 0)})' if since else ""
    return (
        f"SELECT CAST(regexp_extract(body, '{pattern}', 1) AS BIGINT) AS stream, "
        f"CAST(regexp_extract(body, '{pattern}', 2) AS BIGINT) AS number{more} FROM logs "
        f"WHERE body LIKE '%canary run {run} stream % line %' AND regexp_matches(body, '{pattern}$') {window}"
    )
