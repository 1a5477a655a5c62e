"""Hosts that run allowed commands: what one is to a feed, whole answers within limits, what went wrong in words."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from logshed.errors import GoneError, LogshedError, SourceError, UnreachableError, UsageError
from logshed.sources import commands

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from logshed.sources.commands import Argv

    Note = Callable[[str, str, str, dict[str, object]], None]
    """Notes what is done: the verb, what it is done to, how it ended, and details without secrets."""

READ_BYTES = 2**18
ANSWER_BYTES = 2**24
"""Bytes of a short answer, such as the list of containers: ten thousand of them have room."""
WORDS_BYTES = 4096
"""Bytes of a program's complaints that are kept."""
SHOWN_LETTERS = 300

TROUBLES: tuple[tuple[str, type[SourceError], str, str], ...] = (
    (
        r"permission denied.*docker|docker\.sock.*permission denied",
        SourceError,
        "the user may not use Docker there",
        "let it, as docs/collect.md shows",
    ),
    (
        r"cannot connect to the docker daemon|error during connect|no such file or directory.*docker\.sock",
        UnreachableError,
        "Docker does not run there",
        "start it, or check the socket",
    ),
    (
        r"unexpected EOF|connection reset|broken pipe|shutting down",
        UnreachableError,
        "Docker went away",
        "see whether it runs",
    ),
    (
        r"docker: (?:command )?not found|docker: No such file|not found: docker|unknown command.*docker",
        SourceError,
        "there is no program docker",
        "install Docker there, or put it on the user's PATH",
    ),
    (
        r"logging driver does not support reading",
        SourceError,
        "its logging driver cannot be read",
        "use json-file, local or journald",
    ),
    (
        r"no such (?:container|object)|can not get logs from container which is dead",
        GoneError,
        "it was removed",
        "`docker ps --all` shows what there is",
    ),
)
"""What programs complain of, what it means, and what to do."""


class Reader(Protocol):
    """One output of a command."""

    async def read(self, n: int = -1, /) -> bytes:
        """At most so many bytes; none where it has ended."""


class Running(Protocol):
    """A command that runs."""

    @property
    def stdout(self) -> Reader:
        """Its standard output."""

    @property
    def stderr(self) -> Reader:
        """Its standard error."""

    async def ended(self) -> int:
        """Its exit status, once both outputs have ended.

        Raises:
            UnreachableError: The connection was cut.
        """

    async def end(self) -> None:
        """End it, unless it has."""


class Host(Protocol):
    """A machine that runs commands."""

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def address(self) -> str:
        """Its name in the records, ``host.name``."""

    async def start(self, argv: Argv) -> Running:
        """Start an allowed command.

        Raises:
            UsageError: It is not allowed; no connection was made.
            UnreachableError: The host does not answer.
            SourceError: It refuses.
        """

    async def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things may take, in seconds."""

    command: float = 60
    silence: float = 60


class Noting:
    """A host of which what it is asked is noted before; what it is asked again, with its number at the end.

    Args:
        host: The host.
        note: Takes the notes.
        alike: Makes commands equal that are noted as one.
    """

    def __init__(self, host: Host, note: Note, alike: Callable[[Argv], Argv] = tuple) -> None:
        self._host = host
        self._note = note
        self._alike = alike
        self._asked: Counter[str] = Counter()
        self._noted: set[Argv] = set()
        self.name = host.name
        self.address = host.address

    async def start(self, argv: Argv) -> Running:
        """Note an allowed command, and start it."""
        asked: dict[str, object] = {"command": list(argv)}
        if (kind := self._alike(argv)) not in self._noted:
            self._note("command", self.name, "ok", asked)
            self._noted.add(kind)
        self._asked[" ".join(argv[:2])] += 1
        try:
            return await self._host.start(argv)
        except LogshedError as error:
            outcome = "refused" if isinstance(error, UsageError) else "failed"
            self._note("command", self.name, outcome, {**asked, "problem": str(error)})
            raise

    async def close(self) -> None:
        """Let go of the host, and note how often each command ran."""
        await self._host.close()
        if self._asked:
            self._note("disconnect", self.name, "ok", {"commands": dict(self._asked)})


@asynccontextmanager
async def running(host: Host, argv: Argv) -> AsyncIterator[Running]:
    """A command that is ended when it is no longer looked at."""
    one = await host.start(commands.check(argv))
    try:
        yield one
    finally:
        await asyncio.shield(one.end())


async def answer(host: Host, argv: Argv, limits: Limits) -> bytes:
    """What a command with a short answer prints.

    Raises:
        SourceError: It failed, took too long or printed too much.
    """
    what = f"{' '.join(argv[:2])} on {host.name}"
    try:
        async with asyncio.timeout(limits.command), running(host, argv) as one:
            out, words = await asyncio.gather(
                limited(one.stdout, ANSWER_BYTES, what), limited(one.stderr, ANSWER_BYTES, what)
            )
            status = await one.ended()
    except TimeoutError:
        raise UnreachableError(
            f"cannot run {what}: no answer in {limits.command:g} s; look at its load, or raise command_seconds"
        ) from None
    if status:
        raise trouble(f"run {what}", status, words)
    return out


async def limited(reader: Reader, most: int, what: str) -> bytes:
    """All of an output.

    Raises:
        SourceError: It is larger than allowed.
    """
    pieces, size = [], 0
    while piece := await reader.read(READ_BYTES):
        size += len(piece)
        if size > most:
            raise SourceError(f"cannot take the answer of {what}: it is larger than {most:,} bytes; ask for less")
        pieces.append(piece)
    return b"".join(pieces)


def trouble(doing: str, status: int, words: bytes) -> SourceError:
    """The error of a command that failed, from what it said."""
    said = shown(words)
    for pattern, kind, cause, advice in TROUBLES:
        if re.search(pattern, said, re.IGNORECASE):
            return kind(f"cannot {doing}: {cause}; {advice}")
    if status == 127:  # noqa: PLR2004 - what shells return for a program that there is not
        return SourceError(f"cannot {doing}: there is no such program; install it there, or put it on the user's PATH")
    return SourceError(
        f"cannot {doing}: it ended with status {status}: {said or 'it said nothing'}; try it there by hand"
    )


def shown(words: bytes) -> str:
    """What a program said as it can be shown: in one line, not long, without what moves a cursor."""
    text = words[:WORDS_BYTES].decode("utf-8", "replace")
    clean = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    return " ".join(clean.split())[:SHOWN_LETTERS]


async def together(*doing: Coroutine[Any, Any, None]) -> None:
    """Run several at once; where one fails, the others are ended and its error is raised."""
    tasks = [asyncio.ensure_future(one) for one in doing]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    errors = [one for one in ended if isinstance(one, BaseException)]
    for error in sorted(errors, key=lambda one: isinstance(one, asyncio.CancelledError)):
        raise error
