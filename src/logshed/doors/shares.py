"""Room that tenants share: each waits its turn, and one who wants all of it keeps none of the others out."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class Shares:
    """Room of some size; those who wait for it are let in tenant by tenant, one after another.

    Args:
        size: Of the room.
        of_one: What one tenant may hold of it.
    """

    def __init__(self, size: int, of_one: int) -> None:
        self.free = size
        self._of_one = of_one
        self._held: Counter[str] = Counter()
        self._waiting: dict[str, deque[tuple[int, asyncio.Future[None]]]] = {}

    async def take(self, who: str, amount: int, seconds: float | None) -> Held:
        """Room for a tenant.

        Args:
            who: The tenant.
            amount: How much. More than a tenant may have is given to one who has nothing.
            seconds: How long to wait for it; None is for ever.

        Raises:
            TimeoutError: There was none in time.
        """
        held = Held(self, who)
        await held.grow(amount, seconds)
        return held

    async def claim(self, who: str, amount: int, seconds: float | None, *, first: bool = False) -> None:
        """Wait for room, and hold it until ``add`` gives it back; ``take`` does both.

        Args:
            who: The tenant.
            amount: How much.
            seconds: How long to wait for it; None is for ever.
            first: Before others of this tenant, since what holds some cannot end without more.

        Raises:
            TimeoutError: There was none in time.
        """
        if not self._waiting and self._has_room(who, amount) and self._fits(amount):
            self.add(who, amount)
            return
        place = asyncio.get_running_loop().create_future()
        line = self._waiting.setdefault(who, deque())
        line.insert(0 if first else len(line), (amount, place))
        self._let_in()
        try:
            async with asyncio.timeout(seconds):
                await place
        except (TimeoutError, asyncio.CancelledError):
            if place.done() and not place.cancelled():  # it was let in at the moment at which it gave up
                self.add(who, -amount)
            self._let_in()
            raise

    def add(self, who: str, amount: int) -> None:
        """Note that a tenant holds more, or less, whether or not there is room."""
        self.free -= amount
        self._held[who] += amount
        if not self._held[who]:
            del self._held[who]
        if amount < 0 and self._waiting:
            self._let_in()

    def _has_room(self, who: str, amount: int) -> bool:
        held = self._held.get(who, 0)
        return not held or held + amount <= self._of_one

    def _fits(self, amount: int) -> bool:
        return amount <= self.free or not self._held

    def _let_in(self) -> None:
        """Let one of each tenant in until nobody can be; who waits for the whole room is passed by nobody."""
        going = True
        while going:
            going = False
            for who in list(self._waiting):
                line = self._waiting.pop(who)
                while line and line[0][1].done():
                    line.popleft()
                if not line:
                    continue
                amount, place = line[0]
                if not self._has_room(who, amount):
                    self._waiting[who] = line
                elif self._fits(amount):
                    line.popleft()
                    if line:
                        self._waiting[who] = line
                    self.add(who, amount)
                    place.set_result(None)
                    going = True
                else:
                    self._waiting = {who: line, **self._waiting}
                    return


class Held:
    """What a request holds of the room; given back at the end of its ``with``."""

    __slots__ = ("_shares", "_who", "amount")

    def __init__(self, shares: Shares, who: str) -> None:
        self._shares, self._who = shares, who
        self.amount = 0

    async def grow(self, amount: int, seconds: float | None) -> None:
        """Hold so much in all.

        Args:
            amount: At least what is held.
            seconds: How long to wait for it; None is for ever.

        Raises:
            TimeoutError: There was no room in time.
        """
        if amount > self.amount:
            await self._shares.claim(self._who, amount - self.amount, seconds, first=self.amount > 0)
            self.amount = amount

    def set(self, amount: int) -> None:
        """Hold so much in all from now on, since it is there already."""
        if amount != self.amount:
            self._shares.add(self._who, amount - self.amount)
            self.amount = amount

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.set(0)
