"""Sessions of those who have signed in: random ids that are kept as hashes, end by themselves, and can be ended."""

from __future__ import annotations

import hmac
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from logshed.access.account_file import SECRET_BYTES, hashed, new_id, new_secret
from logshed.access.accounts import COLUMNS, User, user_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.access.private import PrivateFile

IDLE_SECONDS, LONGEST_SECONDS = 8 * 3600.0, 7 * 86_400.0
SEEN_SECONDS = 60.0
"""When a session was last seen is written this often at most."""
MOST_AGENT = 200
MOST_OF_ONE = 50
"""Sessions of one user; the one that was seen least recently ends for a further one."""
_DIGITS = 2 * SECRET_BYTES
_COLUMNS = "id, user, via, hint, address, agent, created, seen, expires"


class Session(NamedTuple):
    """Somebody is signed in.

    Attributes:
        id: By which it is ended; no secret.
        user: Their id.
        via: ``password``, ``link`` or ``oidc``.
        hint: What the identity provider wants to hear again when they sign out, or None.
        address: From where they signed in.
        agent: By which program.
        created: Seconds since 1970, as all of these.
        seen: When they were last here, about.
        expires: When it ends whatever they do.
    """

    id: str
    user: str
    via: str
    hint: str | None
    address: str
    agent: str
    created: float
    seen: float
    expires: float


class Sessions:
    """All sessions.

    Args:
        file: Where they are kept.
        idle: Seconds without a request after which one ends.
        longest: Seconds after which one ends.
    """

    def __init__(self, file: PrivateFile, *, idle: float = IDLE_SECONDS, longest: float = LONGEST_SECONDS) -> None:
        self._file = file
        self._idle, self._longest = idle, longest

    def begin(
        self, user: str, *, via: str, address: str = "", agent: str = "", hint: str | None = None
    ) -> tuple[str, Session]:
        """Sign somebody in.

        Args:
            user: Their id.
            via: ``password``, ``link`` or ``oidc``.
            address: From where.
            agent: By which program.
            hint: What the identity provider wants to hear again.

        Returns:
            The secret that opens it, which nobody can tell again, and what is known of it.

        Raises:
            AccessError: The file cannot be used.
        """
        now, secret = time.time(), new_secret()
        made = Session(new_id(), user, via, hint, address, agent[:MOST_AGENT], now, now, now + self._longest)
        with self._file.opened() as file:
            file.execute("DELETE FROM sessions WHERE expires <= ? OR seen <= ?", (now, now - self._idle))
            file.execute(
                "DELETE FROM sessions WHERE user = ? AND id NOT IN"
                " (SELECT id FROM sessions WHERE user = ? ORDER BY seen DESC LIMIT ?)",
                (user, user, MOST_OF_ONE - 1),
            )
            file.execute(
                f"INSERT INTO sessions ({_COLUMNS}, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*made, hashed(secret)),
            )
            file.execute("UPDATE users SET seen = ? WHERE id = ?", (now, user))
        return secret, made

    def check(self, secret: str, *, active: bool = True) -> tuple[Session, User] | None:
        """Who is signed in by a secret; None where it is none of ours, has ended, or its user may not sign in.

        Args:
            secret: What was shown.
            active: Whether somebody asks. A page that asks by itself, or a stream, keeps no session from being idle.

        Raises:
            AccessError: The file cannot be used.
        """
        if len(secret) != _DIGITS or not self._file.there:
            return None
        now = time.time()
        own = ", ".join(f"s.{name}" for name in _COLUMNS.split(", "))
        theirs = ", ".join(f"u.{name}" for name in COLUMNS.split(", "))
        with self._file.opened() as file:
            row = file.execute(
                f"SELECT {own}, {theirs} FROM sessions s JOIN users u ON u.id = s.user WHERE s.hash = ?",
                (hashed(secret),),
            ).fetchone()
            if row is None:
                return None
            parts = len(Session._fields)
            found, user = Session(*row[:parts]), user_of(row[parts:])
            if user.disabled is not None or found.expires <= now or found.seen <= now - self._idle:
                return None
            if active and now - found.seen > min(SEEN_SECONDS, self._idle / 2):
                file.execute("UPDATE sessions SET seen = ? WHERE id = ?", (now, found.id))
        return found, user

    def of(self, user: str) -> Sequence[Session]:
        """Those of a user that have not ended, the newest first.

        Raises:
            AccessError: The file cannot be used.
        """
        return self._list(" AND user = ?", (user,))

    def list(self) -> Sequence[Session]:
        """All that have not ended, the newest first.

        Raises:
            AccessError: The file cannot be used.
        """
        return self._list("", ())

    def end(self, user: str, session: str) -> bool:
        """End one of a user's.

        Returns:
            Whether there was one of this id.

        Raises:
            AccessError: The file cannot be used.
        """
        return self._delete("user = ? AND id = ?", (user, session)) > 0

    def end_all(self, user: str, *, but: str | None = None) -> int:
        """End those of a user.

        Args:
            user: Their id.
            but: The one that goes on.

        Returns:
            How many ended.

        Raises:
            AccessError: The file cannot be used.
        """
        return self._delete("user = ? AND id IS NOT ?", (user, but))

    def _list(self, condition: str, values: Sequence[Any]) -> Sequence[Session]:
        if not self._file.there:
            return []
        now = time.time()
        with self._file.opened() as file:
            rows = file.execute(
                f"SELECT {_COLUMNS} FROM sessions WHERE expires > ? AND seen > ?{condition} ORDER BY created DESC, id",
                (now, now - self._idle, *values),
            )
            return [Session(*row) for row in rows]

    def _delete(self, condition: str, values: Sequence[Any]) -> int:
        if not self._file.there:
            return 0
        with self._file.opened() as file:
            return file.execute(f"DELETE FROM sessions WHERE {condition}", values).rowcount


def csrf(secret: str) -> str:
    """What forms of a session send along, which no other site can know; it tells nothing of the secret."""
    return hmac.digest(secret.encode(), b"logshed csrf", "sha256").hex()
