"""Marks how far somebody has seen what arrives, so short that they keep it: after a cut they go on there.

A mark says which batches are known: all that began before a moment, and of those since each by a part of its id.
Ingests run beside each other, so that the one that began first may be committed last. The server keeps nothing of who
watches: another that takes its place goes on as well.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from logshed.errors import UsageError
from logshed.pipeline.explore_tail import LATE

if TYPE_CHECKING:
    from collections.abc import Iterable

MOST = 200
"""Batches that are named each: of those that began before them none is expected any more."""
_MOMENT, _PART = 12, 8
"""Digits of a UUIDv7 that are its milliseconds, and of its random end that name it."""
_FORM = re.compile(r"([0-9a-f]{12})-([0-9a-f]{12})-((?:[0-9a-f]{8})*)")


class Mark(NamedTuple):
    """How far somebody has seen.

    Attributes:
        made: When it was made: milliseconds since 1970 as 12 hexadecimal digits.
        before: Batches that began before this moment are known; the same form.
        parts: The ends of the ids of those that are known too.
    """

    made: str
    before: str
    parts: frozenset[str]

    @classmethod
    def of(cls, batches: Iterable[str], now: datetime | None = None) -> Mark:
        """The mark of who knows what arrived lately.

        Args:
            batches: All of the last hour, as ``explore_tail.batches`` gives them.
            now: When they were asked for; None is this moment.
        """
        now = now or datetime.now(UTC)
        known = sorted(map(_digits, batches))
        before = known[-MOST][:_MOMENT] if len(known) >= MOST else _moment(now - LATE)
        return cls(_moment(now), before, frozenset(one[-_PART:] for one in known[-MOST:]))

    @classmethod
    def read(cls, text: str) -> Mark:
        """Read the text of a mark.

        Raises:
            UsageError: It is none.
        """
        found = _FORM.fullmatch(text)
        if not found:
            raise UsageError("cannot go on: that is not the id of an event of this stream; begin without it")
        made, before, parts = found.groups()
        return cls(made, before, frozenset(parts[at : at + _PART] for at in range(0, len(parts), _PART)))

    def __str__(self) -> str:
        return f"{self.made}-{self.before}-{''.join(sorted(self.parts))}"

    def late(self, now: datetime | None = None) -> bool:
        """Whether it is so old that not all that arrived since can be told."""
        return self.made < _moment((now or datetime.now(UTC)) - LATE)

    def unknown(self, batches: Iterable[str]) -> list[str]:
        """Those that are not known."""
        digits = {one: _digits(one) for one in batches}
        return sorted(
            one for one, told in digits.items() if told[:_MOMENT] >= self.before and told[-_PART:] not in self.parts
        )


def _digits(batch: str) -> str:
    return batch.replace("-", "")


def _moment(when: datetime) -> str:
    return f"{int(when.timestamp() * 1000):0{_MOMENT}x}"
