"""Links that open once: for the first administrator, for who is invited, for who lost their password."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from logshed.access.account_file import hashed, new_secret
from logshed.errors import UsageError

if TYPE_CHECKING:
    import sqlite3

    from logshed.access.private import PrivateFile

KINDS = {"first": 3_600.0, "invite": 7 * 86_400.0, "reset": 3_600.0}
"""What a link is for, and for how many seconds it is good."""


class Link(NamedTuple):
    """What a link is for.

    Attributes:
        kind: Of ``KINDS``.
        user: Id of the one who takes a password by it; None for the first administrator.
        expires: Seconds since 1970.
    """

    kind: str
    user: str | None
    expires: float


class Links:
    """All links that were not used yet.

    Args:
        file: Where they are kept, as hashes.
    """

    def __init__(self, file: PrivateFile) -> None:
        self._file = file

    def make(self, kind: str, user: str | None = None, *, seconds: float | None = None) -> tuple[str, Link]:
        """Make a link; others for the same user open nothing from now on.

        Args:
            kind: Of ``KINDS``.
            user: Whose id; None for the first administrator.
            seconds: How long it is good; None takes what is usual.

        Returns:
            Its secret, which nobody can tell again, and what it is for.

        Raises:
            AccessError: The file cannot be used.
        """
        now, secret = time.time(), new_secret()
        made = Link(kind, user, now + (KINDS[kind] if seconds is None else seconds))
        with self._file.opened(create=True) as file:
            file.execute("DELETE FROM links WHERE expires <= ? OR user IS ?", (now, user))
            file.execute("INSERT INTO links (hash, kind, user, expires) VALUES (?, ?, ?, ?)", (hashed(secret), *made))
        return secret, made

    def look(self, secret: str) -> Link | None:
        """What a link is for; None where it is none of ours, was used, or is too old.

        Raises:
            AccessError: The file cannot be used.
        """
        if not self._file.there:
            return None
        with self._file.opened() as file:
            return _found(file, secret)

    def use(self, secret: str) -> Link:
        """Use a link up.

        Raises:
            UsageError: It is none of ours, was used, or is too old.
            AccessError: The file cannot be used.
        """
        found = None
        if self._file.there:
            with self._file.opened() as file:
                file.execute("BEGIN IMMEDIATE")
                found = _found(file, secret)
                file.execute("DELETE FROM links WHERE hash = ?", (hashed(secret),))
        if found is None:
            raise UsageError("cannot open this link: it was used, or is too old; ask for another")
        return found

    def drop(self, user: str | None) -> None:
        """Let the links for a user open nothing from now on.

        Raises:
            AccessError: The file cannot be used.
        """
        if self._file.there:
            with self._file.opened() as file:
                file.execute("DELETE FROM links WHERE user IS ?", (user,))


def _found(file: sqlite3.Connection, secret: str) -> Link | None:
    row = file.execute("SELECT kind, user, expires FROM links WHERE hash = ?", (hashed(secret),)).fetchone()
    return Link(*row) if row and row[2] > time.time() else None
