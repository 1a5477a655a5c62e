"""A lake's folder: the marker that makes it one. Light: opening a lake to look at it needs no PyIceberg."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from logshed.errors import LakeError, NewerLakeError, NotALakeError
from logshed.lake import shared, storage
from logshed.lake.names import LAKE_VERSION, MARKER
from logshed.storage_settings import Backing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def is_lake(root: Path) -> bool:
    """Whether the folder has a lake's marker."""
    return (root / MARKER).exists()


def check(root: Path, backing: Backing | None = None) -> None:
    """Refuse what is not a lake that this version can read. The folder of one whose files lie elsewhere is made.

    Args:
        root: The folder.
        backing: The lake's catalog and storage; None takes those in the folder.

    Raises:
        NotALakeError: The folder is missing or holds something else.
        NewerLakeError: A newer version of Logshed wrote it.
        LakeError: It cannot be read, or it was moved.
    """
    backing = backing or Backing()
    if not is_lake(root):
        _attach(root, backing)
    stored = _stored(root)
    version = stored["version"]
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

    _assert_rests_on(root, stored, backing)


def lake_id(root: Path) -> str:
    """The id of a lake whose files lie elsewhere; empty of another."""
    return str(_stored(root).get("id", ""))


def _stored(root: Path) -> dict[str, Any]:
    try:
        text = (root / MARKER).read_text()
    except (FileNotFoundError, NotADirectoryError):
        raise NotALakeError(why_no_lake(root)) from None
    except OSError as error:
        raise LakeError(f"cannot open lake {root}: {error.strerror}; check the path and its permissions") from error
    try:
        stored: dict[str, Any] = json.loads(text)
        return {**stored, "version": int(stored["version"])}
    except (ValueError, KeyError, TypeError) as error:
        raise NotALakeError(
            f"cannot open lake {root}: {MARKER} is damaged; restore it or choose another folder"
        ) from error


def _attach(root: Path, backing: Backing) -> None:
    """Make the folder of this machine for a lake that another one made."""
    found = shared.found_in(backing)
    if found is not None and backing.catalog.own:
        raise NotALakeError(
            f"cannot open lake {root}: there is none, and the one in {backing.storage.warehouse} has its catalog "
            f"({found['catalog']}) elsewhere; set [catalog] to that one, a server that several machines reach"
        )
    if found is None or (root.exists() and (not root.is_dir() or not all(map(is_part, root.iterdir())))):
        return
    try:
        root.mkdir(parents=True, exist_ok=True)
        mark(root, backing, found["id"])
    except OSError as error:
        raise LakeError(f"cannot make {root}: {error.strerror}; check the path and its permissions") from error


def _assert_rests_on(root: Path, stored: Mapping[str, Any], backing: Backing) -> None:
    """Refuse settings under which the lake's files would be looked for in the wrong place."""
    made, now = stored.get("warehouse", ""), backing.storage.warehouse
    if made != now:
        raise LakeError(
            f"cannot open lake {root}: its files lie in {made or 'its own folder'}, and the settings say "
            f"{now or 'that they lie in the folder'}; set [storage] warehouse as it was, or choose another folder"
        )
    if bool(stored.get("catalog")) == backing.catalog.own:
        raise LakeError(
            f"cannot open lake {root}: it was made with the catalog ({stored['catalog'] or 'in its own folder'}), and "
            f"the settings say ({'in its own folder' if backing.catalog.own else backing.catalog}); "
            "set [catalog] as it was, or choose another folder"
        )


def mark(root: Path, backing: Backing | None = None, lake: str = "") -> None:
    """Make the folder a lake: the last step of creating one. It says on what the lake rests, and no secret."""
    marker = {"lake": "logshed", "version": LAKE_VERSION}
    if lake:
        marker |= {"id": lake}
    else:
        marker |= {"root": str(root)}
    if backing is not None and not backing.catalog.own:
        marker |= {"catalog": str(backing.catalog)}
    if backing is not None and backing.storage.warehouse:
        marker |= {"warehouse": backing.storage.warehouse}
    write_atomically(root / MARKER, json.dumps(marker) + "\n")


def is_part(path: Path) -> bool:
    """Whether it is a marker that is just being written, or was when a process was killed."""
    return path.name.startswith(f".{MARKER}.")


def why_no_lake(root: Path) -> str:
    """What is wrong with a folder that has no marker."""
    if not root.exists():
        return f"cannot open lake {root}: there is none; run `logshed ingest PATH --lake {root}` to make it"
    if not root.is_dir():
        return f"cannot open lake {root}: it is a file; choose a folder with --lake"
    return f"cannot open lake {root}: the folder holds something else ({MARKER} is missing); choose another with --lake"


def write_atomically(path: Path, text: str) -> None:
    """Write a small file so that a reader sees all of it or nothing; of several who do at once the last one stays."""
    storage.write(str(path), text.encode())
