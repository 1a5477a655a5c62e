"""Sorts the lines of a file into streams: which are kept, and to which collection each belongs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from logshed.errors import UsageError
from logshed.sources.lines import texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

COLLECTION = r"^[A-Za-z0-9][A-Za-z0-9_.@:-]{0,127}$"
"""What names a collection; anything else at its place is no id."""
MOST_COLLECTIONS = 10_000
"""Collections of one place: who can write into its logs could else make any number of them."""
NO_MATCH, NO_COLLECTION, TOO_MANY = "no match", "no collection", "too many collections"


@dataclass(slots=True)
class Sorting:
    """How lines are sorted.

    Attributes:
        match: Only lines in which this regular expression (Rust's) is found; empty takes all.
        collection_from: Its first group is the line's collection; empty leaves them in the run's.
        unmatched: The collection of lines in which it is not found; empty drops them.
        clean: Replaces in texts what may not rest; an id of which it replaces anything is none.
    """

    match: str = ""
    collection_from: str = ""
    unmatched: str = ""
    clean: Callable[[Sequence[str]], list[str]] = list
    _known: set[str] = field(default_factory=set)
    _refused: set[str] = field(default_factory=set)

    def check(self) -> None:
        """Try the expressions.

        Raises:
            UsageError: One is none, or has no group.
        """
        for option, pattern in (("--match", self.match), ("--collection-from", self.collection_from)):
            try:
                pl.Series([""]).str.contains(pattern)
            except pl.exceptions.ComputeError as error:
                cause = str(error).splitlines()[-1].strip()
                raise UsageError(
                    f"cannot use {option}: {pattern!r} is no regular expression ({cause}); correct it"
                ) from None
        groups = pl.DataFrame({"": [""]}).select(pl.col("").str.extract_groups(self.collection_from or "()"))
        if not groups.to_series(0).struct.fields:
            raise UsageError(
                f"cannot use --collection-from: {self.collection_from!r} has no group; write one, ' ([0-9]+)$'"
            )
        if self.unmatched and not re.search(COLLECTION, self.unmatched):
            raise UsageError("cannot use --keep-unmatched: that is no collection; write letters, digits, _ . @ : -")

    def sorted(self, lines: Sequence[bytes]) -> tuple[dict[str, list[int]], dict[str, int]]:
        """Sort lines.

        Args:
            lines: Whole lines without their line feeds.

        Returns:
            By collection (empty is the run's) the places of its lines, in order; and how many were dropped, by why.
        """
        if not (self.match or self.collection_from) or not lines:
            return {"": list(range(len(lines)))}, {}
        text = texts(b"\n".join(lines) + b"\n")
        frame = pl.DataFrame({"text": text}).with_row_index("row")
        dropped: dict[str, int] = {}
        if self.match:
            frame = self._kept(frame, pl.col("text").str.contains(self.match), NO_MATCH, dropped)
        if not self.collection_from:
            return {"": frame["row"].to_list()}, dropped
        found = pl.col("text").str.extract(self.collection_from, 1)
        frame = frame.with_columns(collection=pl.when(found.str.contains(COLLECTION)).then(found))
        self._look_at(frame["collection"].drop_nulls().unique().to_list())
        sound = pl.when(~pl.col("collection").is_in(self._refused)).then(pl.col("collection"))
        frame = frame.with_columns(collection=sound.fill_null(pl.lit(self.unmatched or None, pl.String)))
        frame = self._kept(frame, pl.col("collection").is_not_null(), NO_COLLECTION, dropped)
        frame = self._few(frame, dropped)
        by_collection = frame.group_by("collection", maintain_order=True).agg("row")
        return dict(zip(by_collection["collection"].to_list(), by_collection["row"].to_list(), strict=True)), dropped

    def _look_at(self, names: Sequence[str]) -> None:
        """Refuse ids that may not rest."""
        new = [name for name in names if name not in self._known and name not in self._refused]
        if new:
            self._refused.update(name for name, text in zip(new, self.clean(new), strict=True) if name != text)

    def _few(self, frame: pl.DataFrame, dropped: dict[str, int]) -> pl.DataFrame:
        """Without lines of collections beyond the most that there may be."""
        new = [name for name in frame["collection"].unique(maintain_order=True).to_list() if name not in self._known]
        room = MOST_COLLECTIONS - len(self._known)
        self._known.update(new[:room])
        if len(new) <= room:
            return frame
        return self._kept(frame, pl.col("collection").is_in(self._known), TOO_MANY, dropped)

    @staticmethod
    def _kept(frame: pl.DataFrame, stays: pl.Expr, why: str, dropped: dict[str, int]) -> pl.DataFrame:
        kept = frame.filter(stays)
        if kept.height < frame.height:
            dropped[why] = frame.height - kept.height
        return kept
