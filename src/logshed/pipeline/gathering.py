"""Lines of any text as the records that redaction must see whole, which can be turned back into the same lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from logshed.formats import records
from logshed.formats.blocks import KeyBlocks
from logshed.formats.spread import CLOSING, Spread, SpreadJson
from logshed.formats.starts import Starts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.formats.model import Format
    from logshed.redaction.engine import Redactor

_CLOSING = r"^\s*[\]}]"


@dataclass(frozen=True, slots=True)
class Records:
    """Some records.

    Attributes:
        text: Their texts; a record of several lines has line feeds in it.
        line: The number of each one's first line, from 1.
        lines: How many lines each has.
        json: The records that are part of JSON over many lines.
        led: The records before which a line feed was put, since a rule looks for one.
        returns: By line, whether a carriage return stood before its line feed; None where none did.
        ends: Whether a line feed ends the last line.
    """

    text: pl.Series
    line: pl.Series
    lines: pl.Series
    json: pl.Series
    led: pl.Series
    returns: np.ndarray | None = None
    ends: bool = True

    def joined(self, text: pl.Series, redactor: Redactor) -> str:
        """The lines that redacted records come to, as many as there were."""
        text = self._quoted(text, redactor)
        if len(self.led):
            text = text.scatter(self.led, text.gather(self.led).str.strip_prefix("\n"))
        several = (self.lines > 1).arg_true()
        if len(several):
            missing = self.lines.gather(several) - 1 - text.gather(several).str.count_matches("\n", literal=True)
            padded = [
                one + "\n" * max(more, 0)
                for one, more in zip(text.gather(several).to_list(), missing.to_list(), strict=True)
            ]
            text = text.clone().scatter(several, padded)
        if self.returns is not None:
            parts = text.str.split("\n").explode()
            returns = pl.Series(self.returns)
            text = pl.select(pl.when(returns).then(parts + "\r").otherwise(parts)).to_series()
        return str(text.str.join("\n")[0]) + ("\n" if self.ends else "")

    def _quoted(self, text: pl.Series, redactor: Redactor) -> pl.Series:
        rows = self.json.filter(text.gather(self.json) != self.text.gather(self.json))
        return text.clone().scatter(rows, redactor.quoted(text.gather(rows))) if len(rows) else text.clone()


class Gatherer:
    """Puts lines together: private keys, JSON over many lines, records of formats; all other lines are records.

    Args:
        redactor: The policy.
        forms: Formats whose records of several lines are put together.
    """

    def __init__(self, redactor: Redactor, forms: Sequence[Format] = ()) -> None:
        self._starts = Starts(forms) if forms else None
        self._json = SpreadJson(redactor.names)
        self._keys = KeyBlocks()
        self._led = "|".join(rule.guard for rule in redactor.policy.rules if r"\n" in rule.guard or "\n" in rule.guard)
        self._held = pl.Series([], dtype=pl.String)
        self._held_keys = np.zeros(0, bool)
        self._held_returns = np.zeros(0, bool)
        self._held_starts = np.zeros(0, bool)
        self._offset = 0
        self._line = 1

    @property
    def holds(self) -> bool:
        """Whether there are lines that wait for more."""
        return len(self._held) > 0

    def push(
        self, text: pl.Series, returns: np.ndarray | None = None, *, last: bool = False, ends: bool = True
    ) -> Records | None:
        """Take lines.

        Args:
            text: The lines, without their ends.
            returns: See ``Records``.
            last: Whether no more lines come, or none that belong to these.
            ends: Whether a line feed ends the last one.

        Returns:
            The records that are complete; None where none is.
        """
        in_key = self._key_lines(text)
        begins = np.ones(len(text), bool) if self._starts is None else self._starts.of_text(text)
        begins = np.concatenate([self._held_starts, begins])
        text = pl.concat([self._held, text]) if self.holds else text
        in_key = np.concatenate([self._held_keys, in_key])
        returned = np.zeros(len(text), bool)
        returned[: len(self._held_returns)] = self._held_returns
        if returns is not None:
            returned[len(self._held_returns) :] = returns
        spread = self._json.look(text, last=last)
        starts = begins & (~in_key if spread is None else spread.starts & ~in_key)
        if len(starts):
            starts[0] = True
        hold = self._hold_from(starts, spread, len(text), last=last)
        self._json.depth = int(spread.depth[hold]) if spread is not None and not last else 0
        self._held, self._held_keys, self._held_returns = text[hold:], in_key[hold:], returned[hold:]
        self._held_starts = begins[hold:]
        if not hold:
            return None
        if spread is not None:
            text = _hidden(text, spread)
        return self._records(text[:hold], starts[:hold], spread, returned[:hold], ends=ends)

    def skip(self, lines: int) -> None:
        """Count lines that are not given here."""
        self._line += lines

    @property
    def line(self) -> int:
        """The number of the line that comes next."""
        return self._line + len(self._held)

    def _key_lines(self, text: pl.Series) -> np.ndarray:
        sizes = text.str.len_bytes().to_numpy().astype(np.int64) + 1
        offsets = self._offset + np.concatenate([[0], np.cumsum(sizes)])
        self._offset = int(offsets[-1])
        inside = self._keys.inside(text, offsets[:-1]) if len(text) else None
        return np.zeros(len(text), bool) if inside is None else inside

    def _hold_from(self, starts: np.ndarray, spread: Spread | None, rows: int, *, last: bool) -> int:
        """The line from which on more must be known."""
        if last:
            return rows
        hold = rows if spread is None else spread.hold
        goes_on = self._starts is not None and self._starts.may_go_on
        if self._keys.open or (goes_on and rows - int(np.flatnonzero(starts)[-1]) < records.MAX_LINES):
            hold = min(hold, int(np.flatnonzero(starts)[-1]))
        while 0 < hold < rows and not starts[hold]:
            hold -= 1
        return hold

    def _records(
        self, text: pl.Series, starts: np.ndarray, spread: Spread | None, returned: np.ndarray, *, ends: bool
    ) -> Records:
        rows = len(text)
        frame = pl.DataFrame({"text": text, "offset": pl.int_range(rows, dtype=pl.Int64, eager=True)}).with_columns(
            cut_bytes=pl.lit(None, pl.Int64), escaped=pl.lit(value=False)
        )
        grouped, _ = records.group(frame, starts, keep_last=False)
        first = grouped["offset"]
        nothing = pl.Series([], dtype=pl.UInt32)
        texts, led = self._with_line_feeds(grouped["text"])
        made = Records(
            text=texts,
            line=first + self._line,
            lines=grouped["line_count"],
            json=nothing if spread is None else pl.Series(spread.inside[:rows]).gather(first).arg_true(),
            led=led,
            returns=returned if returned.any() else None,
            ends=ends,
        )
        self._line += rows
        return made

    def _with_line_feeds(self, text: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Lines of stack traces with a line feed before them: rules know them by it."""
        if not self._led:
            return text, pl.Series([], dtype=pl.UInt32)
        rows = (text.str.starts_with(" ") | text.str.starts_with("\t")).arg_true()
        led = "\n" + text.gather(rows)
        found = led.str.contains(self._led)
        rows, led = rows.filter(found), led.filter(found)
        return (text.clone().scatter(rows, led) if len(rows) else text), rows


def _hidden(text: pl.Series, spread: Spread) -> pl.Series:
    """The lines without what lies inside a sensitive array or object that is too long to be one record."""
    rows = (pl.Series(spread.hidden) > 0).arg_true()
    if rows.is_empty():
        return text
    closes = pl.Series(spread.hidden).gather(rows) == CLOSING
    closing = text.gather(rows).str.replace(_CLOSING, "")
    return text.clone().scatter(rows, pl.select(pl.when(closes).then(closing).otherwise(pl.lit(""))).to_series())
