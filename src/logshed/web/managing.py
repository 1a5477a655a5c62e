"""What administrators do to users, written down: the API and the pages do it by these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from logshed.errors import UsageError
from logshed.pipeline import people as verbs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from logshed.access import People, Tokens
    from logshed.access.accounts import User
    from logshed.web.signing import Audit
    from logshed.web.who import Person


class Managing:
    """Changes users.

    Args:
        people: Those who may sign in.
        tokens: All tokens.
        audit: Writes down what somebody did.
    """

    def __init__(self, people: People, tokens: Tokens, audit: Audit) -> None:
        self._people, self._tokens, self._audit = people, tokens, audit

    async def find(self, name: str) -> User:
        """A user.

        Raises:
            HTTPException: 404 where there is none of that name.
        """
        try:
            return await run_in_threadpool(self._people.accounts.get, name)
        except UsageError as error:
            raise HTTPException(404, str(error)) from None

    async def invite(
        self, person: Person, name: str, role: str, scopes: Sequence[str], email: str | None
    ) -> tuple[User, str]:
        """Add a user, and make the link by which they take a password.

        Raises:
            UsageError: There is one of that name, or something is off.
            LogshedError: The accounts or the audit trail cannot be used.
        """
        user, secret = await run_in_threadpool(
            lambda: verbs.invite(self._people, name, role, scopes, email=email or None)
        )
        told = {"role": user.role, "collections": user.scopes}
        await self._audit(person, "user add", user.name, details=told)
        return user, secret

    async def change(self, person: Person, name: str, given: Mapping[str, Any]) -> User:
        """Change a user.

        Args:
            person: Who does it.
            name: Whom.
            given: What is to be otherwise: ``role``, ``collections``, ``email``, ``disabled``, ``must_change``.

        Raises:
            UsageError: Something is off, or nobody would be left who may administer.
            LogshedError: The accounts or the audit trail cannot be used.
        """
        named = {"role": "given", "collections": "scopes"}
        change = {named.get(key, key): value for key, value in given.items() if value is not None}
        done = await run_in_threadpool(lambda: verbs.change(self._people, self._tokens, name, **change))
        told = {key: value for key, value in given.items() if key != "email"}
        told |= {"sessions_ended": done.sessions, "tokens_revoked": [one.id for one in done.tokens]}
        await self._audit(person, "user change", done.user.name, details=told)
        return done.user

    async def link(self, person: Person, name: str) -> str:
        """The secret of a link by which a user takes a new password.

        Raises:
            UsageError: They are disabled or sign in elsewhere.
            LogshedError: The accounts or the audit trail cannot be used.
        """
        user, secret = await run_in_threadpool(verbs.link, self._people, name)
        await self._audit(person, "user link", user.name)
        return secret

    async def end_sessions(self, person: Person, user: User, session: str | None = None) -> int:
        """End a user's sessions, or one of them.

        Returns:
            How many ended.

        Raises:
            LogshedError: The accounts or the audit trail cannot be used.
        """
        await self._audit(person, "session end", user.name, details={"which": session[:64] if session else "all"})
        if session is None:
            return await run_in_threadpool(self._people.sessions.end_all, user.id)
        return int(await run_in_threadpool(self._people.sessions.end, user.id, session))
