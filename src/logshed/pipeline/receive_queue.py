"""What waits to be written, by who sent it: each has their turn, and none can fill the room of all."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")

SHARE = 4
"""A sender may fill one part in so many of the room."""
MOST_AHEAD = 1000
"""Senders without items of whom it is kept that they had more than the others."""


@dataclass(slots=True)
class _Line(Generic[Item]):
    """What waits of one sender.

    Attributes:
        items: With their sizes.
        size: Bytes of them.
        turn: Bytes that the sender had before its next item, on the clock of all.
    """

    items: deque[tuple[Item, int]] = field(default_factory=deque)
    size: int = 0
    turn: int = 0


class FairQueue(Generic[Item]):
    """Items of many senders, given out by bytes so that each sender has as many as the others.

    The method is start-time fair queueing (Goyal, Vin and Cheng, 1996): who has had least comes next, and who was away
    begins where the others are.

    Args:
        room: Bytes that may wait.

    Attributes:
        size: Bytes that wait.
    """

    def __init__(self, room: int) -> None:
        self.size = 0
        self._room = room
        self._lines: dict[str, _Line[Item]] = {}
        self._turns: list[tuple[int, int, str]] = []
        self._ahead: dict[str, int] = {}
        self._clock = self._count = 0

    def __len__(self) -> int:
        return sum(len(line.items) for line in self._lines.values())

    def has_room(self, sender: str, size: int) -> bool:
        """Whether an item may wait: one of a sender of whom none waits is let in as long as there is any room."""
        line = self._lines.get(sender)
        if self.size >= self._room:
            return False
        return line is None or (line.size + size <= self._room // SHARE and self.size + size <= self._room)

    def put(self, sender: str, item: Item, size: int) -> None:
        """Let an item wait."""
        line = self._lines.get(sender)
        if line is None:
            line = self._lines[sender] = _Line(turn=max(self._clock, self._ahead.pop(sender, 0)))
            self._await_turn(sender, line)
        line.items.append((item, size))
        line.size += size
        self.size += size

    def take(self, most: int) -> list[Item]:
        """Items of about so many bytes, at least one where any waits; those of one sender in their order."""
        taken: list[Item] = []
        size = 0
        while self._turns and (not taken or size < most):
            self._clock, _, sender = heapq.heappop(self._turns)
            line = self._lines[sender]
            item, own = line.items.popleft()
            taken.append(item)
            size += own
            line.size -= own
            line.turn += own
            if line.items:
                self._await_turn(sender, line)
            else:
                del self._lines[sender]
                self._keep_ahead(sender, line.turn)
        self.size -= size
        return taken

    def _keep_ahead(self, sender: str, turn: int) -> None:
        """A sender who waits for each answer would else begin anew with each item."""
        if len(self._ahead) >= MOST_AHEAD:
            self._ahead = {name: one for name, one in self._ahead.items() if one > self._clock}
        if len(self._ahead) < MOST_AHEAD:
            self._ahead[sender] = turn

    def _await_turn(self, sender: str, line: _Line[Item]) -> None:
        self._count += 1
        heapq.heappush(self._turns, (line.turn, self._count, sender))
