"""Follows what arrives in the lake for all who watch; those who look for the same cost one look."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from logshed.errors import LogshedError, OverloadedError
from logshed.pipeline.explore_mark import Mark
from logshed.pipeline.explore_tail import arrived, batches
from logshed.pipeline.ndjson import documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logshed.api import Lake
    from logshed.pipeline.explore import Query
    from logshed.search.scope import Scope

SECONDS = 2.0
"""Between two looks."""
MOST_READERS = 2_000
MOST_KINDS = 100
"""Different searches that are followed at once."""
MOST_OF_ONE = 25
"""Of these by one person, so that nobody takes them all."""
AGAIN_SECONDS = 30.0
WAITING = 20
"""Messages that may wait for a reader; a slower one is sent away, and goes on where it was when it comes again."""
log = logging.getLogger(__name__)


class Followed(Protocol):
    """What a reader looks for; those who look for the same are sent the same."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """What they may see."""
        ...

    def told(self, query: Query, fresh: Sequence[str]) -> str | None:
        """Of some batches what they look for, as JSON; None where there is nothing.

        Args:
            query: Runs a statement over what they may see.
            fresh: The batches.
        """
        ...


class Kind(NamedTuple):
    """Records that somebody looks for.

    Attributes:
        scopes: What they may see.
        scope: Which records.
        fields: Their fields.
    """

    scopes: tuple[str, ...]
    scope: Scope
    fields: tuple[str, ...] = ()

    def told(self, query: Query, fresh: Sequence[str]) -> str | None:
        """Of some batches how many records match, and the newest of them; None where none does."""
        found = arrived(query, self.scope, fresh, self.fields)
        if not found.total:
            return None
        return f'{{"total":{found.total},"items":[{",".join(documents(found.frame))}]}}'


class Message(NamedTuple):
    """What arrived, for readers of a kind.

    Attributes:
        text: The records as JSON: ``total`` and the newest ``items``.
        mark: How far who has it has seen.
    """

    text: str
    mark: Mark


class Reader:
    """One who watches.

    Args:
        who: Their name.

    Attributes:
        who: Their name.
        messages: What waits for them.
        begun: Set once what was there when they came is known; what arrives from then on is sent.
        there: The batches that were there.
        over: Set when they are to come again, since they are too slow.
    """

    def __init__(self, who: str = "") -> None:
        self.who = who
        self.messages: asyncio.Queue[Message] = asyncio.Queue(WAITING)
        self.begun = asyncio.Event()
        self.there: frozenset[str] = frozenset()
        self.over = asyncio.Event()

    def begin(self, there: frozenset[str]) -> None:
        """Begin with what is there."""
        self.there = there
        self.begun.set()

    def send(self, message: Message) -> None:
        """Let something wait for them."""
        if self.messages.full():
            self.over.set()
        if not self.over.is_set():
            self.messages.put_nowait(message)


class Tails:
    """All who watch what arrives.

    Args:
        lake: The whole lake.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._readers: dict[Followed, set[Reader]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._seen: frozenset[str] | None = None

    @contextmanager
    def reader(self, kind: Followed, who: str = "") -> Iterator[Reader]:
        """Somebody who watches, until the block ends.

        Args:
            kind: What they look for.
            who: Their name.

        Raises:
            OverloadedError: Too many watch, or too many different searches are followed, by all or by them.
        """
        own = {one for one, readers in self._readers.items() if any(reader.who == who for reader in readers)}
        if len(own | {kind}) > MOST_OF_ONE:
            told = f"cannot follow: {MOST_OF_ONE} searches of yours are followed; end one"
            raise OverloadedError(told, after=AGAIN_SECONDS)
        if sum(map(len, self._readers.values())) >= MOST_READERS or len(self._readers | {kind: set()}) > MOST_KINDS:
            raise OverloadedError("cannot follow: too many do; come again later", after=AGAIN_SECONDS)
        made = Reader(who)
        self._readers.setdefault(kind, set()).add(made)
        if self._seen is not None:
            made.begin(self._seen)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield made
        finally:
            self._readers[kind].discard(made)
            if not self._readers[kind]:
                del self._readers[kind]
            if not self._readers and self._looking is not None:
                self._looking.cancel()
                self._looking, self._seen = None, None

    async def missed(self, kind: Followed, reader: Reader, mark: Mark) -> Message | None:
        """What arrived for a reader between a mark and when they came again; None where nothing did.

        Raises:
            LogshedError: The lake cannot be read.
        """
        fresh = mark.unknown(reader.there)
        told = await asyncio.to_thread(self._told, kind, fresh) if fresh else None
        return None if told is None else Message(told, Mark.of(reader.there))

    async def _look(self) -> None:
        while True:
            try:
                await self._once()
            except LogshedError as error:
                log.warning("%s; it is tried again", error)
            await asyncio.sleep(SECONDS)

    async def _once(self) -> None:
        """Look once; who is told and what counts as seen change together, so that nobody misses or gets it twice."""
        now = datetime.now(UTC)
        there = frozenset(await asyncio.to_thread(batches, self._lake.ask))
        if self._seen is None:
            self._see(there)
            return
        told: dict[Followed, str | None] = {}
        if fresh := sorted(there - self._seen):
            while (kind := next((one for one in self._readers if one not in told), None)) is not None:
                told[kind] = await self._asked(kind, fresh)
        mark = Mark.of(there, now)
        self._see(there)
        for one, text in told.items():
            for reader in self._readers.get(one, ()):
                if text is not None:
                    reader.send(Message(text, mark))

    def _see(self, there: frozenset[str]) -> None:
        self._seen = there
        for reader in (one for readers in self._readers.values() for one in readers if not one.begun.is_set()):
            reader.begin(there)

    async def _asked(self, kind: Followed, fresh: list[str]) -> str | None:
        """What one kind of readers is told; what cannot be answered sends those who asked it away, and nobody else."""
        try:
            return await asyncio.to_thread(self._told, kind, fresh)
        except LogshedError as error:
            log.warning("%s; who follows it is sent away", error)
            for reader in self._readers.get(kind, ()):
                reader.over.set()
            return None

    def _told(self, kind: Followed, fresh: list[str]) -> str | None:
        return kind.told(self._lake.seen_by(kind.scopes).ask, fresh)
