"""Passwords: what may be one, and their hashes by Argon2id."""

from __future__ import annotations

import threading
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from logshed.errors import UsageError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 12, 256
FEWEST = 5
"""Different characters of a password."""
ROUNDS, KIBIBYTES, LANES = 2, 19 * 1024, 1
"""What Argon2id is told, after OWASP's cheat sheet on storing passwords."""
AT_ONCE = 2
"""So many hashes are made at once, which bounds memory and leaves processors to others."""
_turns = threading.BoundedSemaphore(AT_ONCE)


def check(password: str, *names: str) -> None:
    """Refuse what is easily guessed.

    Args:
        password: What is to be one.
        names: What it must not hold: names of its user.

    Raises:
        UsageError: It may be none; the text says why.
    """
    text = _plain(password)
    refused = "cannot take that password"
    if not SHORTEST <= len(text) <= LONGEST:
        raise UsageError(f"{refused}: it has {len(text)} characters; take {SHORTEST} to {LONGEST}, several words say")
    if len(set(text)) < FEWEST:
        raise UsageError(f"{refused}: it has fewer than {FEWEST} different characters; take several words")
    if any(name and name.casefold() in text.casefold() for name in names):
        raise UsageError(f"{refused}: it holds a name of its user; take several words")


def hashed(password: str) -> str:
    """The hash that is kept."""
    with _turns:
        return _hasher().hash(_plain(password))


def matches(kept: str | None, password: str) -> bool:
    """Whether a password is the one of a hash; takes as long where there is none.

    Args:
        kept: The hash, or None.
        password: What was given, of any length.
    """
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415 - of the extra `web`

    given = _plain(password[: 4 * LONGEST])  # it may be composed of more than it will have
    nobody = _nobody()
    with _turns:
        try:
            return _hasher().verify(nobody if kept is None else kept, given) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def outdated(kept: str) -> bool:
    """Whether a hash was made with other parameters than are used today."""
    return _hasher().check_needs_rehash(kept)


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher  # noqa: PLC0415 - of the extra `web`

    return PasswordHasher(time_cost=ROUNDS, memory_cost=KIBIBYTES, parallelism=LANES)


@cache
def _nobody() -> str:
    return _hasher().hash("")


def _plain(password: str) -> str:
    """One form for what looks the same, however a keyboard composes it."""
    return unicodedata.normalize("NFC", password)
