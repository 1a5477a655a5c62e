"""Those who may sign in: each has a role, some collections, and a password or an identity elsewhere."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from logshed.access import passwords
from logshed.access.account_file import new_id
from logshed.access.grants import EVERY, Grant
from logshed.access.roles import grant_of, role
from logshed.errors import UsageError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from logshed.access.private import PrivateFile

RESERVED = frozenset({"local", "stranger"})  # what the audit trail calls those who are no users
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_EMAIL = re.compile(r"[^@\s<>\"',;:]{1,64}@[^@\s<>\"',;:]{1,190}")
COLUMNS = "id, name, role, scopes, email, hash, issuer, subject, must_change, created, seen, disabled"
_OWN = tuple(COLUMNS.split(", "))


class User(NamedTuple):
    """Somebody who may sign in.

    Attributes:
        id: Stays, whatever else changes.
        name: By which they sign in; there is one of it, in small or in capital letters.
        role: Of ``roles()``.
        scopes: Globs on names of collections.
        email: Where to write to, or None.
        has_password: Whether they may sign in by one.
        issuer: Who vouches for them elsewhere, or None.
        subject: Who they are there, or None.
        must_change: Whether they have to take another password first.
        created: Seconds since 1970, as all of these.
        seen: When they last signed in, or None.
        disabled: Since when they may not, or None.
    """

    id: str
    name: str
    role: str
    scopes: tuple[str, ...]
    email: str | None
    has_password: bool
    issuer: str | None
    subject: str | None
    must_change: bool
    created: float
    seen: float | None
    disabled: float | None

    @property
    def state(self) -> str:
        """``disabled``, ``invited`` (who never took a password) or ``active``."""
        if self.disabled is not None:
            return "disabled"
        return "active" if self.has_password or self.issuer else "invited"

    @property
    def grant(self) -> Grant:
        """What they may do to collections."""
        return grant_of(self.role, self.scopes, f"user:{self.id}")


class Accounts:
    """All users.

    Args:
        file: Where they are kept.
    """

    def __init__(self, file: PrivateFile) -> None:
        self._file = file

    def add(
        self,
        name: str,
        given: str,
        scopes: Sequence[str] = (),
        *,
        email: str | None = None,
        identity: tuple[str, str] | None = None,
    ) -> User:
        """Make a user, who has no password yet.

        Args:
            name: By which they sign in.
            given: Their role.
            scopes: Globs on names of collections; one at least, unless the role has all.
            email: Where to write to.
            identity: Who vouches for them, and who they are there.

        Returns:
            The user; where another request has just made one of this identity, that one.

        Raises:
            UsageError: There is one of that name, or something is off.
            AccessError: The file cannot be used.
        """
        if _NAME.fullmatch(name) is None or name.lower() in RESERVED:
            raise UsageError(
                f"cannot add the user {name!r}: a name has at most 64 letters, digits, `.`, `_`, `@`, `+` and `-`, "
                f"and is none of {', '.join(sorted(RESERVED))}; take another"
            )
        kept, mail = _scopes(given, scopes), _email(email)
        issuer, subject = identity or (None, None)
        with self._file.opened(create=True) as file:
            file.execute("BEGIN IMMEDIATE")  # who adds at the same moment waits, and then sees this one
            same = f"SELECT {COLUMNS} FROM users WHERE issuer = ? AND subject = ?"
            if made := file.execute(same, (issuer, subject)).fetchone():
                return user_of(made)
            if file.execute("SELECT 1 FROM users WHERE name = ?", (name,)).fetchone():
                raise UsageError(f"cannot add the user {name}: there is one of that name; take another")
            file.execute(
                "INSERT INTO users (id, name, role, scopes, email, issuer, subject, must_change, created)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
                (new_id(), name, given, json.dumps(kept), mail, issuer, subject, time.time()),
            )
            return self._named(file, name)

    def list(self) -> list[User]:
        """All of them by name.

        Raises:
            AccessError: The file cannot be used.
        """
        if not self._file.there:
            return []
        with self._file.opened() as file:
            return [user_of(row) for row in file.execute(f"SELECT {COLUMNS} FROM users ORDER BY name")]

    def get(self, name: str) -> User:
        """The one of a name.

        Raises:
            UsageError: There is none.
            AccessError: The file cannot be used.
        """
        if not self._file.there:
            raise _unknown(name)
        with self._file.opened() as file:
            return self._named(file, name)

    def by_id(self, user: str) -> User | None:
        """The one of an id, if any."""
        return self._one("id = ?", user)

    def identified(self, issuer: str, subject: str) -> User | None:
        """The one for whom somebody else vouches, if any."""
        return self._one("issuer = ? AND subject = ?", issuer, subject)

    def has_admin(self) -> bool:
        """Whether anybody may administer."""
        return any(one.role == "admin" and one.state == "active" for one in self.list())

    def change(
        self,
        name: str,
        *,
        given: str | None = None,
        scopes: Sequence[str] | None = None,
        email: str | None = None,
        disabled: bool | None = None,
        must_change: bool | None = None,
        sure: bool = False,
    ) -> User:
        """Change what is known of a user; None leaves it as it is.

        Args:
            name: Who.
            given: Another role.
            scopes: Other globs on names of collections.
            email: Another address; empty takes it away.
            disabled: Whether they may not sign in.
            must_change: Whether they have to take another password first.
            sure: Whether it is done even if nobody is left who may administer.

        Raises:
            UsageError: There is none of that name, something is off, or nobody would be left who may administer.
            AccessError: The file cannot be used.
        """
        if not self._file.there:
            raise _unknown(name)
        with self._file.opened() as file:
            file.execute("BEGIN IMMEDIATE")
            old = self._named(file, name)
            kept = _scopes(given or old.role, old.scopes if scopes is None else scopes)
            since = old.disabled if disabled is None else ((old.disabled or time.time()) if disabled else None)
            change = must_change if must_change is not None else old.must_change
            if must_change and not old.has_password:
                raise UsageError(f"cannot make {old.name} take another password: they have none; send a link")
            file.execute(
                "UPDATE users SET role = ?, scopes = ?, email = ?, disabled = ?, must_change = ? WHERE id = ?",
                (
                    given or old.role,
                    json.dumps(kept),
                    old.email if email is None else _email(email),
                    since,
                    change,
                    old.id,
                ),
            )
            if old.role == "admin" and old.state == "active" and not sure:
                _leaves_an_admin(file, old.name)
            return self._named(file, name)

    def set_password(self, user: str, password: str) -> None:
        """Give a user a password.

        Args:
            user: Their id.
            password: What it is from now on.

        Raises:
            UsageError: It may be none, or somebody else vouches for that user.
            AccessError: The file cannot be used.
        """
        known = self.by_id(user)
        if known is None or known.issuer is not None:
            raise UsageError("cannot set a password: this user signs in elsewhere; change it there")
        passwords.check(password, known.name, (known.email or "").partition("@")[0])
        made = passwords.hashed(password)
        with self._file.opened() as file:
            file.execute("UPDATE users SET hash = ?, must_change = 0 WHERE id = ?", (made, user))

    def verify(self, name: str, password: str) -> User | None:
        """The user of a name and a password; None, after as long a time, whatever of it is wrong.

        Raises:
            AccessError: The file cannot be used.
        """
        row = None
        if self._file.there:
            with self._file.opened() as file:
                row = file.execute(f"SELECT {COLUMNS} FROM users WHERE name = ?", (name,)).fetchone()
        kept = row[_OWN.index("hash")] if row else None
        right = passwords.matches(kept, password)
        if row is None or kept is None or not right:
            return None
        user = user_of(row)
        if user.disabled is not None:
            return None
        if passwords.outdated(kept):
            made = passwords.hashed(password)
            with self._file.opened() as file:
                file.execute("UPDATE users SET hash = ? WHERE id = ? AND hash = ?", (made, user.id, kept))
        return user

    def _one(self, condition: str, *values: str) -> User | None:
        if not self._file.there:
            return None
        with self._file.opened() as file:
            row = file.execute(f"SELECT {COLUMNS} FROM users WHERE {condition}", values).fetchone()
        return row and user_of(row)

    def _named(self, file: sqlite3.Connection, name: str) -> User:
        row = file.execute(f"SELECT {COLUMNS} FROM users WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise _unknown(name)
        return user_of(row)


def user_of(row: Sequence[Any]) -> User:
    """A user from the columns ``COLUMNS``."""
    of = dict(zip(_OWN, row, strict=True))
    of["scopes"] = tuple(json.loads(of["scopes"]))
    of["has_password"] = of.pop("hash") is not None
    return User(**{**of, "must_change": bool(of["must_change"])})


def _unknown(name: str) -> UsageError:
    return UsageError(f"cannot find the user {name!r}: there is none of that name; `logshed user list` names them")


def _scopes(given: str, scopes: Sequence[str]) -> tuple[str, ...]:
    if role(given).everywhere:
        return (EVERY,)
    if not scopes or not all(scopes):
        raise UsageError(f"cannot give the role {given}: it names no collection; name one, or '*' for all")
    return tuple(dict.fromkeys(scopes))


def is_email(text: str) -> bool:
    """Whether a text is an address of e-mail and nothing else."""
    return _EMAIL.fullmatch(text) is not None


def _email(text: str | None) -> str | None:
    if text and not is_email(text):
        raise UsageError(f"cannot take {text!r}: it is no address of e-mail; write it as name@example.org")
    return text or None


def _leaves_an_admin(file: sqlite3.Connection, name: str) -> None:
    left = [user_of(row) for row in file.execute(f"SELECT {COLUMNS} FROM users WHERE role = 'admin'")]
    if not any(one.state == "active" for one in left):
        raise UsageError(
            f"cannot change {name}: nobody would be left who may administer; make another administrator first"
        )
