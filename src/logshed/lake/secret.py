"""A lake's own secret: 256 random bits that lie in its folder and that nobody who only queries it sees."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from logshed.errors import LakeError

if TYPE_CHECKING:
    from pathlib import Path

SECRET_FILE = "names.key"  # noqa: S105 - a name
SECRET_BYTES = 32
_MODE = 0o600
_FROM, _TO = "0123456789abcdef", "abcdefghijklmnop"
"""Written in letters only, in which no rule sees a number of anything."""


def lake_secret(root: Path) -> bytes:
    """The secret of the lake in a folder, made where there is none; all who ask at once get the same.

    Raises:
        LakeError: It cannot be read or made.
    """
    path = root / SECRET_FILE
    try:
        if not path.exists():
            _make(path)
        text = path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise LakeError(f"cannot use {path}: {error}; restore it, or delete it to have another made") from error
    return decoded(text, str(path))


def fresh() -> str:
    """A new secret as it is written."""
    return secrets.token_hex(SECRET_BYTES).translate(str.maketrans(_FROM, _TO)) + "\n"


def decoded(text: str, path: str) -> bytes:
    """A secret as it was written.

    Raises:
        LakeError: It is not whole.
    """
    try:
        found = bytes.fromhex(text.strip().translate(str.maketrans(_TO, _FROM)))
    except ValueError as error:
        raise LakeError(f"cannot use {path}: {error}; restore it, or delete it to have another made") from error
    if len(found) != SECRET_BYTES:
        raise LakeError(f"cannot use {path}: it is not whole; restore it, or delete it to have another made")
    return found


def _make(path: Path) -> None:
    """Write it beside its place and link it there, which only the first of several can."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "w", encoding="ascii") as file:
        file.write(fresh())
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(beside, path)
    beside.unlink()
