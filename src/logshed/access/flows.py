"""Sign-ins at an identity provider that are under way: each state is good for one answer, and not long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from logshed.access.account_file import hashed, new_secret

if TYPE_CHECKING:
    from logshed.access.private import PrivateFile

SECONDS = 600.0
MOST = 10_000
"""Under way at once; for a further one the oldest is forgotten."""


class Flow(NamedTuple):
    """What has to fit when the answer comes.

    Attributes:
        nonce: That the identity has to hold.
        verifier: That proves that who asked also takes the answer.
        issuer: Who is asked.
        next: The page to go on to.
    """

    nonce: str
    verifier: str
    issuer: str
    next: str


class Flows:
    """All of them.

    Args:
        file: Where they are kept.
    """

    def __init__(self, file: PrivateFile) -> None:
        self._file = file

    def begin(self, issuer: str, next_page: str) -> tuple[str, Flow]:
        """Send somebody away to sign in.

        Returns:
            The state, which they have to bring back, and what has to fit.

        Raises:
            AccessError: The file cannot be used.
        """
        now, state = time.time(), new_secret()
        made = Flow(new_secret(), new_secret(), issuer, next_page)
        with self._file.opened(create=True) as file:
            file.execute("DELETE FROM flows WHERE expires <= ?", (now,))
            file.execute(
                "DELETE FROM flows WHERE hash NOT IN (SELECT hash FROM flows ORDER BY expires DESC LIMIT ?)",
                (MOST - 1,),
            )
            file.execute(
                "INSERT INTO flows (hash, nonce, verifier, issuer, next, expires) VALUES (?, ?, ?, ?, ?, ?)",
                (hashed(state), *made, now + SECONDS),
            )
        return state, made

    def end(self, state: str) -> Flow | None:
        """What has to fit for a state that is brought back, this once; None where there is none.

        Raises:
            AccessError: The file cannot be used.
        """
        if not self._file.there:
            return None
        with self._file.opened() as file:
            file.execute("BEGIN IMMEDIATE")
            row = file.execute(
                "DELETE FROM flows WHERE hash = ? RETURNING nonce, verifier, issuer, next, expires", (hashed(state),)
            ).fetchone()
        return Flow(*row[:4]) if row and row[4] > time.time() else None
