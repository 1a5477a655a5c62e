"""Follows what arrives in the lake for all who watch; those who look for the same cost one look."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from logshed.errors import LogshedError, OverloadedError
from logshed.pipeline.explore_tail import arrived, batches
from logshed.pipeline.ndjson import documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.api import Lake
    from logshed.search.scope import Scope

SECONDS = 2.0
"""Between two looks."""
MOST_READERS = 2_000
MOST_KINDS = 100
"""Different searches that are followed at once."""
AGAIN_SECONDS = 30.0
WAITING = 20
"""Messages that may wait for a reader; of a slow one the oldest are let go."""
log = logging.getLogger(__name__)


class Kind(NamedTuple):
    """What a reader looks for; those of the same kind are sent the same.

    Attributes:
        scopes: What they may see.
        scope: Which records.
        fields: Their fields.
    """

    scopes: tuple[str, ...]
    scope: Scope
    fields: tuple[str, ...] = ()


class Tails:
    """All who watch what arrives.

    Args:
        lake: The whole lake.

    Attributes:
        ready: Set once what was there before is known: what is committed from then on arrives.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._readers: dict[Kind, set[asyncio.Queue[str]]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._seen: set[str] | None = None
        self.ready = asyncio.Event()

    @contextmanager
    def reader(self, kind: Kind) -> Iterator[asyncio.Queue[str]]:
        """The messages for somebody who watches, as JSON, until the block ends.

        Args:
            kind: What they look for.

        Raises:
            OverloadedError: Too many watch, or too many different searches are followed.
        """
        if sum(map(len, self._readers.values())) >= MOST_READERS or len(self._readers | {kind: set()}) > MOST_KINDS:
            raise OverloadedError("cannot follow: too many do; come again later", after=AGAIN_SECONDS)
        queue: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self._readers.setdefault(kind, set()).add(queue)
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        try:
            yield queue
        finally:
            self._readers[kind].discard(queue)
            if not self._readers[kind]:
                del self._readers[kind]
            if not self._readers and self._looking is not None:
                self._looking.cancel()
                self._looking, self._seen = None, None
                self.ready.clear()

    async def _look(self) -> None:
        while True:
            try:
                await self._once()
            except LogshedError as error:
                log.warning("%s; it is tried again", error)
            await asyncio.sleep(SECONDS)

    async def _once(self) -> None:
        there = await asyncio.to_thread(batches, self._lake.ask)
        if self._seen is None:
            self._seen = there
            self.ready.set()
            return
        fresh = sorted(there - self._seen)
        self._seen |= there
        for kind in list(self._readers) if fresh else ():
            told = await asyncio.to_thread(self._told, kind, fresh)
            if told is not None:
                self._send(kind, told)

    def _told(self, kind: Kind, fresh: list[str]) -> str | None:
        query = self._lake.seen_by(kind.scopes).ask
        found = arrived(query, kind.scope, fresh, kind.fields)
        if not found.total:
            return None
        return f'{{"total":{found.total},"items":[{",".join(documents(found.frame))}]}}'

    def _send(self, kind: Kind, told: str) -> None:
        for queue in self._readers.get(kind, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(told)
