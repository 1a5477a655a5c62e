"""Random requests of several senders, and a receiver with a real spool that takes them; for properties of receiving."""

from __future__ import annotations

import asyncio
import resource
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from hypothesis import strategies as st

from logshed.access import Grant
from logshed.doors.receive_counts import Counts
from logshed.enrichment import sources
from logshed.errors import LogshedError
from logshed.pipeline.planning import Options, job_of
from logshed.pipeline.receive_dead import DeadRecords
from logshed.pipeline.receive_names import ReceiveNames
from logshed.pipeline.receive_safe import Safe
from logshed.pipeline.receiving import Receiving
from logshed.receivers.model import RECEIVED, Came, Decoded, Part
from logshed.redaction.naming import Names
from logshed.redaction.policy_files import load_policy
from logshed.settings import Settings
from logshed.sources.spool import SpoolFile, targets
from logshed.spool import Spool, note_done
from logshed.spool.listing import segments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.pipeline.job import Job

SENDERS, STREAMS = ("ann", "ben", "cai"), ("shop", "till")
POISON = "poison"
"""The stream of requests whose lines a faulty decoder left as text."""
ROOM, LIMIT = 6_000, 24_000
"""Bytes that may wait, a sender a quarter of them, and bytes of the spool."""
PATIENCE_S = 20.0
FAULTS = ("", "", "", "no room in a file", "emptied", "opened anew")


@dataclass(frozen=True)
class Request:
    """What a client sends, perhaps again.

    Attributes:
        sender: Who.
        stream: Of what; there may be several senders of one.
        records: How many.
        named: Whether the request has an id, its records have, or nothing has.
        padding: Bytes of each record, besides.
        number: Tells it from all others; it is its id.
    """

    sender: str
    stream: str
    records: int
    named: str
    padding: int
    number: int = 0

    @property
    def texts(self) -> list[str]:
        """Its records."""
        return [f"{self.sender} {self.number} {one} " + "." * self.padding for one in range(self.records)]

    def came(self) -> Came:
        """It, as a door gives it on."""
        lines = b"".join(orjson.dumps({"body": one}) + b"\n" for one in self.texts)
        ids = tuple(f"{self.number}/{one}" for one in range(self.records)) if self.named == "records" else ()
        given: Any = lines.decode() if self.stream == POISON else lines
        decoded = Decoded((Part(self.stream, given, self.records, RECEIVED),), ids=ids)
        request = str(self.number) if self.named == "request" else ""
        return Came("otlp", decoded, Grant(self.sender, ("*",), frozenset({"write"})), request_id=request)


@dataclass(frozen=True)
class Turn:
    """Requests that are sent at once.

    Attributes:
        fresh: New ones.
        again: Which of the earlier ones are sent again, counted from the last one.
        gone: Which of their clients do not wait for an answer.
        fault: What happens before.
        room: Bytes that the file may grow by, where there is no room in it.
    """

    fresh: list[Request]
    again: list[int]
    gone: set[int]
    fault: str
    room: int


REQUESTS = st.builds(
    Request,
    st.sampled_from(SENDERS),
    st.sampled_from((*STREAMS, *STREAMS, POISON)),
    st.integers(1, 5),
    st.sampled_from(("request", "records", "")),
    st.sampled_from((0, 0, 100, 1_000)),
)
TURNS = st.lists(
    st.builds(
        Turn,
        st.lists(REQUESTS, max_size=6),
        st.lists(st.integers(0, 8), max_size=4),
        st.sets(st.integers(0, 9), max_size=2),
        st.sampled_from(FAULTS),
        st.integers(0, 3_000),
    ),
    min_size=1,
    max_size=8,
)


@dataclass
class Tried:
    """How it went with a request.

    Attributes:
        request: The request.
        taken: When it was first acknowledged; 0 if it never was.
        gone: Whether a client of it did not wait.
    """

    request: Request
    taken: int = 0
    gone: bool = False


@dataclass
class Run:
    """A receiver that is closed and opened again.

    Attributes:
        root: Its spool.
    """

    root: Path
    lake: list[tuple[str, str]] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    ends: dict[str, int] = field(default_factory=dict)
    count: int = 0

    async def through(self, turns: list[Turn]) -> None:
        """Send all."""
        rest = list(turns)
        while rest:
            with Spool(self.root, limit=LIMIT) as spool:
                receiving = self.receiving(spool)
                writing = asyncio.create_task(receiving.run())
                for at, turn in enumerate(rest):
                    if turn.fault == "opened anew" and at:
                        break
                    await self._turn(receiving, turn)
                else:
                    at = len(rest)
                rest = rest[at:]
                receiving.close()
                await asyncio.wait_for(writing, PATIENCE_S)
        self.lake += self.unread()

    def receiving(self, spool: Spool) -> Receiving:
        """A receiver with a spool."""
        safe = Safe(job(), lambda *stream: spool.index.streams.get(stream))
        return Receiving(
            spool, safe, names_of(safe), counts := Counts(), DeadRecords(self.root, safe, counts), room=ROOM
        )

    async def _turn(self, receiving: Receiving, turn: Turn) -> None:
        if turn.fault == "emptied":
            self.lake += self.unread()
            note_done(self.root, self.ends)
            await receiving.trim()
        known = [one for one in self.tried if one.request.named]
        again = [known[-1 - at] for at in turn.again if at < len(known)]
        fresh = [self._numbered(one) for one in turn.fresh]
        self.tried += fresh
        with _no_room(self.root, turn.room) if turn.fault == "no room in a file" else _room():
            tasks = [asyncio.create_task(self._send(receiving, one)) for one in (*fresh, *again)]
            await asyncio.sleep(0)
            for at in turn.gone:
                if at < len(tasks):
                    tasks[at].cancel()
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.gather(*tasks)

    def _numbered(self, request: Request) -> Tried:
        self.count += 1
        return Tried(Request(**{**vars(request), "number": self.count}))

    async def _send(self, receiving: Receiving, tried: Tried) -> None:
        self.count += 1
        number = self.count
        try:
            await receiving.take(tried.request.came())
        except asyncio.CancelledError:
            tried.gone = True
        except LogshedError:
            pass
        except TypeError:
            assert tried.request.stream == POISON
        else:
            assert tried.request.stream != POISON
            tried.taken = tried.taken or number

    def unread(self) -> list[tuple[str, str]]:
        """The records that are in the spool and were not read before."""
        found: list[tuple[str, str]] = []
        for target in targets(f"spool:{self.root}"):
            file = SpoolFile(target.locator)
            begin = max(target.start, self.ends.get(target.generation, 0))
            file.seek(begin)
            lines = file.read(target.size - begin).splitlines()
            found += [(target.source, str(orjson.loads(line)["body"])) for line in lines]
            self.ends[target.generation] = target.size
        return found


@contextmanager
def _no_room(root: Path, more: int) -> Iterator[None]:
    """Let files grow no longer than the newest segment and some bytes."""
    found = segments(root)
    size = found[-1].stat().st_size if found else 0
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def _room() -> Iterator[None]:
    yield


@cache
def job() -> Job:
    """By which records are made safe."""
    found = Settings.load(Path(__file__).parent, environ={})
    return job_of(found, Options(), load_policy("default", ()), sources.opened(found.enrichment))


def names_of(safe: Safe) -> ReceiveNames:
    """Names as they may be called."""
    names = Names(job().policy, lambda: b"")
    return ReceiveNames(names, safe.formats.checked, collection="web", known=lambda *_: True, streams=9)
