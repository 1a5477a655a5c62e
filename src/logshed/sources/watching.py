"""Tells which local files have changed: those behind paths, and those that rotation makes of them; and which topics."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logshed.errors import SourceError
from logshed.sources import kafka
from logshed.sources.discovery import candidates
from logshed.sources.rawfile import inode_of
from logshed.sources.rotation import family

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from threading import Event

SETTLED_S = 1.0
"""How long a file beside a followed one must stay as it is before it is looked at: until then it may be a copy that is
just being made, of a file that is not truncated yet."""
GATHERING_MS = 50
"""How long further changes are waited for once there is one."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was at one moment."""

    inode: str
    size: int
    changed: int


class Watch:
    """The files behind paths, and which of them have changed since they were last asked for.

    Args:
        paths: Files, folders and globs, and addresses of topics; what is not there yet is taken when it comes.
        exclude: Folders not to enter, such as the lake's own.
    """

    def __init__(self, paths: Sequence[str], *, exclude: Sequence[str] = ()) -> None:
        self._topics = [path for path in paths if kafka.is_address(path)]
        self._paths = [path for path in paths if path not in self._topics]
        self._ends: dict[str, dict[str, tuple[str, int]]] = {}
        self._exclude = list(exclude)
        self._given: dict[str, Seen] = {}
        self._settling: dict[str, tuple[Seen, float]] = {}
        self._inodes: set[str] = set()
        self._before: set[str] | None = None
        self._begun = time.time_ns()
        self.folders: set[str] = set()
        self.files = 0

    def earlier(self) -> list[list[str]]:
        """Files that are one log over time, the oldest first: followed ones and those beside them."""
        files = self._files()
        found: dict[tuple[str, str], list[tuple[int, str]]] = {}
        beside = list(_beside(files))
        for path, seen in (*beside, *files.items()):
            folder, name = os.path.split(os.path.realpath(path))
            found.setdefault((folder, family(name)), []).append((seen.changed, path))
        kept = {path for path, _ in beside}
        return [[path for _, path in sorted(one)] for one in found.values() if any(path in kept for _, path in one)]

    def take_up(self, paths: Sequence[str]) -> None:
        """Read some of the ``earlier`` files too."""
        self._inodes |= {seen.inode for path in paths if (seen := _look(path)) is not None}

    @property
    def is_settling(self) -> bool:
        """Whether there are files that will be looked at if they stay as they are, or topics, which tell nothing."""
        return bool(self._settling or self._topics)

    def changed(self) -> list[str]:
        """Files that have changed since they were given out last, what was rotated away before what took its place.

        Raises:
            UsageError: What should be the address of a topic is none.
        """
        topics = list(self._grown())
        files = self._files()
        self.files = len(files) + sum(len(ends) for ends in self._ends.values())
        beside = list(_beside(files))
        if self._before is None:
            self._before = {seen.inode for _, seen in beside} - self._inodes
        rotated = dict(self._rotated(beside))
        changed = [path for path, seen in (*rotated.items(), *files.items()) if self._given.get(path) != seen]
        self._inodes |= {seen.inode for seen in files.values()}
        self._before -= self._inodes  # the inode of a file that is gone is given to another
        self._given = {**rotated, **files}
        return changed + topics

    def again(self, paths: Sequence[str]) -> None:
        """Give files out once more the next time, as if they had changed."""
        for path in paths:
            self._given.pop(path, None)
            self._ends.pop(path, None)

    def _grown(self) -> Iterator[str]:
        """Addresses behind which there is more than at the last look, or that cannot be asked: an ingest says why."""
        for path in self._topics:
            before = self._ends.pop(path, None)
            try:
                found, problems = kafka.targets(path)
            except SourceError:
                yield path
                continue
            self._ends[path] = {target.locator: (target.generation, target.size) for target in found}
            if problems or self._ends[path] != before:
                yield path

    def _files(self) -> dict[str, Seen]:
        found = {}
        for path in candidates(self._paths, exclude=self._exclude):
            if (seen := _look(path)) is not None:
                found[path] = seen
        folders = {os.path.dirname(os.path.realpath(path)) for path in found}  # noqa: PTH120 - thousands of them
        self.folders = {folder for folder in {*folders, *self._roots()} if os.path.isdir(folder)}  # noqa: PTH112 - as above
        return found

    def _roots(self) -> Iterator[str]:
        """Where files that are not there yet would come: the last folder of each path without a wildcard."""
        for path in self._paths:
            folder = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - a glob is no path
            while any(sign in folder for sign in "*?[") or not os.path.isdir(folder):  # noqa: PTH112 - as above
                folder = os.path.dirname(folder)  # noqa: PTH120 - as above
            yield folder

    def _rotated(self, beside: Sequence[tuple[str, Seen]]) -> Iterator[tuple[str, Seen]]:
        """Of the files beside followed ones those that were followed, and those that came since and are settled."""
        now = time.monotonic()
        settling, self._settling = self._settling, {}
        for path, seen in beside:
            if seen.inode in self._inodes or self._given.get(path) == seen:
                yield path, seen
            elif seen.changed >= self._begun and seen.inode not in (self._before or ()):
                known, since = settling.get(path, (None, now))
                since = since if known == seen else now
                if now - since >= SETTLED_S:
                    yield path, seen
                else:
                    self._settling[path] = (seen, since)


class Waiter:
    """Waits for changes below folders: told by the kernel, or for a time where it cannot tell."""

    def __init__(self) -> None:
        self._folders: frozenset[str] = frozenset()
        self._changes: Iterator[object] | None = None
        self.polls = False

    def wait(self, folders: set[str], seconds: float, stop: Event) -> None:
        """Wait until something changes in one of the folders, at most so long.

        Args:
            folders: The folders; not what is below their folders.
            seconds: The longest time.
            stop: Ends the waiting when it is set.
        """
        if self._changes is None or self._folders != folders:
            self._folders, self._changes = frozenset(folders), self._opened(folders, seconds, stop)
        if self._changes is None:
            stop.wait(seconds)
            return
        try:
            next(self._changes, None)
        except OSError:  # a folder went, or the kernel has no more watches to give
            self._changes = None
            stop.wait(min(seconds, SETTLED_S))

    def _opened(self, folders: set[str], seconds: float, stop: Event) -> Iterator[object] | None:
        if self.polls or not folders:
            return None
        import watchfiles  # noqa: PLC0415 - only for those who follow

        return watchfiles.watch(
            *sorted(folders),
            watch_filter=None,
            debounce=2 * GATHERING_MS,
            step=GATHERING_MS,
            stop_event=stop,
            rust_timeout=int(seconds * 1000),
            yield_on_timeout=True,
            recursive=False,
            ignore_permission_denied=True,
        )


def _look(path: str) -> Seen | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - thousands of them
    except OSError:
        return None  # it went, or may not be read: what reads it says so
    if not stat.S_ISREG(status.st_mode):
        return None
    return Seen(inode_of(status), status.st_size, status.st_mtime_ns)


def _beside(files: Mapping[str, Seen]) -> Iterator[tuple[str, Seen]]:
    """Files beside others, under names that rotation may give to those."""
    families: dict[str, set[str]] = {}
    own = {seen.inode for seen in files.values()}
    for path in files:
        folder, name = os.path.split(os.path.realpath(path))
        families.setdefault(folder, set()).add(family(name))
    for folder, names in families.items():
        try:
            entries = sorted(os.listdir(folder))  # noqa: PTH208 - thousands of them
        except OSError:
            continue  # it went meanwhile
        for name in entries:
            path = f"{folder}/{name}"
            if not name.startswith(".") and path not in files and family(name) in names:
                seen = _look(path)
                if seen is not None and seen.inode not in own:
                    yield path, seen
