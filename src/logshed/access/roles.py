"""What each role and each token may do; ``roles.toml`` says it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from logshed.access.grants import EVERY, VERBS, Grant
from logshed.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

_OF_VERBS = {"read": "read", "write": "write", "admin": "manage"}
"""The ability that each verb of a grant takes."""


class Role(NamedTuple):
    """What somebody is.

    Attributes:
        name: By which it is given.
        title: For people.
        text: What it allows, in words.
        abilities: Of ``abilities()``.
        everywhere: Whether its collections are always all.
    """

    name: str
    title: str
    text: str
    abilities: frozenset[str]
    everywhere: bool


@cache
def abilities() -> dict[str, str]:
    """All abilities that there are, with what they allow."""
    return dict(_data()["abilities"])


@cache
def roles() -> dict[str, Role]:
    """All roles by name; one that comes later may do more."""
    return {
        name: Role(name, one["title"], one["text"], frozenset(one["abilities"]), one.get("everywhere", False))
        for name, one in _data()["roles"].items()
    }


def role(name: str) -> Role:
    """A role.

    Raises:
        UsageError: There is none of this name.
    """
    try:
        return roles()[name]
    except KeyError:
        raise UsageError(f"cannot give the role {name!r}: there is none; the roles are {', '.join(roles())}") from None


def greatest(names: Iterable[str]) -> str | None:
    """Of some roles the one that may do most; None where there are none."""
    given = set(names)
    return next((name for name in reversed(roles()) if name in given), None)


def grant_of(name: str, scopes: tuple[str, ...], who: str) -> Grant:
    """What somebody of a role may do to collections.

    Args:
        name: The role.
        scopes: Globs on names of collections.
        who: Stands in the place of a token's id.
    """
    found = role(name)
    verbs = frozenset(verb for verb in VERBS if _OF_VERBS[verb] in found.abilities)
    return Grant(who, (EVERY,) if found.everywhere else scopes, verbs)


def abilities_of(grant: Grant) -> frozenset[str]:
    """What a token may do, from its verbs."""
    given = {verb: one for verb, one in _data()["verbs"].items() if verb in grant.verbs}
    everywhere = [name for one in given.values() for name in one.get("everywhere", ())] if grant.unlimited else []
    return frozenset([name for one in given.values() for name in one["abilities"]] + everywhere)


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(files("logshed.access").joinpath("roles.toml").read_text("utf-8"))
