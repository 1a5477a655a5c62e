"""Files of a lake by their path or address: read, written whole, listed, removed, on this machine or in a cloud.

Whatever in lake/ touches a file of a table or of the ledger does it here. A path without a scheme lies on this machine;
an address such as ``s3://bucket/prefix/…`` is reached as the settings say that ``remote.use`` was given.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast
from uuid import uuid4

from logshed.lake import remote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it lies there.

    Attributes:
        path: Where.
        bytes: Its size.
        age_s: Seconds since it was last written, or since ``keep_a_while`` was told of it.
    """

    path: str
    bytes: int
    age_s: float

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rpartition("/")[2]


def local(path: str) -> str:
    """A path of this machine without its scheme; an address elsewhere as it is."""
    return path.removeprefix("file://")


def is_remote(path: str) -> bool:
    """Whether it lies elsewhere."""
    return "://" in local(path)


def read(path: str) -> bytes:
    """A file's bytes.

    Raises:
        FileNotFoundError: There is none.
        StorageError: The storage cannot be reached, or refuses.
    """
    if not is_remote(path):
        return Path(local(path)).read_bytes()
    with remote.told(path):
        return cast("bytes", remote.filesystem(path).cat_file(path))


def write(path: str, data: bytes) -> None:
    """Write a file so that a reader sees all of it or nothing.

    Raises:
        OSError: The disk refuses.
        StorageError: The storage cannot be reached, or refuses.
    """
    if is_remote(path):
        with remote.told(path):
            remote.filesystem(path).pipe_file(path, data)
        return
    target = Path(local(path))
    beside = target.with_name(f".{target.name}.{uuid4().hex}")  # threads share a process's id, and so do containers
    try:
        beside.write_bytes(data)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def create(path: str, data: bytes) -> bool:
    """Write a file unless there is one; of several that try at once one does.

    Returns:
        Whether this call did it.

    Raises:
        StorageError: The storage cannot be reached, or refuses.
    """
    try:
        if is_remote(path):
            with remote.told(path):
                remote.filesystem(path).pipe_file(path, data, mode="create")
        else:
            beside = Path(local(path)).with_name(f".{path.rpartition('/')[2]}.{uuid4().hex}")
            beside.write_bytes(data)
            try:
                os.link(beside, local(path))  # what only the first of several can
            finally:
                beside.unlink()
    except FileExistsError:
        return False
    return True


def make_folder(path: str) -> None:
    """Make a folder where folders are made."""
    if not is_remote(path):
        Path(local(path)).mkdir(parents=True, exist_ok=True)


def remove_folder(path: str) -> None:
    """Remove a folder of this machine and the empty ones in it; elsewhere folders are only names."""
    if is_remote(path) or not Path(path).is_dir():
        return
    for folder in sorted((one for one in Path(path).rglob("*") if one.is_dir()), reverse=True):
        folder.rmdir()
    Path(path).rmdir()


def remove(path: str) -> None:
    """Remove a file; one that is gone is fine.

    Raises:
        StorageError: The storage cannot be reached, or refuses.
    """
    if not is_remote(path):
        Path(local(path)).unlink(missing_ok=True)
        return
    try:
        with remote.told(path):
            remote.filesystem(path).rm_file(path)
    except FileNotFoundError:
        return


def exists(path: str) -> bool:
    """Whether there is such a file."""
    return bool(found([path]))


def size(path: str) -> int:
    """A file's bytes.

    Raises:
        FileNotFoundError: There is none.
    """
    if not is_remote(path):
        return Path(local(path)).stat().st_size
    with remote.told(path):
        return int(remote.filesystem(path).info(path)["size"])


def listing(folder: str) -> list[Found]:
    """Every file in a folder and in its folders.

    Raises:
        StorageError: The storage cannot be reached, or refuses.
    """
    if not is_remote(folder):
        return found(str(path) for path in Path(local(folder)).rglob("*"))
    with remote.told(folder):
        every = remote.filesystem(folder).find(folder + "/", detail=True)
    now, kept = time.time(), remote.kept(folder)
    known = [_found(remote.address(folder, name), info, now) for name, info in every.items()]
    return [Found(one.path, one.bytes, min(one.age_s, kept.get(one.path, one.age_s))) for one in known]


def found(paths: Iterable[str]) -> list[Found]:
    """Those of some paths that are files now.

    Raises:
        StorageError: The storage cannot be reached, or refuses.
    """
    now = time.time()
    there = []
    for path in paths:
        try:
            if is_remote(path):
                with remote.told(path):
                    there.append(_found(path, remote.filesystem(path).info(path), now))
                continue
            status = Path(local(path)).stat()
        except FileNotFoundError:
            continue  # another process has just removed it
        if stat.S_ISREG(status.st_mode):
            there.append(Found(local(path), status.st_size, now - status.st_mtime))
    return there


def keep_a_while(paths: Iterable[str]) -> None:
    """Let the time for which unnamed files are kept begin now: someone may read what is about to be replaced."""
    elsewhere = []
    for path in paths:
        if is_remote(path):
            elsewhere.append(path)
            continue
        try:
            os.utime(local(path))
        except (FileNotFoundError, PermissionError):
            # It is gone, so nobody can begin to read it; or it is another user's, and only its own age protects it.
            continue
    remote.keep_a_while(elsewhere)


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """A file to read from, any part of it.

    Raises:
        FileNotFoundError: There is none.
        StorageError: The storage cannot be reached, or refuses.
    """
    if not is_remote(path):
        with Path(local(path)).open("rb") as file:
            yield file
        return
    with remote.told(path):
        reached = remote.opened(path)
    with reached as file:
        yield file


@contextmanager
def copies(paths: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Each file as one of this machine: itself, or a copy that goes at the end.

    Raises:
        FileNotFoundError: One is not there.
        StorageError: The storage cannot be reached, or refuses.
    """
    distant = [path for path in paths if is_remote(path)]
    if not distant:
        yield {path: local(path) for path in paths}
        return
    with tempfile.TemporaryDirectory(prefix="logshed-") as folder:
        taken = {path: f"{folder}/{number}-{path.rpartition('/')[2]}" for number, path in enumerate(distant)}
        with remote.told(distant[0]):
            remote.filesystem(distant[0]).get(list(taken), list(taken.values()))
        yield {path: taken.get(path, local(path)) for path in paths}


@contextmanager
def workshop(folder: str) -> Iterator[str]:
    """Where to write files of this machine that shall lie in a folder: there, or beside where that is elsewhere."""
    if not is_remote(folder):
        yield local(folder)
        return
    with tempfile.TemporaryDirectory(prefix="logshed-") as beside:
        yield beside


def settle(made: Path, folder: str) -> str:
    """Bring a file that was written in a folder's workshop to its place; gives its path or address.

    Raises:
        StorageError: The storage cannot be reached, or refuses.
    """
    if not is_remote(folder):
        return str(made)
    path = f"{folder}/{made.name}"
    put(made, path)
    made.unlink()
    return path


def put(source: Path, path: str) -> None:
    """Bring a file of this machine to an address; it is there whole or not at all.

    Raises:
        StorageError: The storage cannot be reached, or refuses.
    """
    with remote.told(path):
        remote.filesystem(path).put_file(str(source), path)


def _found(path: str, info: Mapping[str, Any], now: float) -> Found:
    return Found(path, int(info["size"] or 0), now - remote.moment(info))
