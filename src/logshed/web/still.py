"""Whether somebody who watches a stream still may: looked at every few seconds, however much is sent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from logshed.web.who import Person, Who

SECONDS = 5.0
"""A session that is ended, a token that is revoked, collections that are taken away end a stream after so long."""


class Still:
    """Asks again who a reader is.

    Args:
        who: Tells who asks.
        request: What began the stream.
        person: Who asked then.
        ability: What they need.
        seconds: Between two looks; None takes what is usual.
    """

    def __init__(
        self, who: Who, request: HTTPConnection, person: Person, ability: str = "read", seconds: float | None = None
    ) -> None:
        self._who, self._request, self._person, self._ability = who, request, person, ability
        self._seconds = seconds
        self._looked = time.monotonic()
        self._over = False

    async def may(self) -> bool:
        """Whether they may go on as they began: as the same, in the same collections; once not, never again.

        Raises:
            AccessError: The tokens or the accounts cannot be read.
        """
        if self._over or time.monotonic() - self._looked < (SECONDS if self._seconds is None else self._seconds):
            return not self._over
        self._looked = time.monotonic()
        now = await self._who.asks(self._request, again=True)
        self._over = not (
            now is not None
            and now.user == self._person.user
            and now.grant.scopes == self._person.grant.scopes
            and now.may(self._ability)
            and not now.must_change
        )
        return not self._over
