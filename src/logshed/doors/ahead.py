"""What a connection has sent and is on its way to the disk: it is read on meanwhile, and a turn takes all that came."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from logshed.receivers.model import Decoded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from logshed.receivers.streaming import Step

OF_ONE, OF_ALL = 2**22, 2**26
"""Bytes that may be on their way, of a connection and of all of a door; one that has none may read on in any case."""


class Room:
    """Bytes on their way, of all connections of a door."""

    __slots__ = ("taken",)

    def __init__(self) -> None:
        self.taken = 0


class Ahead:
    """The steps of one connection, given on in their order.

    Args:
        give: Puts steps on disk and answers them; what it raises ends the connection.
        room: Shared by the connections of a door.
        failed: Is called when that has happened.
    """

    def __init__(
        self, give: Callable[[Sequence[Step]], Awaitable[None]], room: Room, failed: Callable[[Exception], None]
    ) -> None:
        self._give, self._room, self._failed = give, room, failed
        self._steps: list[Step] = []
        self._size = self._waiting = 0
        self._ended = False
        self._changed = asyncio.Condition()
        self._flow = asyncio.create_task(self._run())

    async def add(self, step: Step) -> None:
        """Give a step on, and wait where too much is on its way."""
        async with self._changed:
            size = _size(step)
            self._steps.append(step)
            self._size += size
            self._room.taken += size
            self._changed.notify_all()
            await self._changed.wait_for(self._may_go_on)

    async def end(self) -> None:
        """Wait until all is on disk and answered.

        Raises:
            Exception: What ``give`` raised.
        """
        async with self._changed:
            self._ended = True
            self._changed.notify_all()
        await self._flow

    def drop(self) -> None:
        """Give up what is still on its way."""
        self._flow.cancel()
        self._room.taken -= self._size
        self._size = 0

    def _may_go_on(self) -> bool:
        return self._flow.done() or not self._size or (self._size < OF_ONE and self._room.taken < OF_ALL)

    async def _run(self) -> None:
        try:
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: self._steps or self._ended)
                    steps, self._steps = self._steps, []
                if not steps:
                    return
                await self._give(steps)
                async with self._changed:
                    size = sum(map(_size, steps))
                    self._size -= size
                    self._room.taken -= size
                    self._changed.notify_all()
        except Exception as error:
            self._failed(error)
            raise
        finally:
            async with self._changed:
                self._changed.notify_all()


def together(steps: Sequence[Step]) -> Decoded:
    """The records of steps as those of one; where some have ids, the others have none."""
    if len(steps) == 1:
        return steps[0].decoded
    some = [step.decoded for step in steps]
    parts = tuple(part for one in some for part in one.parts)
    ids: tuple[str, ...] = ()
    if any(one.ids for one in some):
        ids = tuple(uid for one in some for uid in one.ids or ("",) * sum(part.records for part in one.parts))
    return Decoded(parts, tuple(refused for one in some for refused in one.refused), ids)


def _size(step: Step) -> int:
    return sum(len(part.lines) for part in step.decoded.parts) + sum(len(one.data) for one in step.decoded.refused)
