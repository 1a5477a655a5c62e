"""Takes what clients send: what many send at a time is made safe together and put on disk by one wait for it.

An answer is a promise: ``take`` returns once the disk has the records, redacted, each of them once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from polars.exceptions import PanicException

from logshed import self_traces
from logshed.access.rates import Rates
from logshed.errors import LogshedError, OverloadedError, SpoolError
from logshed.pipeline.receive_ids import NO_IDS, hashed, without
from logshed.pipeline.receive_queue import FairQueue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from logshed.doors.receive_counts import Counts
    from logshed.pipeline.receive_dead import DeadRecords
    from logshed.pipeline.receive_names import ReceiveNames
    from logshed.pipeline.receive_safe import Safe
    from logshed.receivers.model import Came, Part
    from logshed.spool import Spool

log = logging.getLogger(__name__)

BATCH_BYTES = 2**24
"""Bytes that are made safe and written in one turn. A turn has its price, about 60 ms of a processor, however little it
writes; so the more the better, and a turn of so many takes about half a second."""
GATHER_S = 0.02
"""How long a turn waits for more requests after one that had several: those that were answered send again at once."""
AGAIN_S = 1.0
"""After how long a client may come again for whom there was no room."""


@dataclass(slots=True)
class _Waiting:
    """A request that waits to be written.

    Attributes:
        came: The request.
        parts: Its records, with the collections that they go to.
        size: Bytes of them.
        request: Hash of its id, or none.
        ids: Hashes of the ids of its records, or none.
        done: What its sender waits for.
        place: Where a trace goes on from.
    """

    came: Came
    parts: tuple[Part, ...]
    size: int
    request: NDArray[np.uint64]
    ids: NDArray[np.uint64]
    done: asyncio.Future[None]
    place: self_traces.Place | None = None


class Receiving:
    """Takes requests.

    Args:
        spool: Where records rest; this process writes it.
        safe: Makes lines such that they may rest.
        names: Collections and sources as they may be called.
        counts: What is counted.
        dead: Keeps what could not be decoded.
        room: Bytes that may wait to be written.
    """

    def __init__(
        self,
        spool: Spool,
        safe: Safe,
        names: ReceiveNames,
        counts: Counts,
        dead: DeadRecords,
        *,
        room: int,
    ) -> None:
        self._spool = spool
        self._safe = safe
        self._names = names
        self._counts = counts
        self._dead = dead
        self._queue: FairQueue[_Waiting] = FairQueue(room)
        self._rates = Rates()
        self._writes: deque[self_traces.Place] = deque(maxlen=self_traces.MOST_LINKS)
        self._some = asyncio.Event()
        self._closing = False
        self._writer = ThreadPoolExecutor(1, "spool")  # a spool is written by one thread at a time

    @property
    def waiting(self) -> int:
        """Bytes that wait to be written."""
        return self._queue.size

    async def take(self, came: Came) -> None:
        """Put the records of a request on disk.

        Raises:
            BadRequestError: Its sender may not bring them into their collections, or names something that is off.
            OverloadedError: There is no room for more of this sender, or of anybody, or its token's rate is reached.
            SpoolFullError: The spool, or the disk, is full.
            SpoolError: The spool cannot be written.
        """
        parts = tuple(self._names.placed(came, part) for part in came.decoded.parts)
        size = sum(len(part.lines) for part in parts) + sum(len(one.data) for one in came.decoded.refused)
        if not size:
            return
        sender = came.grant.token or came.peer
        if self._closing or not self._queue.has_room(sender, size):
            self._counts.throttled(came.grant.token)
            raise OverloadedError("cannot take more records: too many wait; send them again later", after=AGAIN_S)
        if after := self._rates.wait(came.grant, size):
            self._counts.throttled(came.grant.token)
            raise OverloadedError("cannot take more records: the token's rate is reached; wait", after=after)
        request = hashed(sender, [came.request_id]) if came.request_id else NO_IDS
        ids = hashed(sender, came.decoded.ids) if came.decoded.ids else NO_IDS
        done = asyncio.get_running_loop().create_future()
        records = sum(part.records for part in parts)
        with self_traces.span("take", protocol=came.protocol, records=records, bytes=size) as span:
            self._queue.put(sender, _Waiting(came, parts, size, request, ids, done, span.place), size)
            self._some.set()
            await done

    async def run(self) -> None:
        """Write what comes, until it is closed and nothing waits."""
        while not (self._closing and not len(self._queue)):
            await self._some.wait()
            self._some.clear()
            while batch := self._queue.take(BATCH_BYTES):
                await self._written(batch)
                if len(batch) > 1 and self._queue.size < BATCH_BYTES and not self._closing:
                    await asyncio.sleep(GATHER_S)

    def close(self) -> None:
        """Take nothing more, and let ``run`` end once what waits is written."""
        self._closing = True
        self._some.set()

    def written(self) -> list[self_traces.Place]:
        """The traced writes since this was asked last, for the run that takes them into the lake."""
        found = []
        while self._writes:
            found.append(self._writes.popleft())
        return found

    async def bury(self, protocol: str, reason: str, peer: str, collection: str, data: bytes) -> None:
        """Keep a whole body that could not be decoded.

        Raises:
            SpoolError: It cannot be written.
        """
        await asyncio.get_running_loop().run_in_executor(
            self._writer, self._dead.body, protocol, reason, peer, collection, data
        )

    async def trim(self) -> None:
        """Make room of what is in the lake by now."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._spool.trim)

    async def _written(self, batch: Sequence[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        begun = time.monotonic()
        try:
            await loop.run_in_executor(self._writer, self._write, batch)
        except LogshedError as error:
            _fail(batch, error)
        except (Exception, PanicException) as error:  # what one request breaks must not break those of others
            if len(batch) > 1:
                for one in batch:
                    await self._written([one])
                return
            log.exception("cannot write the records of a request")
            _fail(batch, SpoolError(f"cannot write the records of a request: {type(error).__name__}; send them again"))
        else:
            self._counts.written(time.monotonic() - begun)
            for one in batch:
                if not one.done.done():
                    one.done.set_result(None)

    def _write(self, batch: Sequence[_Waiting]) -> None:
        """Put what is new of some requests on disk."""
        links = [one.place for one in batch if one.place is not None]
        with self_traces.span("write", links=links, requests=len(batch), bytes=sum(one.size for one in batch)) as write:
            new, ids = self._new(batch)
            with self_traces.span("redact"):
                arrived = [self._names.arrived(one.came.protocol, part) for one in new for part in one.parts]
                pieces = self._safe.pieces(arrived)
            for one in new:  # before their ids are known, or they would not be kept when they come again
                if one.came.decoded.refused:
                    self._dead.keep(one.came)
            with self_traces.span("spool append"):
                self._spool.append(pieces, ids)
            self._safe.kept()
            if write.place is not None:
                self._writes.append(write.place)
        for one in new:
            for part in one.parts:
                self._counts.accepted(one.came.protocol, part.collection, part.records, len(part.lines))

    def _new(self, batch: Sequence[_Waiting]) -> tuple[list[_Waiting], NDArray[np.uint64]]:
        """Requests without the records that are here already, and the ids of what is new."""
        every = np.concatenate([part for one in batch for part in (one.request, one.ids)])
        if not len(every):
            return list(batch), every
        known = self._spool.seen(every)
        _, first = np.unique(every, return_index=True)
        again = np.ones(len(every), bool)
        again[first] = False
        again |= known
        again &= every != 0  # a record without an id among others that have one
        found, at = [], 0
        for one in batch:
            end = at + len(one.request) + len(one.ids)
            whole = bool(len(one.request) and again[at])
            mask = again[at + len(one.request) : end]
            at = end
            if whole or mask.any():
                records = sum(part.records for part in one.parts)
                parts = () if whole else without(one.parts, mask)
                kept = sum(part.records for part in parts)
                self._counts.duplicate(one.came.protocol, records - kept)
                if whole:
                    continue
                one = replace(one, parts=parts)  # noqa: PLW2901 - the same request, without what is known of it
            found.append(one)
        return found, every[~again & (every != 0)]


def _fail(batch: Sequence[_Waiting], error: BaseException) -> None:
    for one in batch:
        if not one.done.done():
            one.done.set_exception(error)
