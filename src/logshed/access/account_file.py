"""The file of those who may sign in: users, their sessions, links that open once, sign-ins that are under way."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from logshed.access.private import PrivateFile

if TYPE_CHECKING:
    from pathlib import Path

ID_BYTES, SECRET_BYTES = 6, 32
_STEPS = (
    """
CREATE TABLE users (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE, role TEXT NOT NULL, scopes TEXT NOT NULL, email TEXT,
    hash TEXT, issuer TEXT, subject TEXT, must_change INTEGER NOT NULL, created REAL NOT NULL, seen REAL, disabled REAL,
    UNIQUE (issuer, subject)
) STRICT
""",
    """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, user TEXT NOT NULL REFERENCES users (id), via TEXT NOT NULL,
    hint TEXT, address TEXT NOT NULL, agent TEXT NOT NULL, created REAL NOT NULL, seen REAL NOT NULL,
    expires REAL NOT NULL
) STRICT
""",
    "CREATE INDEX sessions_of ON sessions (user)",
    """
CREATE TABLE links (
    hash BLOB PRIMARY KEY, kind TEXT NOT NULL, user TEXT REFERENCES users (id), expires REAL NOT NULL
) STRICT
""",
    """
CREATE TABLE flows (
    hash BLOB PRIMARY KEY, nonce TEXT NOT NULL, verifier TEXT NOT NULL, issuer TEXT NOT NULL, next TEXT NOT NULL,
    expires REAL NOT NULL
) STRICT
""",
)


def account_file(path: Path) -> PrivateFile:
    """The file at a path; nothing is made yet."""
    return PrivateFile(path, _STEPS, what="accounts", setting="web.accounts")


def new_id() -> str:
    """A name for a row, which is no secret."""
    return secrets.token_hex(ID_BYTES)


def new_secret() -> str:
    """256 random bits, in hexadecimal digits."""
    return secrets.token_hex(SECRET_BYTES)


def hashed(secret: str) -> bytes:
    """What is kept of a random secret, which cannot be guessed: so a quick hash is as good as a slow one."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
