"""Keeps the ids of segments that are taken away, in files of their own, for as long as they are remembered."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np

from logshed.errors import SpoolError
from logshed.spool import marks
from logshed.spool.disk import put
from logshed.spool.frames import DamageError, scan
from logshed.spool.reading import damaged, writes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from logshed.spool.frames import Frame
    from logshed.spool.marks import Ids

ENDING = ".ids"
MOST_FILES = 32
"""More are written as one, so that each id is written again once in so many segments and opening stays quick."""
SPAN_S = 30.0
"""Seconds by which an id may be remembered longer because it shares a frame with others."""


class KeptIds:
    """The files of a spool that hold ids.

    Args:
        root: The spool's folder.
        most: So many of the newest ids are kept.
    """

    def __init__(self, root: Path, most: int) -> None:
        self._root = root
        self._most = most
        self._files: dict[Path, tuple[int, float]] = {}

    def read(self, marked: Callable[[Frame], None]) -> None:
        """Tell of each mark, the oldest first.

        Raises:
            SpoolError: A file cannot be read, or is damaged.
        """
        for path in files(self._root):
            count, until = 0, 0.0
            for mark in _marks(path):
                marked(mark)
                count += marks.ids_of(mark).size
                until = max(until, marks.time_of(mark))
            self._files[path] = (count, until)

    def keep(self, segment: Path, size: int, since: float) -> None:
        """Keep the ids of a segment that is about to be taken away, and forget those that are too old.

        Args:
            segment: The segment.
            size: Its bytes.
            since: Older ones are not kept, in seconds of the Unix epoch.

        Raises:
            SpoolError: They cannot be written.
        """
        found: list[Frame] = []
        with segment.open("rb") as file, suppress(DamageError):  # what is damaged holds none, and may go
            for write in writes(file, int(segment.stem), size):
                found.extend(filter(marks.is_mark, write.frames))
        self._write(segment.with_suffix(ENDING), found, since)
        self._forget(since)
        if len(self._files) > MOST_FILES:
            every = list(self._files)
            self._write(every[-1], [mark for path in every for mark in _marks(path)], since)
            for path in every[:-1]:
                self._remove(path)

    def _write(self, path: Path, found: Iterable[Frame], since: float) -> None:
        """Write ids so that those that came within some seconds of each other share a frame."""
        packed, count, until = [], 0, 0.0
        group: list[tuple[float, Ids]] = []
        for at, ids in ((marks.time_of(mark), marks.ids_of(mark)) for mark in found):
            if at < since or not ids.size:
                continue
            if group and (at - group[0][0] > SPAN_S or sum(len(one) for _, one in group) >= marks.MOST_IDS):
                packed.append(_together(group))
                group = []
            group.append((at, ids))
            count, until = count + ids.size, max(until, at)
        if count:
            put(path, b"".join([*packed, _together(group)]))
            self._files[path] = (count, until)

    def _forget(self, since: float) -> None:
        known = sum(count for count, _ in self._files.values())
        for path, (count, until) in list(self._files.items()):
            if until < since or known - count >= self._most:
                known -= count
                self._remove(path)

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        del self._files[path]


def files(root: Path) -> list[Path]:
    """The files of a spool that hold ids, oldest first."""
    return sorted(path for path in root.glob(f"*{ENDING}") if path.stem.isdigit())


def _together(group: Sequence[tuple[float, Ids]]) -> bytes:
    return marks.bare(np.concatenate([ids for _, ids in group]), marks.written(max(at for at, _ in group)))


def _marks(path: Path) -> list[Frame]:
    try:
        with path.open("rb") as file:
            return list(scan(file))
    except OSError as error:
        raise SpoolError(f"cannot read {path}: {error.strerror}; check the disk") from None
    except DamageError as damage:
        raise damaged(path, damage) from None
