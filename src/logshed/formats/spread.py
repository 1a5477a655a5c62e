"""JSON that is printed over many lines: which of its lines belong to one record, so that redaction sees it whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from logshed.formats.records import MAX_BYTES, MAX_LINES

WINDOW_BYTES = 16 * 1024
"""A longer document is cut where its nesting is least deep."""
HIDDEN, CLOSING = 1, 2
_STRING = r'"(?:[^"\\]|\\.)*"'
_OPENING = r"[\[{][ \t]*$"
_JSON = (
    rf"^\s*(?:{_STRING}\s*(?:[:,]|[\]}}]|$)|[\[\]{{}}][\[\]{{}}\s,]*(?:$|\")"
    r"|(?:-?[0-9][0-9.eE+-]*|true|false|null)[\]}\s]*,?\s*$|$)"
)


@dataclass(slots=True)
class Spread:
    """What of some lines is such JSON.

    Attributes:
        starts: True where a line begins a record; lines outside JSON do.
        inside: True for lines of JSON.
        hidden: ``HIDDEN`` for lines inside an array or object under a sensitive name that is too long to be one record,
            ``CLOSING`` for the line that ends it, else 0.
        depth: How deep the JSON is nested before each line; 0 outside.
        hold: From which line on more lines must be known.
    """

    starts: np.ndarray
    inside: np.ndarray
    hidden: np.ndarray
    depth: np.ndarray
    hold: int


class SpreadJson:
    """Groups lines; between two calls it knows how deep the lines that were held back are nested."""

    def __init__(self, sensitive: str) -> None:
        """Make one.

        Args:
            sensitive: An expression for the sensitive names; an array or object under one is never cut in two.
        """
        self._sensitive = rf"(?:{sensitive})\]?\"\s*:\s*[\[{{]\s*$" if sensitive else ""
        self.depth = 0
        self._hide_above = -1
        """Lines are hidden until the nesting is no deeper than this; -1 where none are."""

    def look(self, text: pl.Series, *, last: bool) -> Spread | None:
        """What of these lines is JSON over many lines; None where none is.

        Args:
            text: The lines that were held back, and those behind them.
            last: Whether no more will come.
        """
        opening = text.str.contains(_OPENING)
        if not self.depth and not opening.any():
            return None
        return self._scan(text, opening.to_numpy(), last=last)

    def _scan(self, text: pl.Series, opening: np.ndarray, *, last: bool) -> Spread:
        rows = len(text)
        json = text.str.contains(_JSON).to_numpy()
        bare = text.str.replace_all(_STRING, "")
        deeper = (bare.str.count_matches(r"[\[{]").cast(pl.Int64) - bare.str.count_matches(r"[\]}]")).to_numpy()
        ends = np.append(np.flatnonzero(~json), rows)
        sizes = np.concatenate([[0], np.cumsum(text.str.len_bytes().to_numpy().astype(np.int64) + 1)])
        secret = text.str.contains(self._sensitive).to_numpy() if self._sensitive else np.zeros(rows, bool)
        found = Spread(
            starts=np.ones(rows, bool),
            inside=np.zeros(rows, bool),
            hidden=np.zeros(rows, np.int8),
            depth=np.zeros(rows + 1, np.int64),
            hold=rows,
        )
        openers = np.flatnonzero(opening)
        row, depth = 0, self.depth
        while row < rows:
            if not depth:
                place = int(np.searchsorted(openers, row))
                if place == len(openers):
                    break
                row = int(openers[place])
            end = int(ends[np.searchsorted(ends, row + (not depth))])
            after = depth + np.cumsum(deeper[row:end])
            closed = np.flatnonzero(after <= 0)
            stop = row + int(closed[0]) + 1 if len(closed) else end
            is_open = not len(closed) and end == rows and not last
            if stop - row > 1 or depth or is_open:
                found.inside[row:stop] = True
                found.depth[row + 1 : stop + 1] = after[: stop - row]
                found.depth[row] = depth
                if not is_open:
                    found.depth[stop] = 0
                self._cut(found, row, stop, sizes, secret, is_open=is_open)
            row, depth = stop, 0
        return found

    def _cut(self, found: Spread, row: int, stop: int, sizes: np.ndarray, secret: np.ndarray, *, is_open: bool) -> None:
        """Cut a document into records of about ``WINDOW_BYTES``, where it is least deep."""
        depth = found.depth
        while row < stop:
            if self._hide_above >= 0:
                row = self._hide(found, row, stop)
                continue
            is_secret = bool(secret[row]) and depth[row] > 0
            limit = min(stop, int(np.searchsorted(sizes, sizes[row] + (MAX_BYTES if is_secret else WINDOW_BYTES))))
            limit = min(max(limit, row + 1), row + MAX_LINES)
            level = depth[row + 1 : limit + 1]
            if is_secret:
                closed = np.flatnonzero(level <= depth[row])
                if not len(closed) and limit < stop:
                    self._hide_above = int(depth[row])
                cut = row + int(closed[0]) + 1 if len(closed) else limit
                waits = is_open and not len(closed) and limit == stop
            else:
                cut = limit if limit == stop else row + len(level) - int(np.argmin(level[::-1]))
                waits = is_open and limit == stop
            if waits:
                found.hold = row
                found.starts[row + 1 : stop] = False
                return
            found.starts[row + 1 : cut] = False
            row = cut

    def _hide(self, found: Spread, row: int, stop: int) -> int:
        """Hide lines up to the one that closes what is too long."""
        closed = np.flatnonzero(found.depth[row + 1 : stop + 1] <= self._hide_above)
        end = row + int(closed[0]) + 1 if len(closed) else stop
        found.hidden[row:end] = HIDDEN
        if len(closed):
            found.hidden[end - 1] = CLOSING
            self._hide_above = -1
        return end
