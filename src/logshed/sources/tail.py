"""Follows the files of a machine as they grow and rotate: every line once, as one stream or sorted by collection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from logshed.errors import GoneError, SourceError, UnreachableError
from logshed.sources.contents import content, is_packed
from logshed.sources.feeds import Stream
from logshed.sources.generations import MARK_BYTES, WAITED, Generations, Part
from logshed.sources.hosts import shown
from logshed.sources.rotation import family
from logshed.sources.sorting import Sorting
from logshed.sources.taking import Taking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tenacity import RetryCallState

    from logshed.sources.feeds import Sink
    from logshed.sources.machines import Entry, Glob, Machine

POLL_S, LONGEST_POLL_S, SLOWER = 1.0, 5.0, 1.5
"""How often a machine is asked for its files: where nothing comes, less and less often."""
READ_AT_ONCE = 4
"""Files of one machine that are read at once."""
ATTEMPTS = 5
"""How often a collection that does not follow takes up a cut connection."""
LONGEST_WAIT_S = 30.0
LINE_BYTES = 2**24
"""Bytes without a line feed that are taken for a line."""
TURNS = 3
"""Looks in a row that find a file moved while it is read: a collection that does not follow makes no more of them."""


class Tail:
    """The feed of one machine's files.

    Args:
        machine: The machine.
        globs: Which files.
        key: Key of the hashes in cursors.
        sorting: Which lines are kept, and to which collections they belong; all, and to the run's, unless given.
        follow: Whether to go on with what comes.
        collection: Collection of the records; empty takes the run's.
        format: Format choice of the lines; empty has it found out.
    """

    def __init__(
        self,
        machine: Machine,
        globs: Sequence[Glob],
        key: bytes,
        *,
        sorting: Sorting | None = None,
        follow: bool = False,
        collection: str = "",
        format: str = "",  # noqa: A002 - the stream's word
    ) -> None:
        self.name = f"tail:{machine.name}"
        self._machine = machine
        self._globs = list(globs)
        self._key = key[:64]
        self._sorting = sorting or Sorting()
        self._follow = follow
        self._collection = collection
        self._format = format
        self._logs: dict[str, Taking] = {}
        self._reading = asyncio.Semaphore(READ_AT_ONCE)
        self._told: dict[str, str] = {}
        self._worked = False
        self._came = False

    async def run(self, sink: Sink) -> None:
        """Bring what the files hold, and where it follows, what comes.

        Raises:
            SourceError: Nothing of it can be collected.
        """
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, stop_never  # noqa: PLC0415 - heavy
        from tenacity.wait import wait_random_exponential  # noqa: PLC0415 - as above

        attempts = AsyncRetrying(
            retry=retry_if_exception(self._may_pass),
            stop=stop_never if self._follow else stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=1, max=LONGEST_WAIT_S),
            before_sleep=lambda state: self._waits(state, sink),
            reraise=True,
        )
        self._machine.noted(sink.note)
        try:
            async for attempt in attempts:
                with attempt:
                    await self._session(sink, attempt.retry_state)
        finally:
            await self._machine.close()

    def _may_pass(self, error: BaseException) -> bool:
        """Whether to try again: a machine that is followed may still come, and what worked once may work again."""
        return isinstance(error, UnreachableError) and (self._follow or self._worked)

    def _waits(self, state: RetryCallState, sink: Sink) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        self._tell(sink, self._machine.name, "waiting", str(error))

    async def _session(self, sink: Sink, state: RetryCallState) -> None:
        """Look and read, again and again, until something breaks."""
        # What was handed over before a break came to rest or comes: accounts go on where they are.
        turns, pause = 0, POLL_S
        while True:
            self._came = False
            moved = await self._round(sink)
            self._worked, state.attempt_number = True, 1
            self._tell(sink, self._machine.name, "following")
            turns = turns + 1 if moved else 0
            if not self._follow and not 0 < turns < TURNS:
                break
            pause = POLL_S if self._came or moved else min(pause * SLOWER, LONGEST_POLL_S)
            await asyncio.sleep(pause)
        for what in (self._machine.name, *self._logs):
            if not self._told.get(what, "").startswith("failed"):
                self._tell(sink, what, "ended", _dropped(self._logs[what]) if what in self._logs else "")

    async def _round(self, sink: Sink) -> bool:
        """Look at all files once and take what is new; whether any was found anew while it was read."""
        listed: dict[str, Entry] = {}
        missing = []
        for glob in self._globs:
            try:
                listed |= await self._listed(glob, sink)
            except UnreachableError:
                raise
            except SourceError as error:
                missing.append(error)
                self._tell(sink, glob.text, "waiting" if self._follow else "failed", str(error))
            else:
                self._told.pop(glob.text, None)
        if len(missing) == len(self._globs) and not self._follow and not self._logs:
            raise missing[0]
        self._take_up(listed, sink)
        found = list(listed.values())
        # Each is let come to its end, also where one breaks: what it has handed over must not be cut off.
        results = await asyncio.gather(*(self._log(path, found, sink) for path in self._logs), return_exceptions=True)
        for one in results:
            if isinstance(one, BaseException):
                raise one
        return any(results)

    async def _listed(self, glob: Glob, sink: Sink) -> dict[str, Entry]:
        """What lies where a glob looks, by path.

        Raises:
            SourceError: Nothing that it stands for.
        """
        found = {one.path: one for one in await self._machine.listed(glob)}
        odd = {path: why for path, why in self._machine.left_out().items() if glob.matches(path)}
        for path, why in odd.items():
            self._tell(sink, shown(path.encode("utf-8", "replace")), "failed", why)
        if not any(glob.matches(path) for path in (*found, *self._logs)):
            if odd:
                raise SourceError(next(iter(odd.values())))
            raise SourceError(
                f"cannot find {glob.text} on {self._machine.name}: no file matches; check the path and who may read it"
            )
        return found

    def _take_up(self, listed: Mapping[str, Entry], sink: Sink) -> None:
        """Begin with files that are new, but for those that are others under the names that rotation gives."""
        for path, entry in listed.items():
            if self._is_named(entry) and not is_packed(entry) and path not in self._logs:
                folder, _, name = path.rpartition("/")
                if (base := f"{folder}/{family(name)}") != path and (base in listed or base in self._logs):
                    continue
                resource = {"log.file.path": path, "host.name": self._machine.address}
                stream = Stream(
                    f"{self._machine.scheme}{path}",
                    self._collection,
                    tuple(sorted((name, value) for name, value in resource.items() if value)),
                    self._format,
                    target=self._target(path),
                )
                self._logs[path] = Taking(stream, path, self._key, sink, self._sorting)

    async def _log(self, path: str, listed: Sequence[Entry], sink: Sink) -> bool:
        """Take what is new in one log; whether it has to be looked at again."""
        log = self._logs[path]
        async with self._reading:
            try:
                own = log.files.own(listed)
                await log.files.look(self._machine, own, self._is_other(log), self._is_named)
                moved = not await self._parts(log, sink)
            except UnreachableError:
                raise
            except SourceError as error:
                self._tell(sink, path, "failed", str(error))
                return False
        if log.is_behind:
            await sink.put([log.position()])
        if log.files.lost:
            log.files.lost.clear()
            sink.tell(self._target(path), "following", "a part of it went before it was read to its end")
        else:
            self._tell(sink, path, "following", _dropped(log))
        return log.files.waits or moved

    async def _parts(self, log: Taking, sink: Sink) -> bool:
        """Take what is new in the files of a log, in their order; whether that was all of them, to their ends."""
        whole = True
        for part in log.files.due():
            read = await self._part(log, part, sink)
            part.broken = 0 if read else part.broken + 1
            whole = whole and read
            if 0 < part.broken <= WAITED:
                break  # what follows it would come before its rest
        return whole

    async def _part(self, log: Taking, part: Part, sink: Sink) -> bool:
        """Take what is new in one file; False where it is not the file that was looked at."""
        entry = part.entry
        if entry is None:
            return False
        mark = max(part.tail_size, 0 if part.offset else part.head_size)
        before, pending, known = b"", b"", False
        try:
            async for block in content(self._machine, entry, part.offset - part.tail_size):
                pending += block
                if not known:
                    if len(pending) < mark:
                        continue
                    if not self._is_same(log.files, part, pending[:mark]):
                        log.files.replaced(part)
                        return False
                    if not part.offset and not await self._machine.is_there(entry):
                        return False
                    known, before, pending = True, pending[: part.tail_size], pending[part.tail_size :]
                before, pending = await self._take(log, part, before, pending, sink)
            if is_packed(entry) and known and pending:
                await self._take(log, part, before, pending + b"\n", sink)
        except GoneError:
            return False
        if known or not mark:
            part.size_read = entry.size
        return known or not mark

    @staticmethod
    def _is_same(files: Generations, part: Part, found: bytes) -> bool:
        """Whether what lies before the place that was reached, or at the head of what was not read, is as it was."""
        if part.offset:
            return files.mark(found) == part.tail
        return not part.head_size or files.mark(found) == part.head

    async def _take(self, log: Taking, part: Part, before: bytes, pending: bytes, sink: Sink) -> tuple[bytes, bytes]:
        """Hand over the whole lines of some bytes: what lies before the next ones, and the rest."""
        end = pending.rfind(b"\n") + 1
        if not end and len(pending) >= LINE_BYTES:
            end = len(pending)
        if not end:
            return before, pending
        taken, self._came = pending[:end], True
        await sink.put(log.arrivals(part, before, taken))
        return (before + taken[-MARK_BYTES:])[-MARK_BYTES:], pending[end:]

    def _is_other(self, log: Taking) -> Callable[[Entry], bool]:
        """What tells whether a file is one of another log."""
        inodes = {part.inode for one in self._logs.values() if one is not log for part in one.files.parts if part.entry}
        paths = {path for path, one in self._logs.items() if one is not log}
        return lambda entry: entry.path in paths or entry.inode in inodes

    def _is_named(self, entry: Entry) -> bool:
        return any(glob.matches(entry.path) for glob in self._globs)

    def _target(self, path: str) -> str:
        return f"{self._machine.name}:{path}"

    def _tell(self, sink: Sink, what: str, state: str, text: str = "") -> None:
        """Say how something stands, when that is not what was said before."""
        if self._told.get(what) != f"{state} {text}":
            self._told[what] = f"{state} {text}"
            sink.tell(self._target(what) if what.startswith("/") else what, state, text)


def _dropped(log: Taking) -> str:
    """How many lines were left out of a log, and why."""
    return ", ".join(f"{count:,} lines dropped: {why}" for why, count in sorted(log.dropped.items()))
