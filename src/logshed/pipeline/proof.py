"""Proofs of exported answers: a file's hash, what was asked, which state of the lake answered; signed if wanted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import orjson

from logshed.errors import LogshedError
from logshed.lake.names import TABLES
from logshed.pipeline import writing
from logshed.redaction import signing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from logshed.lake.store import Store
    from logshed.redaction.keyring import Key, KeyRing

FORMAT = "logshed proof 1"
"""What the document calls itself; the number changes with its shape."""
ENDING = ".proof.json"


@dataclass(frozen=True, slots=True)
class Checked:
    """What a proof says that holds.

    Attributes:
        file: The file that it is of.
        rows: Its rows.
        made: When it was written, ISO 8601.
        key: Id of the key that signed it; empty where it is not signed.
    """

    file: Path
    rows: int
    made: str
    key: str = ""


def snapshots(store: Store) -> dict[str, str]:
    """The state of each table that answers are made of: the id of its current snapshot; of an empty one nothing."""
    found = {}
    for short, table in TABLES.items():
        snapshot = store.table(table).current_snapshot() if store.has(table) else None
        if snapshot is not None:
            found[short] = str(snapshot.snapshot_id)
    return found


def write(
    file: Path,
    asked: Mapping[str, Any],
    rows: int,
    states: tuple[Mapping[str, str], Mapping[str, str]],
    key: Key | None,
) -> Path:
    """Write the proof of a file beside it.

    Args:
        file: The answer as it was written.
        asked: What was asked: the question or statement and its parameters.
        rows: Rows of the answer.
        states: The lake's snapshots before and after it answered; they differ where others wrote meanwhile.
        key: Signs it; None leaves it unsigned.

    Returns:
        Its path: that of the file with ``.proof.json`` at its end.

    Raises:
        LogshedError: The file cannot be read, or the proof not written.
    """
    before, after = states
    document = {
        "proof": FORMAT,
        "file": file.name,
        "bytes": file.stat().st_size,
        "sha256": _hash(file),
        "rows": rows,
        "asked": {name: _plain(value) for name, value in asked.items()},
        "snapshots": dict(before) if before == after else {"before": dict(before), "after": dict(after)},
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "logshed": version("logshed"),
    }
    path = file.with_name(file.name + ENDING)
    with writing.opened(path, "plain", "utf-8") as output:
        output.write(orjson.dumps(signing.signed(document, key) if key else document, option=orjson.OPT_INDENT_2))
    return path


def check(path: Path, keys: Callable[[], KeyRing]) -> Checked:
    """Check that a proof is as it was signed, and that the file beside it is the one that it is of.

    Args:
        path: The proof, or the file that it is of.
        keys: Reads the keys among which the one that signed it is looked for; not asked where nobody signed.

    Raises:
        LogshedError: Something of it does not hold, or cannot be told; the text says what.
    """
    place = path if path.name.endswith(ENDING) else path.with_name(path.name + ENDING)
    document = signing.parse(_read(place), str(place))
    if document.get("proof") != FORMAT:
        raise LogshedError(f"cannot verify {place}: it is no '{FORMAT}'; name a file that was written with --proof")
    key = ""
    if "signature" in document:
        key = signing.verified(document, keys(), what=str(place), advice="write it with --sign")
    file = place.parent / str(document.get("file", ""))
    if file.parent != place.parent or f"{file.name}{ENDING}" != place.name:
        raise LogshedError(f"cannot verify {place}: it names no file beside it; do not rely on it")
    if _hash(file) != document.get("sha256"):
        raise LogshedError(f"cannot verify {file}: it is not as it was when the proof was made; do not rely on it")
    return Checked(file, int(document.get("rows", 0)), str(document.get("made")), key)


def _plain(value: object) -> object:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def _hash(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise LogshedError(f"cannot verify {file}: {error.strerror}; put it beside its proof") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LogshedError(f"cannot verify {path}: {error.strerror}; name an output of --proof") from None
