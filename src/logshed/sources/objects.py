"""Objects of object stores as a source: which there are behind an address, and their bytes by ranges."""

from __future__ import annotations

import glob
import io
import re
import threading
from collections import OrderedDict
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, BinaryIO, cast

from logshed import buckets
from logshed.buckets.address import Address, is_address
from logshed.buckets.model import changed
from logshed.errors import SourceError
from logshed.sources.model import OBJECT, Target
from logshed.sources.rawfile import SEARCH_BYTES, RawFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logshed.buckets.model import Found

__all__ = ["HEAD_READ_BYTES", "ObjectFile", "is_address", "peek", "targets"]

HEAD_READ_BYTES = 64 * 1024
"""What is read of an object to see what it is; it is kept for a while, so that a small object is fetched once."""
HEADS = 1024
"""Heads that are kept."""
FIRST_AHEAD_BYTES, MOST_AHEAD_BYTES = 256 * 1024, 8 * 1024 * 1024
"""What one request fetches of an object that is read in small pieces: more and more, up to the second."""
_UNTAGGED = "~"
"""An etag that the store did not give: made of size and time."""

_MAGIC = re.compile(r"[*?[]")

_heads: OrderedDict[str, tuple[str, int, bytes]] = OrderedDict()
"""By locator: mark, size and first bytes, as they were when an object was looked at."""
_lock = threading.Lock()


def targets(path: str) -> Iterator[tuple[Target, str]]:
    """The objects behind an address, in the order of their keys, each with the rest of its key below a folder.

    An object's own address is that object, with no rest; one that ends with ``/`` or leads to no object is all below
    it, to any depth; ``*``, ``?`` and ``[…]`` stay within a ``/``, ``**`` does not.

    Args:
        path: The address.

    Raises:
        SourceError: The store cannot be asked, or there is nothing.
        UsageError: It is no address.
    """
    address = Address.parse(path)
    bucket = buckets.opened(address)
    one = bucket.head(address.key) if address.key and not address.key.endswith("/") else None
    if one is not None:
        yield _target(address, one, path), ""
        return
    if glob.has_magic(address.key):
        fixed = _MAGIC.split(address.key, maxsplit=1)[0]
        prefix, pattern = None, address.key.split("/")
        found = [one for one in bucket.listed(fixed) if _fits(pattern, one.key.split("/"))]
        advice = "no object matches; check the pattern"
    else:
        prefix = address.key if not address.key or address.key.endswith("/") else f"{address.key}/"
        found = [one for one in bucket.listed(prefix) if one.key != prefix]
        advice = f"it holds no objects; check it, or write {path}* for keys that only begin so"
    if not found:
        raise SourceError(f"cannot find {path}: {advice}")
    for one in sorted(found, key=lambda one: one.key):
        yield _target(address, one), "" if prefix is None else one.key.removeprefix(prefix)


def place(path: str, target: Target, *, several: bool) -> list[str]:
    """Where an object lies below an address, as names of folders and a file; with ``several`` below its bucket."""
    named = Address.parse(_MAGIC.split(path, maxsplit=1)[0])
    folder = "" if several else named.key if named.key.endswith("/") else f"{named.key}/"
    key = Address.parse(target.locator).key
    rest = key.removeprefix(folder) if key.startswith(folder) else key.rpartition("/")[2]
    names = [name for name in rest.split("/") if name not in ("", ".", "..")]
    return [named.bucket, *names] if several else names


def peek(target: Target) -> None:
    """Fetch an object's first bytes, so that looking at it and reading a small one needs no other request.

    Raises:
        SourceError: It cannot be read, or it is another one by now.
    """
    address = Address.parse(target.locator)
    size = min(target.size, HEAD_READ_BYTES)
    data = buckets.opened(address).read(address.key, 0, size, _etag(target.inode)) if size else b""
    with _lock:
        _heads[target.locator] = (target.inode, target.size, data)
        while len(_heads) > HEADS:
            _heads.popitem(last=False)


class ObjectFile(RawFile):
    """The bytes of an object, by ranges. Every request says which etag it is meant for.

    What cannot be read raises: of an object that is decoded as a whole, nothing may be taken before all of it is there.
    """

    def __init__(self, locator: str, mark: str = "") -> None:
        """Find the object.

        Args:
            locator: Its address.
            mark: Which state of it is meant; empty for whatever it is now.

        Raises:
            SourceError: There is none, or not in that state, or the store cannot be asked.
        """
        address = Address.parse(locator)
        self._bucket = buckets.opened(address)
        self._name = str(address)
        self._key = address.key
        with _lock:
            known = _heads.get(locator)
        if known is None or (mark and known[0] != mark):
            found = self._bucket.head(self._key)
            if found is None or (mark and _mark(found) != mark):
                raise changed(self._name)
            known = (_mark(found), found.size, b"")
        self._inode, self._size, self._head = known
        self.problem = ""
        self.taken = 0
        self._position = 0
        self._ahead = FIRST_AHEAD_BYTES
        self._held = b""
        self._held_from = 0

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end.

        Raises:
            SourceError: They cannot be read.
        """
        data = self._next(size)
        self._position += len(data)
        self.taken += len(data)
        return data

    def readinto(self, view: memoryview) -> int:
        """Fill a buffer; the bytes taken, 0 at the end."""
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    @property
    def handle(self) -> BinaryIO:
        """The object for readers that go to and fro in it."""
        return cast("BinaryIO", io.BufferedReader(_Handle(self), SEARCH_BYTES))

    def seek(self, position: int) -> None:
        """Go to an offset."""
        self._position = position

    def size(self) -> int:
        """Bytes in the object."""
        return self._size

    def inode(self) -> str:
        """What tells this state of the object from any other."""
        return self._inode

    def close(self) -> None:
        """Let go of what is held in memory."""
        self._held = b""

    def _next(self, size: int) -> bytes:
        if self._position < len(self._head):
            return self._head[self._position : self._position + size]
        inside = self._position - self._held_from
        if not 0 <= inside < len(self._held):
            want = size
            if size <= self._ahead:
                want, self._ahead = self._ahead, min(2 * self._ahead, MOST_AHEAD_BYTES)
            self._held, self._held_from, inside = self._at(want, self._position), self._position, 0
        return self._held[inside : inside + size]

    def _at(self, size: int, position: int) -> bytes:
        """At most ``size`` bytes from an offset on; the place to read on from stays."""
        size = min(size, self._size - position)
        if size <= 0:
            return b""
        if position + size <= len(self._head):
            return self._head[position : position + size]
        return self._bucket.read(self._key, position, size, _etag(self._inode))


class _Handle(io.RawIOBase):
    """An object as Python's files are."""

    def __init__(self, file: ObjectFile) -> None:
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.size()}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def readinto(self, view: memoryview) -> int:  # type: ignore[override]
        data = self._file._at(len(view), self._position)  # noqa: SLF001 - two classes of one thing
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


def _target(address: Address, found: Found, path: str = "") -> Target:
    own = Address(address.scheme, address.bucket, found.key, address.anonymous)
    return Target(
        path=path or str(own),
        source=str(own),
        locator=own.locator,
        size=found.size,
        mtime=found.changed,
        inode=_mark(found),
        note="" if found.size else "empty",
    )


def _mark(found: Found) -> str:
    return f"{OBJECT}{found.etag or f'{_UNTAGGED}{found.size}-{found.changed}'}"


def _etag(mark: str) -> str:
    etag = mark.removeprefix(OBJECT)
    return "" if etag.startswith(_UNTAGGED) else etag


def _fits(pattern: Sequence[str], key: Sequence[str]) -> bool:
    """Whether the segments of a key fit those of a glob; names that begin with a dot are hidden, as on a disk."""
    if not pattern or not key:
        return not pattern and not key
    if pattern[0] == "**":
        ends = (n for n in range(len(key) + 1) if not any(one.startswith(".") for one in key[:n]))
        return any(_fits(pattern[1:], key[n:]) or (len(pattern) == 1 and n == len(key)) for n in ends)
    hidden = key[0].startswith(".") and not pattern[0].startswith(".")
    return not hidden and fnmatchcase(key[0], pattern[0]) and _fits(pattern[1:], key[1:])
