"""What a token allows: verbs on collections."""

from __future__ import annotations

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


class Grant(NamedTuple):
    """What somebody may do.

    Attributes:
        token: Id of the token that says so.
        scopes: Globs on names of collections.
        verbs: Of ``VERBS``.
        expires: Seconds since 1970 at which it ends, or None.
        rate: Bytes a second that may be brought in by it, or None.
    """

    token: str
    scopes: tuple[str, ...]
    verbs: frozenset[str]
    expires: float | None = None
    rate: int | None = None

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
