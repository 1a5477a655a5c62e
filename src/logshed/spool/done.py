"""How far the streams of a spool are in a lake, which its readers note so that its writer makes room."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import orjson

from logshed.errors import SpoolError, SpoolFullError
from logshed.spool.disk import put
from logshed.spool.reserve import give_up

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

DONE = "done.json"
LOCK = "done.lock"


def note_done(root: Path, ends: Mapping[str, int]) -> None:
    """Note how far streams are in a lake, by generation, so that the spool's writer can make room.

    Raises:
        SpoolError: It cannot be written.
    """
    with _locked(root):
        known = read_done(root)
        _write(root, known | {name: max(end, known.get(name, 0)) for name, end in ends.items()})


def read_done(root: Path) -> dict[str, int]:
    """How far streams are in a lake, by generation; what cannot be read counts as nothing, which only costs room."""
    return told(root) or {}


def told(root: Path) -> dict[str, int] | None:
    """How far streams are in a lake, as it stands there; None where it cannot be read."""
    try:
        return {str(name): int(end) for name, end in orjson.loads((root / DONE).read_bytes()).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def keep_only(root: Path, generations: Collection[str]) -> None:
    """Forget streams that are gone.

    Raises:
        SpoolError: It cannot be written.
    """
    with _locked(root):
        known = read_done(root)
        left = {generation: end for generation, end in known.items() if generation in generations}
        if len(left) < len(known):
            _write(root, left)


def lower(root: Path, ends: Mapping[str, int]) -> None:
    """Note that of some streams a lake cannot have more than the spool has had.

    Raises:
        SpoolError: It cannot be written.
    """
    with _locked(root):
        known = read_done(root)
        lowered = {name: min(end, known.get(name, 0)) for name, end in ends.items()}
        if known != known | lowered:
            _write(root, known | lowered)


def _write(root: Path, ends: Mapping[str, int]) -> None:
    try:
        put(root / DONE, orjson.dumps(ends))
    except SpoolFullError:
        give_up(root)
        put(root / DONE, orjson.dumps(ends))


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """One process at a time reads and writes it, so that nothing that another notes is lost."""
    try:
        with (root / LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise SpoolError(f"cannot write {root / DONE}: {error.strerror}; check the disk") from None
