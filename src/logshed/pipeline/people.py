"""What is done to users: invite, change, let them take a password, make tokens of their own; for command and page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from logshed.access import covered, passwords
from logshed.access.roles import role
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.access import People, Token, Tokens
    from logshed.access.accounts import User

MOST_TOKENS = 50
"""Valid tokens of one user."""
LONGEST_SECONDS = 366 * 86_400.0
"""A token of a user's own is good so long at most."""


class Changed(NamedTuple):
    """What a change of a user led to.

    Attributes:
        user: As they are now.
        sessions: How many of theirs ended.
        tokens: Those of theirs that open nothing any more.
    """

    user: User
    sessions: int
    tokens: Sequence[Token]


def invite(
    people: People, name: str, given: str, scopes: Sequence[str] = (), *, email: str | None = None
) -> tuple[User, str]:
    """Add a user.

    Args:
        people: Where.
        name: By which they sign in.
        given: Their role.
        scopes: Globs on names of collections.
        email: Where to write to.

    Returns:
        The user, and the secret of a link by which they take a password.

    Raises:
        UsageError: There is one of that name, or something is off.
        AccessError: The file cannot be used.
    """
    made = people.accounts.add(name, given, scopes, email=email)
    return made, people.links.make("invite", made.id)[0]


def link(people: People, name: str) -> tuple[User, str]:
    """The secret of a link by which a user takes a new password; older links of theirs open nothing.

    Raises:
        UsageError: There is no such user, they are disabled, or they sign in elsewhere.
        AccessError: The file cannot be used.
    """
    user = people.accounts.get(name)
    if user.issuer is not None:
        raise UsageError(f"cannot make a link for {user.name}: they sign in at {user.issuer}; a password is lost there")
    if user.disabled is not None:
        raise UsageError(f"cannot make a link for {user.name}: they are disabled; enable them first")
    return user, people.links.make("reset" if user.has_password else "invite", user.id)[0]


def first_link(people: People) -> str:
    """The secret of a link that makes the first administrator.

    Raises:
        UsageError: There is an administrator.
        AccessError: The file cannot be used.
    """
    if people.accounts.has_admin():
        raise UsageError("cannot make the first administrator: there is one; `logshed user list` names them")
    return people.links.make("first")[0]


def change(
    people: People,
    tokens: Tokens,
    name: str,
    *,
    given: str | None = None,
    scopes: Sequence[str] | None = None,
    email: str | None = None,
    disabled: bool | None = None,
    must_change: bool | None = None,
    sure: bool = False,
) -> Changed:
    """Change a user; what they then may not any more, their sessions and tokens do not let them either.

    Args:
        people: Where.
        tokens: All tokens.
        name: Who.
        given: Another role; None leaves it, as each of these.
        scopes: Other globs on names of collections.
        email: Another address; empty takes it away.
        disabled: Whether they may not sign in.
        must_change: Whether they have to take another password first.
        sure: Whether it is done even if nobody is left who may administer.

    Raises:
        UsageError: There is none of that name, something is off, or nobody would be left who may administer.
        AccessError: A file cannot be used.
    """
    user = people.accounts.change(
        name, given=given, scopes=scopes, email=email, disabled=disabled, must_change=must_change, sure=sure
    )
    if user.disabled is None:
        return Changed(user, 0, tokens.revoke_of(user.id, lambda one: fits(user, one)))
    people.links.drop(user.id)
    return Changed(user, people.sessions.end_all(user.id), tokens.revoke_of(user.id))


def fits(user: User, token: Token) -> bool:
    """Whether a token allows no more than its user may do."""
    grant = user.grant
    return set(token.verbs) <= grant.verbs and all(covered(scope, grant.scopes) for scope in token.scopes)


def open_link(people: People, secret: str, password: str, name: str | None = None) -> User:
    """Take a password by a link, which opens nothing more; whoever was signed in as that user is so no longer.

    Args:
        people: Where.
        secret: The link's.
        password: What the user signs in by from now on.
        name: Of the first administrator, who is made by it.

    Raises:
        UsageError: The link is none, was used or is too old; the password or the name may be none.
        AccessError: The file cannot be used.
    """
    found = people.links.look(secret)
    if found is None:
        people.links.use(secret)  # which says why
        raise UsageError("cannot open this link: it is none")
    if found.kind == "first":
        return _first(people, secret, name or "", password)
    user = people.accounts.by_id(found.user or "")
    if user is None or user.disabled is not None or user.issuer is not None:
        raise UsageError("cannot open this link: its user may not sign in by a password; ask who sent it")
    passwords.check(password, user.name, (user.email or "").partition("@")[0])
    people.links.use(secret)
    people.accounts.set_password(user.id, password)
    people.sessions.end_all(user.id)
    return people.accounts.get(user.name)


def _first(people: People, secret: str, name: str, password: str) -> User:
    if people.accounts.has_admin():
        people.links.drop(None)
        raise UsageError("cannot open this link: there is an administrator already; ask them for an invitation")
    passwords.check(password, name)
    made = people.accounts.add(name, "admin")
    people.links.use(secret)
    people.accounts.set_password(made.id, password)
    people.links.drop(None)
    return people.accounts.get(name)


def change_password(people: People, user: User, old: str, new: str, *, session: str | None) -> int:
    """Take another password; the user's other sessions end.

    Args:
        people: Where.
        user: Whose.
        old: What it was.
        new: What it is from now on.
        session: The one that goes on.

    Returns:
        How many sessions ended.

    Raises:
        UsageError: The old one is wrong, or the new one may be none.
        AccessError: The file cannot be used.
    """
    if people.accounts.verify(user.name, old) is None:
        raise UsageError("cannot change the password: the old one is wrong; type it again")
    if old == new:
        raise UsageError("cannot change the password: the new one is the old one; take another")
    people.accounts.set_password(user.id, new)
    people.links.drop(user.id)
    return people.sessions.end_all(user.id, but=session)


def own_token(
    tokens: Tokens, user: User, scopes: Sequence[str], verbs: Sequence[str], *, name: str, seconds: float
) -> tuple[str, Token]:
    """Make a token for a user that allows no more than they may do.

    Args:
        tokens: All tokens.
        user: Whose it is.
        scopes: Globs on names of collections.
        verbs: What it allows.
        name: What it is for.
        seconds: How long it is good.

    Returns:
        The token, which nobody can tell again, and what is known of it.

    Raises:
        UsageError: It would allow more than its user may do, or for too long, or they have too many.
        AccessError: The file cannot be used.
    """
    grant = user.grant
    if over := [scope for scope in scopes if not covered(scope, grant.scopes)]:
        raise UsageError(f"cannot make a token: {over[0]!r} is not among your collections; name one of those")
    if over := [verb for verb in verbs if verb not in grant.verbs]:
        what = role(user.role).title
        raise UsageError(f"cannot make a token: a token to {over[0]} is more than the role {what} may do; leave it out")
    if not 0 < seconds <= LONGEST_SECONDS:
        raise UsageError("cannot make a token: it may be good for a year at most; give a shorter time")
    if len([one for one in tokens.list() if one.owner == user.id and one.revoked is None]) >= MOST_TOKENS:
        raise UsageError(f"cannot make a token: you have {MOST_TOKENS}; revoke one first")
    return tokens.create(scopes, verbs, name=name, seconds=seconds, owner=user.id)
