"""Walks over a query's pieces: what stands ahead, what must stand there."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from logshed.logql.lexer import Token, tokens
from logshed.search.model import Mistake

if TYPE_CHECKING:
    from collections.abc import Callable

Item = TypeVar("Item")
DEEPEST = 40
"""Brackets inside each other."""
MOST_OPERATORS = 100
"""Operators between metrics of one query; each makes its tree one deeper."""


class Tokens:
    """The pieces of a query, and how far they are read."""

    def __init__(self, text: str) -> None:
        self._all = tokens(text)
        self._place = 0
        self.depth = self.operators = 0

    @property
    def ahead(self) -> Token:
        """The next piece."""
        return self._all[self._place]

    def beyond(self, by: int = 1) -> Token:
        """The piece that stands so many behind the next one."""
        return self._all[min(self._place + by, len(self._all) - 1)]

    def take(self) -> Token:
        """Read the next piece."""
        token = self.ahead
        self._place = min(self._place + 1, len(self._all) - 1)
        return token

    def sees(self, *texts: str) -> bool:
        """Whether the next piece is one of these signs or words."""
        return self.ahead.kind in {"sign", "name"} and self.ahead.text in texts

    def skip(self, text: str) -> bool:
        """Read a sign or a word if it stands ahead."""
        if self.sees(text):
            self.take()
            return True
        return False

    def expect(self, text: str, advice: str) -> Token:
        """Read a sign that must stand here."""
        if not self.sees(text):
            raise self.wrong(f"{text} is missing before {self._named()}", advice)
        return self.take()

    def kind(self, kind: str, what: str, advice: str) -> Token:
        """Read a piece of a kind that must stand here."""
        if self.ahead.kind != kind:
            raise self.wrong(f"{what} is missing before {self._named()}", advice)
        return self.take()

    def listed(self, one: Callable[[], Item], closer: str) -> tuple[Item, ...]:
        """Things with commas between them, and the sign that ends them."""
        items: list[Item] = []
        while not self.skip(closer):
            if items:
                self.expect(",", f"write , between them, or {closer} behind the last")
                if self.skip(closer):
                    break
            items.append(one())
        return tuple(items)

    def wrong(self, cause: str, advice: str) -> Mistake:
        """What is wrong with the next piece."""
        spot = self.ahead.spot
        return Mistake(cause, advice, spot.at, spot.end)

    def deeper(self) -> None:
        """Go into a bracket.

        Raises:
            Mistake: There are too many inside each other.
        """
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong("brackets are nested too deep", "write it flatter")

    def joined(self) -> None:
        """Count an operator between metrics.

        Raises:
            Mistake: There are too many.
        """
        self.operators += 1
        if self.operators > MOST_OPERATORS:
            raise self.wrong(f"there are more than {MOST_OPERATORS} operators", "sum with one query, or ask several")

    def _named(self) -> str:
        return "the end" if self.ahead.kind == "end" else repr(self.ahead.text)
