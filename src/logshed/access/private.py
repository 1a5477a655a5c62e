"""A SQLite file that its owner alone may read, made and brought up to date when it is needed."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

from logshed.errors import AccessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

BUSY_SECONDS = 5.0
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class PrivateFile:
    """A file of tables; may be used by several threads and processes at once.

    Args:
        path: The file, which is made (mode 600) when something is first written.
        steps: Statements that bring it from each version to the next; a new file takes all of them.
        what: What it holds, for errors, such as ``tokens``.
        setting: The key that says where it lies.
    """

    def __init__(self, path: Path, steps: Sequence[str], *, what: str, setting: str) -> None:
        self.path = path
        self._steps = steps
        self._what, self._setting = what, setting

    @property
    def there(self) -> bool:
        """Whether anything was ever written."""
        return self.path.exists()

    @contextmanager
    def opened(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """A connection, whose changes are kept when all went well.

        Args:
            create: Whether the file is made where it is not there.

        Raises:
            AccessError: It cannot be used, or others than its owner may read it.
        """
        try:
            self._private(create=create)
            file = sqlite3.connect(self.path, timeout=BUSY_SECONDS)
            try:
                with file:
                    self._prepare(file)
                    yield file
            finally:
                file.close()
        except (sqlite3.Error, OSError) as error:
            raise AccessError(
                f"cannot use the {self._what} in {self.path}: {error}; check the file, or set `{self._setting}` to "
                "another"
            ) from error

    def _private(self, *, create: bool) -> None:
        """Make the file where it is not there, and refuse one that others may read."""
        if create:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        if self.path.stat().st_mode & OTHERS:
            raise AccessError(
                f"cannot use the {self._what} in {self.path}: others than its owner may read or write it; chmod 600 it"
            )

    def _prepare(self, file: sqlite3.Connection) -> None:
        newest = len(self._steps)
        (version,) = file.execute("PRAGMA user_version").fetchone()
        if version > newest:
            raise AccessError(f"cannot use the {self._what}: their file is of version {version}; use a newer Logshed")
        if version < newest:
            file.execute("BEGIN IMMEDIATE")
            (version,) = file.execute("PRAGMA user_version").fetchone()  # another process may have been quicker
            for step in self._steps[version:]:
                file.execute(step)
            file.execute(f"PRAGMA user_version = {max(version, newest)}")
            file.commit()
