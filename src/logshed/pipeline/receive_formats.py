"""What formats the lines of pushed streams are in: found out from the first that come, and looked at again as more do.

Nobody waits for an answer until a stream has enough lines to tell by, so it is told by what is there, again with each
request until there are two hundred lines, and then when there are four times as many. A stream may change what it
holds; formats are added to those that it had.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logshed.errors import FormatError
from logshed.formats import detect, registry
from logshed.formats.choice import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import polars as pl

MOST_STREAMS = 20_000
"""Streams of which it is known; of more those are forgotten that were quiet longest."""
MOST_FORMATS = 6
"""Formats of a stream; each costs a look at every line that none before takes."""
TELLING_LINES = 200
"""So many lines tell a format."""
AGAIN = 4
"""Times the lines after which a stream is looked at again."""
AGAIN_S = 60.0
"""After so many seconds it is in any case."""
A_SECOND, AT_ONCE = 5, 50
"""Looks: each takes about 50 ms, and clients choose how many streams there are."""


@dataclass(slots=True)
class _Known:
    """What is known of a stream.

    Attributes:
        choice: Its formats.
        lines: That have come.
        next: Lines after which it is looked at again.
        due: When it is in any case.
    """

    choice: Choice
    lines: int = 0
    next: int = 0
    due: float = 0.0


class StreamFormats:
    """Formats by stream.

    Args:
        plugins: Folders with formats of the user's own.
        clock: Seconds.
    """

    def __init__(self, plugins: Sequence[Path] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self._formats = registry.load(tuple(plugins))
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._looks, self._since = float(AT_ONCE), clock()

    def of(self, source: str, asked: str, lines: int, sample: Callable[[], pl.Series], before: str = "") -> str:
        """The format choice of lines that came.

        Args:
            source: The stream's name.
            asked: The choice that the protocol or the client gave; one that names formats holds as it is.
            lines: How many came.
            sample: Gives some of them.
            before: The choice that the stream had in an earlier run.
        """
        given = Choice.parse(asked)
        if given.formats:
            return asked
        known = self._known.get(source)
        if known is None or (given.envelopes and known.choice.envelopes[: len(given.envelopes)] != given.envelopes):
            known = self._known[source] = _Known(Choice.parse(before) if before else given)
            if len(self._known) > MOST_STREAMS:
                self._known.popitem(last=False)
        self._known.move_to_end(source)
        known.lines += lines
        if (known.lines >= known.next or self._clock() >= known.due) and self._may_look():
            known.choice = self._merged(known.choice, detect.detect(sample(), formats=self._formats).choice, given)
            known.next = AGAIN * known.lines if known.lines >= TELLING_LINES else 0
            known.due = self._clock() + AGAIN_S
        return str(known.choice)

    def checked(self, asked: str) -> str:
        """The choice that a client gave.

        Raises:
            FormatError: There is no such format, or the client defines one itself, which costs memory for good.
        """
        if not asked:
            return ""
        choice = Choice.parse(asked)
        if own := next((name for name in choice.names if ":" in name), None):
            raise FormatError(f"cannot use format {own[:40]!r}: a request names a format that there is; name one")
        return str(registry.check(choice, self._formats))

    def _may_look(self) -> bool:
        now = self._clock()
        self._looks = min(AT_ONCE, self._looks + (now - self._since) * A_SECOND)
        self._since = now
        if self._looks < 1:
            return False
        self._looks -= 1
        return True

    @staticmethod
    def _merged(before: Choice, found: Choice, given: Choice) -> Choice:
        """Formats found beside those known; an envelope that the protocol gave stays, whatever lines look like."""
        if given.envelopes and found.envelopes[: len(given.envelopes)] != given.envelopes:
            return before
        if not before.names:
            return found
        if (
            found.names == before.envelopes
        ):  # lines of the envelope in which nothing is known, among others of the stream
            return before
        if found.envelopes != before.envelopes:
            return before if not found.names else found
        added = [name for name in found.formats if name not in before.formats]
        return Choice(before.envelopes, (*before.formats, *added)[:MOST_FORMATS])
