"""What a door reads: the hot store, or what it has itself seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Readable(Protocol):
    """Newest lines and counters; each call may wait, and is made in a thread of its own."""

    def known(self) -> Sequence[tuple[str, int]]:
        """Collections with how many records each has had."""
        ...

    def lines(self, collection: str, *, last: int | None = None) -> Iterable[tuple[float, str]]:
        """The newest lines of a collection with their times, the oldest first."""
        ...

    def locations(self, collection: str, top: int) -> Sequence[tuple[str, int]]:
        """Places (``CC-RR-City``) with their counts, the greatest first."""
        ...

    def countries(self, collection: str | None) -> Sequence[tuple[str, int]]:
        """Countries with their counts, of one collection or of all."""
        ...
