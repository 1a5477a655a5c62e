"""Files of a host over SSH, where only a shell is allowed: ``find`` and ``stat`` list them, ``tail`` reads them."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, TypeVar

from logshed.errors import GoneError, UnreachableError
from logshed.sources import commands
from logshed.sources.hosts import ANSWER_BYTES, Limits, Noting, limited, running, shown, trouble
from logshed.sources.machines import BLOCK_BYTES, Entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping

    from logshed.sources.hosts import Host, Note
    from logshed.sources.machines import Glob

_T = TypeVar("_T")

_LINE = re.compile(rb"([0-9]+:[0-9]+) ([0-9]+) ([0-9]+) (/[^\n]*)")
_GONE = re.compile(rb"no such file|cannot stat", re.IGNORECASE)
_FIND = re.compile(rb"^find: ", re.MULTILINE)
"""How each complaint of ``find`` begins; that of a shell that does not run it begins otherwise."""
COMPLAINT_BYTES = 2**16
MOST_LEFT_OUT = 100
"""Files of odd names that are told of."""


class RemoteFiles:
    """The files of a host.

    Args:
        host: Runs the commands.
        limits: How long things may take.

    Attributes:
        works: Whether the host has been seen to run commands.
    """

    def __init__(self, host: Host, limits: Limits | None = None) -> None:
        self.works = False
        self.name = host.name
        self.scheme = f"ssh:{host.name}"
        self.address = host.address
        self._host: Host = host
        self._limits = limits or Limits()
        self._left_out: dict[str, str] = {}

    async def listed(self, glob: Glob) -> list[Entry]:
        """The regular files in the folders that a glob looks into; what the user may not see is not among them.

        Raises:
            SourceError: There is no such folder, or it cannot be read.
        """
        argv = commands.find_files(glob.folder, glob.least, glob.most)
        status, out, words = await self._asked(argv)
        found = list(_entries(out))
        self.works = self.works or not status or bool(found or _FIND.search(words))
        if status and not found:
            raise trouble(f"look into {glob.folder} on {self.name}", status, words or out)
        odd = [one.path for one in found if not commands.is_path(one.path)]
        for path in [path for path in odd if glob.matches(path)][:MOST_LEFT_OUT]:
            self._left_out[path] = (
                f"cannot read {shown(path.encode())} over a shell: it has blanks, quotes or letters beyond ASCII; "
                'set files = "sftp" where the host offers SFTP'
            )
        return [one for one in found if commands.is_path(one.path)]

    async def blocks(self, entry: Entry, start: int) -> AsyncIterator[bytes]:
        """A file's bytes from an offset to its end.

        Raises:
            GoneError: It is gone.
            SourceError: It cannot be read.
        """
        what = f"read {entry.path} on {self.name}"
        async with running(self._host, commands.tail_file(entry.path, start)) as one:
            complaints = asyncio.ensure_future(limited(one.stderr, COMPLAINT_BYTES, what))
            try:
                while data := await self._soon(one.stdout.read(BLOCK_BYTES), what):
                    yield data
                words = await complaints
                status = await self._soon(one.ended(), what)
            finally:
                complaints.cancel()
        if status:
            if _GONE.search(words):
                raise GoneError(f"cannot {what}: it is gone; check the path")
            raise trouble(what, status, words)

    async def is_there(self, entry: Entry) -> bool:
        """Whether the file lies there still, under this path."""
        _, out, _ = await self._asked(commands.stat_file(entry.path))
        return any(one.inode == entry.inode for one in _entries(out))

    def left_out(self) -> Mapping[str, str]:
        """Files that are not read because of their names, and why."""
        return self._left_out

    def noted(self, note: Note) -> None:
        """Have each command noted, once for each file."""
        self._host = Noting(self._host, note, commands.wherever)

    async def close(self) -> None:
        """Close the connections."""
        await self._host.close()

    async def _asked(self, argv: commands.Argv) -> tuple[int, bytes, bytes]:
        """What a command with a short answer says: status, output, complaints."""
        what = f"{argv[0]} on {self.name}"
        try:
            async with asyncio.timeout(self._limits.command), running(self._host, argv) as one:
                out, words = await asyncio.gather(
                    limited(one.stdout, ANSWER_BYTES, what), limited(one.stderr, ANSWER_BYTES, what)
                )
                return await one.ended(), out, words
        except TimeoutError:
            raise UnreachableError(
                f"cannot run {what}: no answer in {self._limits.command:g} s; look at its load"
            ) from None

    async def _soon(self, doing: Awaitable[_T], what: str) -> _T:
        try:
            return await asyncio.wait_for(doing, self._limits.silence)
        except TimeoutError:
            raise UnreachableError(
                f"cannot {what}: it is silent for {self._limits.silence:g} s; look at the network and the host"
            ) from None


def _entries(out: bytes) -> Iterator[Entry]:
    """Files as they are listed."""
    for line in out.splitlines():
        if one := _LINE.fullmatch(line):
            yield Entry(one[4].decode("utf-8", "replace"), one[1].decode(), int(one[2]), int(one[3]))
