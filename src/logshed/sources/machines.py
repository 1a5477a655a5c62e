"""Machines whose files are followed: what lies in a folder, and a file's bytes from an offset on."""

from __future__ import annotations

import asyncio
import fnmatch
import os
import re
import stat
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

from logshed.errors import GoneError, SourceError, UsageError
from logshed.sources.rawfile import inode_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from logshed.sources.hosts import Note

BLOCK_BYTES = 2**20
MOST_DEPTH = 8
"""How many folders below each other ``**`` goes through."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as a machine lists it.

    Attributes:
        path: Its absolute path.
        inode: ``device:inode``, or another name that the file keeps when it is renamed.
        size: Its bytes.
        changed: When it was last written, seconds since the epoch.
    """

    path: str
    inode: str
    size: int
    changed: int


class Machine(Protocol):
    """A machine."""

    @property
    def name(self) -> str:
        """What to call it; ``local`` is this one."""

    @property
    def scheme(self) -> str:
        """What the names of its sources begin with: ``file:``, ``ssh:web1``."""

    @property
    def address(self) -> str:
        """Its name in the records, ``host.name``; empty says nothing."""

    async def listed(self, glob: Glob) -> list[Entry]:
        """The regular files in the folders that a glob looks into, whatever their names.

        Raises:
            SourceError: There is no such folder, or it cannot be read.
        """

    def blocks(self, entry: Entry, start: int) -> AsyncIterator[bytes]:
        """A file's bytes from an offset to its end.

        Raises:
            GoneError: It is gone, or certainly another one.
            SourceError: It cannot be read.
        """

    async def is_there(self, entry: Entry) -> bool:
        """Whether the file lies there still, under this path."""

    def left_out(self) -> Mapping[str, str]:
        """Files that are not read because of their names, by path, and why as a sentence."""

    def noted(self, note: Note) -> None:
        """Have what it is asked noted."""

    async def close(self) -> None:
        """Let go of it."""


@dataclass(frozen=True, slots=True)
class Glob:
    """A path with or without wildcards, taken apart.

    Attributes:
        text: As it was given.
        folder: The last folder before a wildcard.
        least: How far below the folder files may lie: at least so many steps.
        most: At most so many.
        expression: What their whole paths match.
    """

    text: str
    folder: str
    least: int
    most: int
    expression: re.Pattern[str]

    @classmethod
    def parse(cls, text: str) -> Glob:
        """Take a path apart.

        Raises:
            UsageError: It is none from the root on.
        """
        path = PurePosixPath(text)
        if not path.is_absolute() or ".." in path.parts or text.endswith("/") or any(ord(sign) < 32 for sign in text):  # noqa: PLR2004 - control characters
            raise UsageError(
                f"cannot follow {text[:200]!r}: that is no path of a file from the root on; write it like "
                "/var/log/nginx/*.log"
            )
        parts = list(path.parts[1:])
        wild = next((place for place, part in enumerate(parts) if any(sign in part for sign in "*?[")), len(parts) - 1)
        wild = min(wild, len(parts) - 1)
        below = parts[wild:]
        many = below.count("**")
        return cls(
            text,
            "/" + "/".join(parts[:wild]),
            len(below) - many,
            MOST_DEPTH if many else len(below),
            re.compile("".join(_expressions(parts))),
        )

    def matches(self, path: str) -> bool:
        """Whether it stands for a path."""
        return self.expression.fullmatch(path) is not None


def _expressions(parts: Sequence[str]) -> Iterator[str]:
    for part in parts:
        if part == "**":
            yield r"(?:/[^/]+)*"
        else:
            yield "/" + fnmatch.translate(part).replace(".*", "[^/]*").removesuffix(r"\Z").removesuffix(r"\z")


class LocalMachine:
    """This machine."""

    name = "local"
    scheme = "file:"
    address = ""

    async def listed(self, glob: Glob) -> list[Entry]:
        """The regular files in the folders that a glob looks into."""
        return await asyncio.to_thread(lambda: list(self._below(glob.folder, glob.least, glob.most)))

    async def blocks(self, entry: Entry, start: int) -> AsyncIterator[bytes]:
        """A file's bytes from an offset to its end."""
        try:
            handle = os.open(entry.path, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            raise GoneError(f"cannot read {entry.path}: it is gone; check the path") from None
        except OSError as error:
            raise SourceError(f"cannot read {entry.path}: {error.strerror}; run this as a user who may") from None
        try:
            if inode_of(os.fstat(handle)) != entry.inode:
                raise GoneError(f"cannot read {entry.path}: another file has taken its place; run it again")
            while data := await asyncio.to_thread(os.pread, handle, BLOCK_BYTES, start):
                yield data
                start += len(data)
        except OSError as error:
            raise SourceError(f"cannot read {entry.path}: {error.strerror}; check the disk") from None
        finally:
            os.close(handle)

    async def is_there(self, entry: Entry) -> bool:
        """Whether the file lies there still; what was opened is known by its inode."""
        del entry
        return True

    def left_out(self) -> Mapping[str, str]:
        """None: all names are taken."""
        return {}

    def noted(self, note: Note) -> None:
        """Nothing is asked of it but to read."""

    async def close(self) -> None:
        """Nothing is held."""

    def _below(self, folder: str, least: int, most: int) -> Iterator[Entry]:
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda one: one.name)
        except OSError as error:
            raise SourceError(f"cannot look into {folder}: {error.strerror}; check the path") from None
        for one in entries:
            try:
                status = one.stat()
            except OSError:
                continue  # it went meanwhile, or is a link that leads nowhere
            if stat.S_ISREG(status.st_mode) and least <= 1:
                yield Entry(one.path, inode_of(status), status.st_size, int(status.st_mtime))
            elif stat.S_ISDIR(status.st_mode) and most > 1 and os.access(one.path, os.R_OK | os.X_OK):
                yield from self._below(one.path, least - 1, most - 1)
