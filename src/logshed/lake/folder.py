"""A lake's folder: the marker that makes it one. Light: opening a lake to look at it needs no PyIceberg."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING

from logshed.errors import LakeError, NewerLakeError, NotALakeError
from logshed.lake.names import LAKE_VERSION, MARKER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def is_lake(root: Path) -> bool:
    """Whether the folder has a lake's marker."""
    return (root / MARKER).exists()


def check(root: Path) -> None:
    """Refuse what is not a lake that this version can read.

    Raises:
        NotALakeError: The folder is missing or holds something else.
        NewerLakeError: A newer version of Logshed wrote it.
        LakeError: It cannot be read, or it was moved.
    """
    try:
        text = (root / MARKER).read_text()
    except (FileNotFoundError, NotADirectoryError):
        raise NotALakeError(why_no_lake(root)) from None
    except OSError as error:
        raise LakeError(f"cannot open lake {root}: {error.strerror}; check the path and its permissions") from error
    try:
        stored = json.loads(text)
        version = int(stored["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotALakeError(
            f"cannot open lake {root}: {MARKER} is damaged; restore it or choose another folder"
        ) from error
    if version > LAKE_VERSION:
        raise NewerLakeError(
            f"cannot open lake {root}: it has version {version}, this Logshed knows up to {LAKE_VERSION}; "
            "upgrade Logshed"
        )
    made_at = stored.get("root", "")
    if made_at and os.path.realpath(made_at) != os.path.realpath(root):
        raise LakeError(
            f"cannot open lake {root}: it was made at {made_at}, and its tables name their files there; "
            "move it back, or link that path to it"
        )


def mark(root: Path) -> None:
    """Make the folder a lake: the last step of creating one."""
    write_atomically(root / MARKER, json.dumps({"lake": "logshed", "version": LAKE_VERSION, "root": str(root)}) + "\n")


def why_no_lake(root: Path) -> str:
    """What is wrong with a folder that has no marker."""
    if not root.exists():
        return f"cannot open lake {root}: there is none; run `logshed ingest PATH --lake {root}` to make it"
    if not root.is_dir():
        return f"cannot open lake {root}: it is a file; choose a folder with --lake"
    return f"cannot open lake {root}: the folder holds something else ({MARKER} is missing); choose another with --lake"


def write_atomically(path: Path, text: str) -> None:
    """Write a small file so that a reader sees all of it or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)


def keep_a_while(paths: Iterable[str]) -> None:
    """Let the time for which unnamed files are kept begin now: someone may read what is about to be replaced."""
    for path in paths:
        # It is gone, so nobody can begin to read it; or it is another user's, and only its own age protects it.
        with contextlib.suppress(FileNotFoundError, PermissionError):
            os.utime(path.removeprefix("file://"))
