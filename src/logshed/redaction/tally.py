"""Counts the spans that are replaced in some texts: in each text, and by the name of the rule."""

from __future__ import annotations

import polars as pl

from logshed.redaction import spans


class Tally:
    """Spans replaced.

    Attributes:
        counts: Spans in each text (Int32).
    """

    def __init__(self, texts: int) -> None:
        self.counts = pl.zeros(texts, pl.Int32, eager=True)
        self._found: list[tuple[str, pl.Series, pl.Series]] = []

    @property
    def by_rule(self) -> dict[str, int]:
        """Spans by rule; only rules that replaced some."""
        found: dict[str, int] = {}
        for rule, _, counts in self._found:
            found[rule] = found.get(rule, 0) + int(counts.sum())
        return found

    def count(self, rule: str, rows: pl.Series, counts: pl.Series) -> None:
        """Note so many spans in each of these rows."""
        if counts.sum():
            self._found.append((rule, rows, counts))
            self.counts = spans.patch(self.counts, rows, self.counts.gather(rows) + counts)

    def add(self, rows: pl.Series, other: Tally) -> None:
        """Note what was replaced in some of the texts; ``rows`` says which they are."""
        for rule, own, counts in other._found:
            self.count(rule, rows.gather(own), counts)

    def by_share(self, share: pl.Series, shares: int) -> list[dict[str, int]]:
        """Spans by rule in each share of the texts.

        Args:
            share: To which share each text belongs, from 0 on.
            shares: How many there are.
        """
        found: list[dict[str, int]] = [{} for _ in range(shares)]
        for rule, rows, counts in self._found:
            frame = pl.DataFrame({"share": share.gather(rows), "count": counts}).group_by("share").sum()
            for number, count in frame.filter(pl.col("count") > 0).iter_rows():
                found[number][rule] = found[number].get(rule, 0) + count
        return found
