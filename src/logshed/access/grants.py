"""What a token allows: verbs on collections."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

VERBS = {
    "read": "see the lines, counters and places of a collection",
    "write": "bring lines into a collection",
    "admin": "change what is kept of a collection, and for how long",
}
"""All verbs that there are, with what they allow; none of them holds another."""
EVERY = "*"
"""The glob of all collections."""
_SPECIAL = re.compile(r"[*?\[]")


class Grant(NamedTuple):
    """What somebody may do.

    Attributes:
        token: Id of the token that says so.
        scopes: Globs on names of collections.
        verbs: Of ``VERBS``.
        expires: Seconds since 1970 at which it ends, or None.
        rate: Bytes a second that may be brought in by it, or None.
        owner: Id of the user whose token it is, or None.
        first: Whether this is the token's first use.
    """

    token: str
    scopes: tuple[str, ...]
    verbs: frozenset[str]
    expires: float | None = None
    rate: int | None = None
    owner: str | None = None
    first: bool = False

    @property
    def unlimited(self) -> bool:
        """Whether its verbs hold for all collections."""
        return EVERY in self.scopes

    def allows(self, verb: str, collection: str) -> bool:
        """Whether something may be done to a collection, whether or not there is one of that name."""
        return verb in self.verbs and any(fnmatchcase(collection, scope) for scope in self.scopes)

    def collections(self, known: Iterable[str]) -> list[str]:
        """Those collections that may be read, in the order in which they are given."""
        return [name for name in known if self.allows("read", name)]


def covered(scope: str, scopes: Iterable[str]) -> bool:
    """Whether each collection of a scope is for certain one of other scopes.

    Args:
        scope: A glob on names of collections.
        scopes: Others; where they are so tangled that this cannot be told simply, they cover nothing but themselves.
    """
    head = _SPECIAL.split(scope, maxsplit=1)[0]
    for other in scopes:
        prefix = other.removesuffix(EVERY)
        if scope == other or (head == scope and fnmatchcase(scope, other)):
            return True
        if prefix != other and head.startswith(prefix):
            return True
    return False
