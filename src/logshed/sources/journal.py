"""Follows systemd's journal of a machine: every entry once, from the journal's own cursor on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson

from logshed.errors import SourceError, UnreachableError
from logshed.sources import commands
from logshed.sources.feeds import Arrival, Stream
from logshed.sources.hosts import Limits, Noting, limited, running, trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tenacity import RetryCallState

    from logshed.sources.feeds import Cursor, Sink
    from logshed.sources.hosts import Host, Running

READ_BYTES = 2**18
ENTRY_BYTES = 2**24
"""Bytes of an entry; larger ones, such as stored core dumps, are left out."""
ATTEMPTS = 5
"""How often a collection that does not follow takes up a cut connection."""
LONGEST_WAIT_S = 30.0
COMPLAINT_BYTES = 2**16


class Journal:
    """The feed of one machine's journal.

    Args:
        host: Runs the command.
        units: Only entries of these units; all unless given.
        since: Of a journal that is new to the spool only entries from this second since 1970 on.
        directory: Folder of journal files; empty takes the machine's own.
        follow: Whether to go on with what comes.
        collection: Collection of the records; empty takes the run's.
        limits: How long things may take.
    """

    def __init__(
        self,
        host: Host,
        *,
        units: Sequence[str] = (),
        since: int | None = None,
        directory: str = "",
        follow: bool = False,
        collection: str = "",
        limits: Limits | None = None,
    ) -> None:
        """Check the values.

        Raises:
            UsageError: One of them is none.
        """
        self.name = f"journal:{host.name}"
        self._host = host
        self._units = tuple(sorted(set(units)))
        self._since = since
        self._directory = directory
        self._follow = follow
        self._limits = limits or Limits()
        self._after = ""
        self._worked = False
        self._left_out = 0
        self._argv()
        of = f"/{','.join(self._units)}" if self._units else ""
        self._stream = Stream(
            f"{self.name}{directory}{of}", collection, (("host.name", host.address),), target=f"{host.name}{of}"
        )

    async def run(self, sink: Sink) -> None:
        """Bring the entries, and where it follows, what comes.

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
        self._after = str(sink.cursor(self._stream).get("after", ""))
        plain, self._host = self._host, Noting(self._host, sink.note, lambda argv: argv[:1])
        try:
            async for attempt in attempts:
                with attempt:
                    await self._session(sink, attempt.retry_state)
        finally:
            await self._host.close()
            self._host = plain

    def _may_pass(self, error: BaseException) -> bool:
        """Whether to try again: a machine that is followed may still come, and what worked once may work again."""
        if isinstance(error, UnreachableError):
            return self._follow or self._worked
        return isinstance(error, SourceError) and self._follow and self._worked

    def _waits(self, state: RetryCallState, sink: Sink) -> None:
        error = state.outcome.exception() if state.outcome is not None else None
        sink.tell(self._stream.target, "waiting", str(error))

    def _argv(self) -> commands.Argv:
        return commands.journal(
            directory=self._directory,
            units=self._units,
            since=None if self._after else self._since,
            cursor=self._after,
            follow=self._follow,
        )

    async def _session(self, sink: Sink, state: RetryCallState) -> None:
        """Read until the journal ends or something breaks."""
        what = f"read the journal of {self._host.name}"
        async with running(self._host, self._argv()) as one:
            sink.tell(self._stream.target, "following", self._told())
            complaints = asyncio.ensure_future(limited(one.stderr, COMPLAINT_BYTES, what))
            try:
                await self._entries(one, sink, state)
                words, status = await complaints, await one.ended()
            finally:
                complaints.cancel()
        if status:
            raise trouble(what, status, words)
        if self._follow:
            raise UnreachableError(f"cannot {what}: journalctl has ended; see whether systemd-journald runs there")
        sink.tell(self._stream.target, "ended", self._told())

    async def _entries(self, one: Running, sink: Sink, state: RetryCallState) -> None:
        pending, skips = b"", False
        while block := await one.stdout.read(READ_BYTES):
            self._worked, state.attempt_number = True, 1
            whole, feed, pending = (pending + block).rpartition(b"\n")
            lines = whole.split(b"\n") if feed else []
            if skips and lines:
                del lines[0]
                skips = False
            if len(pending) > ENTRY_BYTES:
                pending, skips = b"", True
                self._left_out += 1
                sink.tell(self._stream.target, "following", self._told())
            if lines:
                await sink.put([Arrival(self._stream, lines, _behind(lines))])
                self._after = str(_behind(lines)(len(lines))["after"])

    def _told(self) -> str:
        return f"{self._left_out:,} entries left out: larger than {ENTRY_BYTES:,} bytes" if self._left_out else ""


def _behind(lines: Sequence[bytes]) -> Any:
    """What gives the cursor behind so many entries: the journal's own, of the last of them."""

    def cursor(count: int) -> Cursor:
        return {"after": orjson.loads(lines[count - 1])["__CURSOR"]}

    return cursor
