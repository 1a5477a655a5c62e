"""The keys of pseudonyms: where they lie, how new ones are made; their bytes are never shown."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from logshed.errors import RedactionError

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT = Path("~/.config/logshed/keys")
"""Where keys are looked for and made unless a setting names another place."""
KEY_BYTES = 32
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_MODE = 0o600
_ENV = "env:"
NEW_KEY = "`logshed key new` makes one"


@dataclass(frozen=True, slots=True)
class Key:
    """One key.

    Attributes:
        name: Its id, which stands in each pseudonym that it made.
        made: When, ISO 8601 UTC; empty where that is not known.
        secret: 32 bytes.
    """

    name: str
    made: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys that there have been; the last makes new pseudonyms, the others find old ones.

    Attributes:
        keys: Oldest first.
    """

    keys: tuple[Key, ...]

    @property
    def current(self) -> Key:
        """The key of new pseudonyms."""
        return self.keys[-1]


def load_keys(where: str) -> KeyRing:
    """Read the keys.

    Args:
        where: A file's path (mode 600), ``env:NAME``, or a URL that fsspec opens; empty for ``DEFAULT``.

    Raises:
        RedactionError: There are none, they are malformed, or others may read the file.
    """
    if where.startswith(_ENV):
        name = where.removeprefix(_ENV)
        text = os.environ.get(name, "")
        if not text:
            raise RedactionError(f"cannot read keys: the environment variable {name} is not set; {NEW_KEY}")
        return _parsed(text.replace(",", "\n"), where)
    if "://" in where:
        return _parsed(_fetched(where), where)
    path = Path(where) if where else DEFAULT.expanduser()
    return _parsed(_read(path), str(path))


def add_key(path: Path, name: str = "", *, first: bool = False) -> Key:
    """Append a new random key to a file, which is made (mode 600) where there is none; it makes pseudonyms from now on.

    Args:
        path: The file.
        name: The key's id; the next of k1, k2, … by default.
        first: Whether there may be no other yet.

    Raises:
        RedactionError: The id is malformed or taken, there is a key already, or the file cannot be read or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _held(path):  # of two who add one at once neither may write over the other's
            return _added(path, name, first=first)
    except OSError as error:
        raise RedactionError(f"cannot write {path}: {error.strerror}; name another file with --file") from error


def _added(path: Path, name: str, *, first: bool) -> Key:
    there = load_keys(str(path)).keys if path.exists() else ()
    if first and path.exists():
        count = "a key" if len(there) == 1 else f"{len(there)} keys"
        raise RedactionError(
            f"cannot make the first key: {path} has {count}; `logshed key rotate` adds one, --file names another"
        )
    name = name or next(f"k{number}" for number in range(1, len(there) + 2) if f"k{number}" not in _names(there))
    if not _ID.fullmatch(name):
        raise RedactionError(f"cannot make key {name}: its id may hold small letters, digits, - and _; give another")
    if name in _names(there):
        raise RedactionError(f"cannot make key {name}: {path} has one of that id; give another")
    key = Key(name, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), secrets.token_bytes(KEY_BYTES))
    lines = [f"{one.name} {one.secret.hex()} {one.made}".rstrip() for one in (*there, key)]
    beside = path.with_name(f".{path.name}.new")
    beside.unlink(missing_ok=True)  # of one who was ended
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return key


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Let one at a time add a key; the lock ends with its process."""
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, _MODE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _names(keys: tuple[Key, ...]) -> set[str]:
    return {key.name for key in keys}


def _read(path: Path) -> str:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise RedactionError(
                f"cannot use keys of {path}: its mode is {mode:o}, so that others may read it; chmod 600 {path}"
            )
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise RedactionError(f"cannot read keys: there is no file {path}; {NEW_KEY}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RedactionError(f"cannot read keys of {path}: {error}; name a file that `logshed key new` made") from error


def _fetched(url: str) -> str:
    import fsspec  # noqa: PLC0415 - only those who keep keys elsewhere need it

    try:
        with fsspec.open(url, "r", encoding="ascii") as file:
            return str(file.read())
    except Exception as error:
        raise RedactionError(
            f"cannot read keys of {url}: {type(error).__name__}; "
            "check the URL, the credentials and that the package of that file system is installed"
        ) from error


def _parsed(text: str, where: str) -> KeyRing:
    """Lines of an id, 64 hex digits and, if known, a time; a line of hex digits alone is key ``k1``."""
    keys: list[Key] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = re.sub(r"^(\s*[^\s:]+):", r"\1 ", line).split() if not line.lstrip().startswith("#") else []
        if not words:
            continue
        name, digits = (words[0], words[1]) if len(words) > 1 else (f"k{len(keys) + 1}", words[0])
        try:
            secret = bytes.fromhex(digits)
        except ValueError:
            secret = b""
        if len(secret) != KEY_BYTES or not _ID.fullmatch(name) or name in {key.name for key in keys}:
            raise RedactionError(
                f"cannot use keys of {where}: line {number} is no id with {KEY_BYTES * 2} hex digits behind it, "
                f"or its id is there twice; {NEW_KEY}"
            )
        keys.append(Key(name, words[2] if len(words) > 2 else "", secret))  # noqa: PLR2004 - id, digits, time
    if not keys:
        raise RedactionError(f"cannot use keys of {where}: it holds none; {NEW_KEY}")
    return KeyRing(tuple(keys))
