"""Which files a log has been over time: the one under its name, those that rotation moved away, and their copies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from logshed.errors import SourceError, UnreachableError
from logshed.sources.contents import first, is_packed
from logshed.sources.rotation import family, oldest_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from logshed.sources.machines import Entry, Machine

MARK_BYTES = 256
"""Bytes at the head of a file, and before the place that was reached, by which it is known again."""
KEPT = 4
"""Files that rotation moved away and that are still looked at: their writers may go on for a while."""
PATIENCE = 20
"""Looks after which a file that is nowhere any more is given up."""
WAITED = 2
"""Looks for which what follows a part waits, where that part may be a copy that is just being written."""


@dataclass(slots=True)
class Part:
    """One of the files that a log has been.

    Attributes:
        number: Which one, the oldest first.
        inode: Where it lies now; the copy's where it was copied and truncated.
        offset: Up to where it was read.
        changed: When it was last written, as last seen.
        head_size: Bytes that ``head`` covers.
        head: Keyed hash of its first bytes.
        tail_size: Bytes that ``tail`` covers.
        tail: Keyed hash of the bytes before ``offset``.
        entry: The file that it is now; None where that is not known.
        size_read: Its size when it was last read to its end.
        missing: Looks in which it was nowhere.
        broken: Looks in a row in which it could not be read to its end.
    """

    number: int
    inode: str
    offset: int = 0
    changed: int = 0
    head_size: int = 0
    head: str = ""
    tail_size: int = 0
    tail: str = ""
    entry: Entry | None = None
    size_read: int = -1
    missing: int = 0
    broken: int = 0

    @property
    def is_due(self) -> bool:
        """Whether it has more than was read of it."""
        entry = self.entry
        return entry is not None and entry.size != self.size_read and (is_packed(entry) or entry.size > self.offset)

    def as_dict(self) -> dict[str, Any]:
        """For a cursor."""
        return {
            "n": self.number,
            "inode": self.inode,
            "offset": self.offset,
            "changed": self.changed,
            "head": [self.head_size, self.head],
            "tail": [self.tail_size, self.tail],
        }

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Part:
        """From a cursor."""
        head, tail = found["head"], found["tail"]
        return cls(int(found["n"]), str(found["inode"]), int(found["offset"]), int(found["changed"]), *head, *tail)


class Generations:
    """The files of one log.

    Args:
        path: The log's name.
        key: Makes the hashes; they tell nothing without it.
        parts: What a cursor knows of it.
        following: The number of the next file.
    """

    def __init__(self, path: str, key: bytes, parts: Iterable[Part] = (), following: int = 1) -> None:
        self.path = path
        self.parts = list(parts)
        self.following = following
        self.lost: list[int] = []
        self._key = key
        self._family = family(PurePosixPath(path).name)
        self._ignored: dict[str, Entry] | None = None
        self._unsure = False
        self._fresh: set[int] = set()  # parts of this look: files that begin alike may be two of them

    @property
    def waits(self) -> bool:
        """Whether a part is nowhere, and a copy that may be it is just being written."""
        return self._unsure and any(one.missing and one.offset and one.missing <= WAITED for one in self.parts)

    def due(self) -> list[Part]:
        """Parts that have more than was read of them, in their order; where one is waited for, those before it."""
        due = [one for one in self.parts if one.is_due]
        if not self.waits:
            return due
        first = min(one.number for one in self.parts if one.missing and one.offset)
        return [one for one in due if one.number < first]

    def own(self, entries: Iterable[Entry]) -> list[Entry]:
        """Of the files of its folder those that bear its name or one that rotation gives."""
        folder, _, own = self.path.rpartition("/")
        found = []
        for one in entries:
            beside, _, name = one.path.rpartition("/")
            if beside == folder and family(name) == self._family and (own == self._family or name.startswith(own)):
                found.append(one)
        return found

    async def look(
        self,
        machine: Machine,
        entries: Sequence[Entry],
        is_other: Callable[[Entry], bool],
        is_wanted: Callable[[Entry], bool],
    ) -> None:
        """Find out which files the log's parts are now, and which are new.

        Args:
            machine: The machine.
            entries: The files of its folder, as ``own`` chooses them.
            is_other: Whether a file is one of another log.
            is_wanted: Whether a file was asked for by its own name, also where it lay there before.
        """
        self._unsure = False
        self._fresh.clear()
        entries = [one for one in entries if not is_other(one)]
        self._find({one.inode: one for one in entries})
        beside = [one for one in entries if one.path != self.path]
        current = next((one for one in entries if one.path == self.path), None)
        await self._meet(machine, [*([current] if current is not None else []), *beside])
        self._ignore(beside, is_wanted)
        owned = {part.entry.inode for part in self.parts if part.entry is not None}
        news = [one for one in beside if one.inode not in owned and one.size and not self._is_ignored(one)]
        for one in oldest_first(news):
            await self._claim(machine, one)
        if current is not None and all(part.entry != current for part in self.parts):
            waits = any(part.is_due for part in self.parts)
            self._begin(current, await self._head(machine, current) if waits and current.size else b"")
        self._forget()

    def _find(self, by_inode: Mapping[str, Entry]) -> None:
        """The files that the parts are by their inodes; one that is shorter now was truncated."""
        for part in self.parts:
            part.entry = by_inode.get(part.inode)
            if part.entry is not None and not is_packed(part.entry) and part.entry.size < part.offset:
                self.replaced(part)

    async def _meet(self, machine: Machine, entries: Sequence[Entry]) -> None:
        """Find parts whose files have other inodes now, or none: by their bytes and when they were last written."""
        owned = {part.entry.inode for part in self.parts if part.entry is not None}
        for entry in entries:
            known = [one for one in self.parts if one.entry is None and one.head_size and one.offset <= entry.size]
            lost = [one for one in known if entry.path == self.path or one.changed == entry.changed]
            if lost and entry.inode not in owned and not is_packed(entry):
                await self._claimed(machine, entry, await self._head(machine, entry), lost)

    def reached(self, part: Part, before: bytes, taken: bytes) -> None:
        """Note that some bytes of a part were taken.

        Args:
            part: The part.
            before: At least ``MARK_BYTES`` of what lies before them, or all there is.
            taken: The bytes.
        """
        if not part.head_size:
            part.head_size, part.head = min(MARK_BYTES, len(taken)), self.mark(taken[:MARK_BYTES])
        part.offset += len(taken)
        tail = (before[-MARK_BYTES:] + taken[-MARK_BYTES:])[-MARK_BYTES:]
        part.tail_size, part.tail = len(tail), self.mark(tail)

    def mark(self, data: bytes) -> str:
        """The keyed hash of some bytes."""
        return hashlib.blake2b(data, digest_size=16, key=self._key).hexdigest()

    def replaced(self, part: Part) -> None:
        """Note that a part's file was truncated and written anew."""
        part.inode, part.entry = "", None

    def _begin(self, entry: Entry, head: bytes = b"") -> None:
        """A new part; by its head it is known again where a crash comes before it is read."""
        begun = Part(self.following, entry.inode, changed=entry.changed, entry=entry)
        if head:
            begun.head_size, begun.head = len(head), self.mark(head)
        self.parts.append(begun)
        self._fresh.add(begun.number)
        self.following += 1

    def _ignore(self, beside: Sequence[Entry], is_wanted: Callable[[Entry], bool]) -> None:
        """Leave out what lay there before the log was followed, or before it was last read."""
        if self._ignored is None:
            owned = {part.inode for part in self.parts}
            unread = [part.changed for part in self.parts if part.head_size and not part.offset]
            since = min(unread) if unread else max((part.changed for part in self.parts), default=None)
            old = [one for one in beside if (not is_wanted(one) if since is None else one.changed < since)]
            self._ignored = {one.inode: one for one in old if one.inode not in owned}

    def _is_ignored(self, entry: Entry) -> bool:
        known = (self._ignored or {}).get(entry.inode)
        return known is not None and (known.size, known.changed) == (entry.size, entry.changed)

    async def _claim(self, machine: Machine, entry: Entry) -> None:
        """A file that was not known: the copy of a part that was truncated or compressed, or one that came and went."""
        known = (self._ignored or {}).get(entry.inode)
        head = await self._head(machine, entry)
        is_own = await self._claimed(machine, entry, head, self.parts)
        if is_own or (known is not None and entry.size < known.size):
            (self._ignored or {}).pop(entry.inode, None)  # the inode of a file that is gone was given to another
        elif known is not None and is_own is False and self._ignored is not None:
            self._ignored[entry.inode] = entry  # it is written still
            return
        if is_own is False:
            self._begin(entry, head)

    async def _head(self, machine: Machine, entry: Entry) -> bytes:
        """A file's first bytes; none where they cannot be read now."""
        try:
            return await first(machine, entry, 0, MARK_BYTES)
        except UnreachableError:
            raise
        except SourceError:
            self._unsure = True
            return b""

    async def _claimed(self, machine: Machine, entry: Entry, head: bytes, parts: Sequence[Part]) -> bool | None:
        """Whether a file is one of some parts, which it is then; None where that cannot be told."""
        like = [one for one in parts if head and one.head_size and self.mark(head[: one.head_size]) == one.head]
        owners = [one for one in like if one.number not in self._fresh or is_packed(one.entry) != is_packed(entry)]
        for part in owners:
            if part.entry is None and await self._holds(machine, entry, part):
                part.inode, part.entry, part.missing, part.size_read = entry.inode, entry, 0, -1
                return True
        return None if owners or not head else False

    async def _holds(self, machine: Machine, entry: Entry, part: Part) -> bool:
        if not part.offset:
            return True  # its head is the same, and that is all that is known of it
        try:
            tail = await first(machine, entry, part.offset - part.tail_size, part.tail_size)
        except UnreachableError:
            raise
        except SourceError:
            self._unsure = True
            return False  # it is just being written
        return len(tail) == part.tail_size and self.mark(tail) == part.tail

    def _forget(self) -> None:
        """Give up what is nowhere any more, and what was read long ago."""
        for part in self.parts:
            part.missing = 0 if part.entry is not None else part.missing + 1
            if part.entry is not None:
                part.changed = part.entry.changed
        gone = [part for part in self.parts if part.missing > PATIENCE or (part.missing and not part.head_size)]
        done = [one for one in self.parts if one.entry is not None and not one.is_due and one.entry.path != self.path]
        for part in done[: max(0, len(done) - KEPT)]:
            if self._ignored is not None and part.entry is not None:
                self._ignored[part.entry.inode] = part.entry
            gone.append(part)
        self.lost += [part.number for part in gone if part.missing and part.offset]
        self.parts = [part for part in self.parts if part not in gone]
