"""Users for whom an identity provider vouches: their role and collections come from the groups that it names."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from logshed.access.accounts import RESERVED, is_email
from logshed.access.roles import greatest, role
from logshed.errors import AccessError, SettingsError, UsageError
from logshed.pipeline.people import change
from logshed.storage_settings import secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.access import People, Tokens
    from logshed.access.accounts import User
    from logshed.web_settings import Oidc

EVERYBODY = "*"
"""In ``collections``: all who are let in."""
LONGEST_NAME = 64
_ODD = re.compile(r"[^A-Za-z0-9._@+-]+")


def check(oidc: Oidc) -> None:
    """Refuse settings that name a role that there is not, or a secret that is not where they say.

    Raises:
        SettingsError: They do.
    """
    if oidc.client_secret is not None:
        secret(oidc.client_secret, "web.oidc.client_secret")
    for name in (*oidc.roles.values(), *((oidc.role,) if oidc.role else ())):
        try:
            role(name)
        except UsageError as error:
            raise SettingsError(f"cannot use [web.oidc]: {error}") from None


def groups_of(claims: Mapping[str, Any], path: str) -> list[str]:
    """The groups in some claims; one text is one group.

    Args:
        claims: What the provider says of somebody.
        path: The claim; with dots for one inside another, unless there is one of the whole name.

    Raises:
        AccessError: There are so many that the provider does not tell them.
    """
    if path in (claims.get("_claim_names") or {}):
        raise AccessError(
            "cannot sign in: the provider names too many groups to tell them; let it send those of this application "
            "alone"
        )
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if path == "email" and claims.get("email_verified") is not True:
        found = None
    found = [found] if isinstance(found, str) else found
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def place(oidc: Oidc, claims: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The role and the collections that somebody's groups give them.

    Raises:
        AccessError: They give none.
    """
    groups = groups_of(claims, oidc.groups_claim)
    given = greatest(oidc.roles[group] for group in groups if group in oidc.roles) or oidc.role
    if given is None:
        raise AccessError("cannot sign in: none of your groups lets you in; ask an administrator of Logshed")
    named = [scope for group in (EVERYBODY, *groups) for scope in oidc.collections.get(group, ())]
    if not named and not role(given).everywhere:
        raise AccessError("cannot sign in: none of your groups has a collection; ask an administrator of Logshed")
    return given, tuple(dict.fromkeys(named))


def admit(people: People, tokens: Tokens, oidc: Oidc, claims: Mapping[str, Any]) -> User:
    """The user that somebody is, made where they are new, with what their groups give them now.

    Args:
        people: Where.
        tokens: All tokens.
        oidc: What groups give.
        claims: What the provider says, after it was checked.

    Raises:
        AccessError: Their groups do not let them in, or they are disabled here.
    """
    subject, mail = str(claims["sub"]), claims.get("email")
    email = mail if isinstance(mail, str) and is_email(mail) else None
    known = people.accounts.identified(oidc.issuer, subject)
    given, scopes = place(oidc, claims)
    if known is None:
        who = (oidc.issuer, subject)
        try:
            return people.accounts.add(_name(people, oidc, claims), given, scopes, email=email, identity=who)
        except UsageError:  # somebody else has taken the name just now
            return people.accounts.add(_name(people, oidc, claims), given, scopes, email=email, identity=who)
    if known.disabled is not None:
        raise AccessError("cannot sign in: this user is disabled; ask an administrator of Logshed")
    if not oidc.roles:  # whoever administers here gives roles, then
        return known
    return change(people, tokens, known.name, given=given, scopes=scopes, email=email, sure=True).user


def _name(people: People, oidc: Oidc, claims: Mapping[str, Any]) -> str:
    """A name that no other user has: nobody becomes somebody else by calling themselves so elsewhere."""
    subject = str(claims["sub"])
    told = [one for key in (oidc.name_claim, "email") if isinstance(one := claims.get(key), str)]
    named = [_ODD.sub("-", one).strip("-._@+")[:LONGEST_NAME] for one in (*told, subject)]
    mark = hashlib.sha256(f"{oidc.issuer}\n{subject}".encode()).hexdigest()[:8]
    name = next((one for one in named if one), mark)
    taken = {one.name.casefold() for one in people.accounts.list()} | RESERVED
    return name if name.casefold() not in taken else f"{name[: LONGEST_NAME - 9]}-{mark}"
