"""Files of a host over SFTP, for hosts that run no commands: they are listed, known again by their bytes, and read."""

from __future__ import annotations

import asyncio
import unicodedata
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from logshed.errors import GoneError, SourceError, UnreachableError
from logshed.sources.hosts import ANSWER_BYTES, Limits, shown
from logshed.sources.known_files import MARK_BYTES, Found, KnownFiles
from logshed.sources.rotation import family
from logshed.sources.sftp import Sftp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from logshed.sources.hosts import Note
    from logshed.sources.machines import Entry, Glob
    from logshed.sources.sftp import SftpFile
    from logshed.sources.ssh import SshHost

ENTRY_BYTES = 100
"""What a file takes of an answer besides its name."""
REGULAR, FOLDER = 1, 2
"""Kinds of files, by the numbers of SFTP."""


class SftpFiles:
    """The files of a host.

    Args:
        host: The host.
        limits: How long things may take.
    """

    def __init__(self, host: SshHost, limits: Limits | None = None) -> None:
        self.name = host.name
        self.scheme = f"ssh:{host.name}"
        self.address = host.address
        self._host = host
        self._limits = limits or Limits()
        self._sftp = Sftp(host, self._limits)
        self._known = KnownFiles(self._opened)
        self._families: set[tuple[str, str]] = set()
        self._left_out: dict[str, dict[str, str]] = {}
        self._note: Note | None = None
        self._noted: set[str] = set()
        self._asked: Counter[str] = Counter()

    @property
    def works(self) -> bool:
        """Whether the host has been seen to offer SFTP."""
        return self._sftp.works

    async def listed(self, glob: Glob) -> list[Entry]:
        """The regular files in the folders that a glob looks into: those that it stands for, and their rotated ones.

        Raises:
            SourceError: There is no such folder, or it cannot be read.
        """
        entries = await self._known.entries(glob.text, await self._walked(glob))
        if entries is None:
            entries = await self._known.entries(glob.text, await self._walked(glob), again=True)
        return entries or []

    async def _walked(self, glob: Glob) -> list[Found]:
        walk = _Walk(self._sftp, self._asks)
        try:
            async with asyncio.timeout(self._limits.command):
                await walk.from_root(glob)
        except GoneError as error:
            raise SourceError(str(error)) from None
        except TimeoutError:
            await self._sftp.close()
            raise UnreachableError(
                f"cannot look into {glob.folder} on {self.name}: no answer in {self._limits.command:g} s; "
                "look at its load, or raise command_seconds"
            ) from None
        self._left_out[glob.text] = walk.left_out
        return self._wanted(glob, walk)

    async def blocks(self, entry: Entry, start: int) -> AsyncIterator[bytes]:
        """A file's bytes from an offset to its end.

        Raises:
            GoneError: It is gone, or another one.
            SourceError: It cannot be read.
        """
        async with self._opened(entry.path) as file:
            if not self._known.is_it(entry, await file.read(0, MARK_BYTES)):
                raise GoneError(f"cannot read {entry.path} on {self.name}: another file has taken its place; try again")
            blocks = file.blocks(start)
            try:
                async for block in blocks:
                    yield block
            finally:
                await blocks.aclose()  # type: ignore[attr-defined]

    async def is_there(self, entry: Entry) -> bool:
        """Whether the file lies there still; what was opened is known by its bytes."""
        del entry
        return True

    def left_out(self) -> Mapping[str, str]:
        """Files that are not read because of their names, and why."""
        return {path: why for one in self._left_out.values() for path, why in one.items()}

    def noted(self, note: Note) -> None:
        """Have each folder and file noted, once."""
        self._note = note

    async def close(self) -> None:
        """Close the connections."""
        await self._sftp.close()
        await self._host.close()
        if self._note is not None and self._asked:
            self._note("disconnect", self.name, "ok", {"sftp": dict(self._asked)})
            self._asked.clear()

    @asynccontextmanager
    async def _opened(self, path: str) -> AsyncIterator[SftpFile]:
        self._asks("open", path)
        async with self._sftp.opened(path) as file:
            yield file

    def _asks(self, what: str, path: str) -> None:
        if self._note is not None and path not in self._noted:
            self._note("sftp", self.name, "ok", {"asks": what, "path": path})
            self._noted.add(path)
        self._asked[what] += 1

    def _wanted(self, glob: Glob, walk: _Walk) -> list[Found]:
        """Of the files those that a glob stands for, or once did, and those beside them that rotation may have made."""
        self._families |= {_family(one.path) for one in walk.found if glob.matches(one.path)}
        wanted = [one for one in walk.found if _family(one.path) in self._families]
        direct = {one.path for one in wanted if one.path not in walk.links}
        links = {walk.links[one.path]: one for one in reversed(wanted) if one.path not in direct}
        return [
            one
            for one in wanted
            if one.path in direct or (links[real := walk.links[one.path]] == one and real not in direct)
        ]


class _Walk:
    """What lies below a folder.

    Args:
        sftp: Looks.
        asks: Is told what is looked at, before.

    Attributes:
        found: The regular files.
        left_out: Those of odd names, and why they are not taken.
        links: Of those that are links, where they lead.
    """

    def __init__(self, sftp: Sftp, asks: Any) -> None:
        self.found: list[Found] = []
        self.left_out: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self._sftp = sftp
        self._asks = asks
        self._size = 0

    async def from_root(self, glob: Glob) -> None:
        """Find the regular files in the folders that a glob looks into."""
        links = (await self._sftp.real(glob.folder),) if glob.most > 1 else ()
        await self.below(glob.folder, glob.least, glob.most, links)

    async def below(self, folder: str, least: int, most: int, links: tuple[str, ...]) -> None:
        """Find the regular files so far below it.

        Args:
            folder: The folder.
            least: How many steps below it files lie at least.
            most: At most.
            links: The folders above it, without links.
        """
        self._asks("list", folder)
        named = []
        for name, attributes in sorted(await self._sftp.folder(folder), key=lambda one: one[0]):
            self._size += len(name) + len(folder) + ENTRY_BYTES
            if self._size > ANSWER_BYTES:
                raise SourceError(f"cannot list {folder}: that is more than {ANSWER_BYTES:,} bytes; ask for less")
            path = f"{folder.rstrip('/')}/{name.decode('utf-8', 'replace')}"
            if why := _why_not(name):
                self.left_out[path] = f"cannot read {shown(path.encode())}: {why}; give it another name"
            else:
                named.append((path, attributes))
        for path, attributes in await asyncio.gather(*(self._followed(*one) for one in named)):
            kind = attributes.type if attributes is not None else 0
            if kind == REGULAR and least <= 1:
                self.found.append(Found(path, attributes.size or 0, attributes.mtime or 0))
            elif kind == FOLDER and most > 1:
                await self._into(path, least - 1, most - 1, links)

    async def _followed(self, path: str, attributes: Any) -> tuple[str, Any]:
        """What a path is where a link leads; None where it leads nowhere."""
        if attributes.type in (REGULAR, FOLDER):
            return path, attributes
        try:
            found = await self._sftp.status(path)
            if found.type == REGULAR:
                self.links[path] = await self._sftp.real(path)
        except UnreachableError:
            raise
        except SourceError:
            return path, None
        return path, found

    async def _into(self, path: str, least: int, most: int, links: tuple[str, ...]) -> None:
        """Go into a folder, unless it may not be read, or a link leads back to it."""
        try:
            real = await self._sftp.real(path)
            if real not in links:
                await self.below(path, least, most, (*links, real))
        except UnreachableError:
            raise
        except SourceError:
            return


def _why_not(name: bytes) -> str:
    """What is odd about a name so that it is not taken; empty where nothing is."""
    try:
        text = name.decode()
    except UnicodeDecodeError:
        return "its name is not UTF-8"
    odd = any(unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for letter in text)
    return "letters in its name cannot be seen" if odd else ""


def _family(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    return folder, family(name)
