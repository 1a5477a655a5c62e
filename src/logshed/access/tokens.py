"""The store of tokens: a SQLite file that only its owner may read, with nothing in it that opens a door.

Of a token only the SHA-256 of its secret is kept. A slow, salted hash protects secrets that people choose, since those
can be guessed; a secret of 256 random bits cannot, so a quick hash is as good, and no request waits for it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from logshed.access.grants import VERBS, Grant
from logshed.access.private import PrivateFile
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ID_BYTES, SECRET_BYTES = 6, 32
LONGEST_SECONDS = 100 * 366 * 86_400.0
USED_SECONDS = 60.0
"""The last use of a token is written this often at most."""
_FORM = re.compile(rf"logshed_([0-9a-f]{{{2 * ID_BYTES}}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")
_NOBODY = hashlib.sha256(b"").digest()
"""Compared with where there is no such token, so that the answer takes as long."""
_STEPS = (
    """
CREATE TABLE tokens (
    id TEXT PRIMARY KEY, hash BLOB NOT NULL, name TEXT NOT NULL, scopes TEXT NOT NULL, verbs TEXT NOT NULL,
    created REAL NOT NULL, expires REAL, used REAL, revoked REAL
) STRICT
""",
    "ALTER TABLE tokens ADD COLUMN rate INTEGER",
    "ALTER TABLE tokens ADD COLUMN owner TEXT",
)
"""From each version of the file to the next."""
_COLUMNS = "id, name, scopes, verbs, created, expires, used, revoked, rate, owner"


class Token(NamedTuple):
    """What is known of a token, which is all but its secret.

    Attributes:
        id: Its second part, by which it is revoked.
        name: What it is for, in words.
        scopes: Globs on names of collections.
        verbs: What it allows, sorted.
        created: Seconds since 1970, as all of these.
        expires: When it ends, or None.
        used: About when it was last used, or None.
        revoked: When it was revoked, or None.
        rate: Bytes a second that it may bring in, or None.
        owner: Id of the user whose it is; None where it stands by itself.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    verbs: tuple[str, ...]
    created: float
    expires: float | None
    used: float | None
    revoked: float | None
    rate: int | None = None
    owner: str | None = None

    def state(self, now: float) -> str:
        """``valid``, ``expired`` or ``revoked``."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "valid"


class Tokens:
    """The tokens that doors let in; may be used by several threads and processes at once.

    Args:
        path: The file, which is made (mode 600) when the first token is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = PrivateFile(path, _STEPS, what="tokens", setting="tokens")

    def create(
        self,
        scopes: Sequence[str],
        verbs: Sequence[str] = ("read",),
        *,
        name: str = "",
        seconds: float | None = None,
        rate: int | None = None,
        owner: str | None = None,
    ) -> tuple[str, Token]:
        """Make a token.

        Args:
            scopes: Globs on names of collections, one at least.
            verbs: What it allows, of ``VERBS``.
            name: What it is for.
            seconds: How long it is good; None is for ever.
            rate: Bytes a second that it may bring in; None is as many as come.
            owner: Id of the user whose it is; None for one that stands by itself.

        Returns:
            The token, which nobody can tell again, and what is known of it.

        Raises:
            UsageError: It would allow nothing, or for too long; a verb is unknown; it has a rate and brings nothing in.
            AccessError: The file cannot be used.
        """
        _check(scopes, verbs, rate)
        if seconds is not None and seconds > LONGEST_SECONDS:
            raise UsageError("cannot make a token: it would be good for more than 100 years; make it for ever, or less")
        now = time.time()
        token, secret = secrets.token_hex(ID_BYTES), secrets.token_hex(SECRET_BYTES)
        expires = None if seconds is None else now + seconds
        allowed = tuple(dict.fromkeys(scopes)), tuple(sorted(set(verbs)))
        kept = Token(token, name, *allowed, now, expires, None, None, rate, owner)
        with self._file.opened(create=True) as file:
            file.execute(
                "INSERT INTO tokens (id, hash, name, scopes, verbs, created, expires, rate, owner)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    token,
                    _hash(secret),
                    name,
                    json.dumps(kept.scopes),
                    json.dumps(kept.verbs),
                    now,
                    expires,
                    rate,
                    owner,
                ),
            )
        return f"logshed_{token}_{secret}", kept

    def list(self) -> list[Token]:
        """All tokens, the oldest first.

        Raises:
            AccessError: The file cannot be used.
        """
        if not self._file.there:
            return []
        with self._file.opened() as file:
            return [_token(row) for row in file.execute(f"SELECT {_COLUMNS} FROM tokens ORDER BY created, id")]

    def revoke(self, token: str) -> Token:
        """Let a token open nothing from now on; to revoke it again changes nothing.

        Args:
            token: Its id.

        Raises:
            UsageError: There is none of this id.
            AccessError: The file cannot be used.
        """
        unknown = UsageError(f"cannot revoke {token}: there is no such token; `logshed token list` names them by id")
        if not self._file.there:
            raise unknown
        with self._file.opened() as file:
            file.execute("UPDATE tokens SET revoked = ? WHERE id = ? AND revoked IS NULL", (time.time(), token))
            row = file.execute(f"SELECT {_COLUMNS} FROM tokens WHERE id = ?", (token,)).fetchone()
        if row is None:
            raise unknown
        return _token(row)

    def revoke_of(self, owner: str, keeps: Callable[[Token], bool] = lambda _: False) -> Sequence[Token]:
        """Let the tokens of a user open nothing from now on.

        Args:
            owner: Id of the user.
            keeps: Says of each whether it goes on.

        Returns:
            Those that were revoked.

        Raises:
            AccessError: The file cannot be used.
        """
        over = [one for one in self.list() if one.owner == owner and one.revoked is None and not keeps(one)]
        return [self.revoke(one.id) for one in over]

    def check(self, token: str) -> Grant | None:
        """What a token allows; None where it is none of ours, revoked or expired.

        Raises:
            AccessError: The file cannot be used.
        """
        parts = _FORM.fullmatch(token)
        if parts is None or not self._file.there:
            return None
        now = time.time()
        with self._file.opened() as file:
            row = file.execute(f"SELECT {_COLUMNS}, hash FROM tokens WHERE id = ?", (parts[1],)).fetchone()
            right = hmac.compare_digest(_hash(parts[2]), _NOBODY if row is None else row[-1])
            if row is None or not right:
                return None
            known = _token(row[:-1])
            if known.state(now) != "valid":
                return None
            if known.used is None or now - known.used > USED_SECONDS:
                file.execute("UPDATE tokens SET used = ? WHERE id = ?", (now, known.id))
        verbs = frozenset(known.verbs)
        return Grant(known.id, known.scopes, verbs, known.expires, known.rate, known.owner, known.used is None)


def _check(scopes: Sequence[str], verbs: Sequence[str], rate: int | None) -> None:
    if not scopes or not all(scopes):
        raise UsageError("cannot make a token: it names no collection; write --collection NAME, or '*' for all")
    if unknown := sorted(set(verbs) - VERBS.keys()):
        raise UsageError(f"cannot make a token: there is no verb {unknown[0]!r}; the verbs are {', '.join(VERBS)}")
    if not verbs:
        raise UsageError(f"cannot make a token: it allows nothing; the verbs are {', '.join(VERBS)}")
    if rate is not None and rate < 1:
        raise UsageError("cannot make a token: its rate is below 1 byte a second; leave it out for no limit")
    if rate is not None and "write" not in verbs:
        raise UsageError("cannot make a token: it has a rate and brings nothing in; add --verb write")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _token(row: Sequence[Any]) -> Token:
    token, name, scopes, verbs, *rest = row
    return Token(token, name, tuple(json.loads(scopes)), tuple(json.loads(verbs)), *rest)
