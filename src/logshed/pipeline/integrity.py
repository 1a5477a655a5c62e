"""Looks whether what rests is what was committed: bronze files by their checksums, the audit trail by its chain."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from logshed.errors import LogshedError
from logshed.lake import named, storage
from logshed.lake.checksums import Checksums
from logshed.lake.names import LINES, TRAIL
from logshed.lake.scan import iceberg_files, paths
from logshed.lake.trail import Head
from logshed.lake.writing import digest
from logshed.pipeline import erase_receipt
from logshed.pipeline.trail import broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyiceberg.table import Table

    from logshed.lake.store import Store
    from logshed.settings import Settings

READERS = 4
"""Files that are read at a time."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it was committed.

    Attributes:
        kind: ``changed``, ``missing``, ``added``, ``audit`` or ``receipt``.
        what: The file or the row, and what is wrong with it.
    """

    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class Integrity:
    """What was found.

    Attributes:
        files: Files of ``lines`` whose bytes are what they were.
        bytes: Their bytes.
        unknown: Files of ``lines`` from before checksums were kept.
        others: Files of other tables that are there, as large as they should be.
        entries: Entries of the audit trail.
        receipts: Receipts of erasures.
        problems: What is wrong.
        state: SHA-256 over all checksums and the trail's newest hash: noted elsewhere, it shows what was changed
            together with its checksum.
    """

    files: int
    bytes: int
    unknown: int
    others: int
    entries: int
    receipts: int
    problems: tuple[Problem, ...]
    state: str

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"ok": self.ok, **asdict(self)}


def integrity(store: Store, settings: Settings, progress: Callable[[int, int], None] | None = None) -> Integrity:
    """Look at every file that a table has now, and at the audit trail.

    Args:
        store: The lake.
        settings: Where keys are, by which receipts are signed.
        progress: Is told files of ``lines`` read so far, and how many there are.

    Raises:
        LakeError: The catalog cannot be read.
    """
    table = store.table(LINES)
    sums = _sums(table)
    files = {paths([file])[0]: file.file_size_in_bytes for file in iceberg_files(table)}
    known = {path: one for path, one in sums.items() if path in files and one}
    found = [*_changed(known, progress), *_listed(set(files), set(sums))]
    others = list(_others(store))
    found += [one for one in others if isinstance(one, Problem)]
    entries, head, breaks = _trail(store)
    receipts, forged = erase_receipt.broken(store, settings)
    breaks += [Problem("receipt", text) for text in forged]
    found = [one for one in found if not _overtaken(store, one)] + breaks
    state = hashlib.sha256("\n".join([*(f"{path} {sums[path]}" for path in sorted(sums)), head]).encode()).hexdigest()
    return Integrity(
        files=sum(1 for path in known if not any(one.what.startswith(path) for one in found)),
        bytes=sum(files[path] for path in known),
        unknown=sum(1 for path in files if sums.get(path) == ""),
        others=sum(1 for one in others if not isinstance(one, Problem)),
        entries=entries,
        receipts=receipts,
        problems=tuple(sorted(found, key=lambda one: (one.kind, one.what))),
        state=state,
    )


def _changed(known: dict[str, str], progress: Callable[[int, int], None] | None) -> Iterator[Problem]:
    """Files that are not what their checksums say, or not there."""
    for number, (path, now) in enumerate(_digests(sorted(known)), 1):
        if now != known[path]:
            yield Problem("missing" if now is None else "changed", path)
        if progress is not None:
            progress(number, len(known))


def _listed(files: set[str], sums: set[str]) -> Iterator[Problem]:
    """Files that only the table has, or only the list of checksums."""
    for path in files - sums:
        yield Problem("added", f"{path}: no writer of this lake put it into lines")
    for path in sums - files:
        yield Problem("missing", f"{path}: no writer of this lake took it out of lines")


def _sums(table: Table) -> dict[str, str]:
    """The checksums by file; of a lake from before there were any, that of no file is known."""
    found = Checksums.of(table)
    return dict.fromkeys(paths(iceberg_files(table)), "") if found is None else found.now()


def _digests(files: list[str]) -> Iterator[tuple[str, str | None]]:
    """Each file with its checksum now; None where it is not there or cannot be read."""

    def read(path: str) -> tuple[str, str | None]:
        try:
            return path, digest(path)
        except OSError:
            return path, None

    with ThreadPoolExecutor(READERS) as pool:
        yield from pool.map(read, files)


def _others(store: Store) -> Iterator[Problem | str]:
    """Of the other tables: the files that are there, and what is wrong with those that are not."""
    for name, table in named.tables(store).items():
        if name == LINES.name:
            continue
        wanted = {paths([file])[0]: file.file_size_in_bytes for file in iceberg_files(table)}
        there = {one.path: one.bytes for one in storage.found(wanted)}
        for path, size in wanted.items():
            if path not in there:
                yield Problem("missing", f"{path}: {name} has it")
            elif there[path] != size:
                yield Problem("changed", f"{path}: {name} has it with {size:,} bytes, it has {there[path]:,}")
            else:
                yield path


def _trail(store: Store) -> tuple[int, str, list[Problem]]:
    """How many entries there are, the newest hash, and where the chain is broken."""
    if not store.has(TRAIL):
        return 0, "", []
    head = Head.of(store.table(TRAIL))
    try:
        return head.sequence - head.gone, head.hash, [Problem("audit", text) for text in broken(store)]
    except LogshedError as error:
        return 0, head.hash, [Problem("audit", f"the audit trail cannot be read: {error}")]


def _overtaken(store: Store, one: Problem) -> bool:
    """Whether another process has taken the file away or put it there since the look began."""
    path = one.what.partition(": ")[0]
    tables = named.tables(store)
    sums = _sums(tables[LINES.name])
    now = {path for table in tables.values() for path in paths(iceberg_files(table))}
    if one.kind == "added":
        return path in sums or path not in now
    return path not in now and path not in sums
