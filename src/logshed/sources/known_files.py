"""Knows files again where no inodes are told: by their first bytes, and by those before the end that was last seen."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from logshed.errors import GoneError, SourceError, UnreachableError
from logshed.sources.machines import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

MARK_BYTES = 256
"""Bytes at the head of a file, and before its end, by which it is known again."""
AT_ONCE = 64
"""Files that are looked into at once."""


class Opened(Protocol):
    """A file that is open."""

    @property
    def size(self) -> int:
        """Its bytes when it was opened."""

    @property
    def changed(self) -> int:
        """When it was last written then."""

    async def read(self, start: int, size: int) -> bytes:
        """Some of its bytes; fewer where it ends before."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file as a folder lists it: its path, its bytes, when it was last written."""

    path: str
    size: int
    changed: int


@dataclass(frozen=True, slots=True)
class _Known:
    """A file as it was last seen; without a head nothing was in it, or it could not be read."""

    name: str
    size: int
    changed: int
    head: bytes = b""
    tail: bytes = b""


@dataclass(frozen=True, slots=True)
class _Look:
    """What was seen in a file, and the names of the known ones of which it may be the continuation."""

    path: str
    seen: _Known
    could_be: Sequence[str] = ()


class KnownFiles:
    """Gives each file a name that it keeps when it grows and is renamed, as an inode is.

    A file that is truncated, also one that is written anew and is longer by then, gets another name. The names hold
    for this object's life; after it, whoever kept digests of the bytes knows the files again by these.

    Args:
        opened: Opens a file.
    """

    def __init__(self, opened: Callable[[str], AbstractAsyncContextManager[Opened]]) -> None:
        self._opened = opened
        self._prefix = f"bytes:{secrets.token_hex(6)}"
        self._number = 0
        self._places: dict[str, dict[str, _Known]] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def entries(self, place: str, found: Sequence[Found], *, again: bool = False) -> list[Entry] | None:
        """The files of a place with their names; None where one that was known is nowhere, and nothing is noted then.

        It may have been renamed while the place was listed, and would be read after the file that took its name.

        Args:
            place: What was listed.
            found: What lies there.
            again: Whether it was listed anew because of that: what is nowhere is gone.

        Raises:
            UnreachableError: The machine does not answer.
        """
        known = self._places.get(place, {})
        newest = max((one.changed for one in known.values()), default=0)
        now = {one.path: known[one.path] for one in found if _is_as_it_was(one, known.get(one.path), newest)}
        free = {path: one for path, one in known.items() if path not in now and one.head}
        looks = await asyncio.gather(*(self._look(one, known, free) for one in found if one.path not in now))
        now |= self._named([one for one in looks if one is not None], known)
        names = {one.name for one in now.values()}
        if not again and any(one.head and one.name not in names for one in known.values()):
            return None
        self._places[place] = now
        return [Entry(path, one.name, one.size, one.changed) for path, one in now.items()]

    def is_it(self, entry: Entry, head: bytes) -> bool:
        """Whether a file that begins like this, under an entry's path, may be that entry."""
        seen = (known.get(entry.path) for known in self._places.values())
        return any(one is not None and one.name == entry.inode and head.startswith(one.head) for one in seen)

    async def _look(self, found: Found, known: Mapping[str, _Known], free: Mapping[str, _Known]) -> _Look | None:
        """Look into a file; None where it is gone."""
        own = known.get(found.path)
        closed = _Look(
            found.path, _Known("", found.size, found.changed), (own.name,) if own is not None and not own.head else ()
        )
        if not found.size:
            return closed
        try:
            async with self._turn, self._opened(found.path) as file:
                size, mark = file.size, min(MARK_BYTES, file.size)
                head, tail = await asyncio.gather(file.read(0, mark), file.read(size - mark, mark))
                seen = _Known("", size, file.changed, head, tail)
                own_first = sorted(free.items(), key=lambda item: item[0] != found.path)
                could_be = [one.name for _, one in own_first if await _goes_on(file, seen, one)]
        except GoneError:
            return None
        except UnreachableError:
            raise
        except SourceError:
            return closed  # who reads it says why that cannot be
        return _Look(found.path, seen, could_be)

    def _named(self, looks: Sequence[_Look], known: Mapping[str, _Known]) -> dict[str, _Known]:
        """A name for each: that of the file that lay there, or else elsewhere, if it is that one; or a new one."""
        taken: dict[str, str] = {}
        for look in looks:
            own = known.get(look.path)
            if own is not None and own.name in look.could_be:
                taken[own.name] = look.path
        by_path = {path: name for name, path in taken.items()}
        for look in looks:
            if look.path not in by_path:
                name = _first(name for name in look.could_be if name not in taken) or self._new()
                taken[name] = look.path
                by_path[look.path] = name
        return {
            one.path: _Known(by_path[one.path], one.seen.size, one.seen.changed, one.seen.head, one.seen.tail)
            for one in looks
        }

    def _new(self) -> str:
        self._number += 1
        return f"{self._prefix}:{self._number}"


def _is_as_it_was(found: Found, known: _Known | None, newest: int) -> bool:
    """Whether a file need not be looked into.

    Times are told in seconds. Another file that came under this name since, of the same size and second, was written
    after the last look: no earlier than the newest that was seen then.
    """
    return known is not None and (known.size, known.changed) == (found.size, found.changed) and known.changed < newest


async def _goes_on(file: Opened, seen: _Known, known: _Known) -> bool:
    """Whether a file is a known one, as it was or longer."""
    if seen.size < known.size or not seen.head.startswith(known.head):
        return False
    return await file.read(known.size - len(known.tail), len(known.tail)) == known.tail


def _first(names: Iterable[str]) -> str:
    return next(iter(names), "")
