"""Tells whose a collection is: the owners among the users whose scopes hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from logshed.access.accounts import User

OWNER = "owner"
"""The role."""


def owners(users: Iterable[User], collections: Sequence[str]) -> dict[str, list[str]]:
    """Names of the owners of each collection, in the order of the alphabet.

    Args:
        users: All users.
        collections: Names of collections.
    """
    found = sorted(
        (one for one in users if one.role == OWNER and one.disabled is None), key=lambda one: one.name.casefold()
    )
    return {name: [one.name for one in found if one.grant.allows("read", name)] for name in collections}
