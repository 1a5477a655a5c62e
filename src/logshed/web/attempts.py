"""How often somebody may be wrong about a password: from an address, under a name, and both."""

from __future__ import annotations

import hashlib
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from logshed.errors import OverloadedError

MINUTES = 15
OF_BOTH = RateLimitItemPerMinute(5, MINUTES)
OF_NAME = RateLimitItemPerMinute(50, MINUTES)
OF_ADDRESS = RateLimitItemPerMinute(100, MINUTES)
"""Wrong passwords within the time; whoever is beyond that is not looked at, right or wrong.

Under a name there may be more of them, since others than its owner may lock it by them; from an address, too, since
many people may have one.
"""
AWAY = RateLimitItemPerMinute(30)
"""Sign-ins elsewhere that one address may begin."""
IPV6_BITS = 64
"""Whoever has an IPv6 address has all of these at least."""
AFTER_SECONDS = 60.0
MOST_COUNTED = 20_000
"""Names and addresses that are counted at once, some 10 MB: who makes up more of them does not fill the memory."""


class Attempts:
    """Counts them, in this process."""

    def __init__(self) -> None:
        self._kept = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._kept)

    @property
    def counted(self) -> int:
        """How many names and addresses are."""
        return len(self._kept.events)

    def check(self, name: str | None, address: str) -> None:
        """Refuse one more attempt where there were too many; it tells nothing of whether there is such a name.

        Args:
            name: Under which it is; None where it is under none, as with a link: what strangers get wrong elsewhere
                then keeps nobody out.
            address: From where.

        Raises:
            OverloadedError: There were.
        """
        for item, keys in _counted(name, address):
            if not self._limiter.test(item, *keys):
                raise OverloadedError(
                    "cannot sign in: there were too many attempts; wait some minutes", after=AFTER_SECONDS
                )

    def away(self, address: str) -> None:
        """Count a sign-in elsewhere that is begun.

        Raises:
            OverloadedError: There were too many.
        """
        self._forget()
        if not self._limiter.hit(AWAY, "away", _network(address)):
            raise OverloadedError("cannot sign in: there were too many attempts; wait a minute", after=AFTER_SECONDS)

    def wrong(self, name: str | None, address: str) -> None:
        """Count a wrong password, or a wrong link."""
        self._forget()
        for item, keys in _counted(name, address):
            self._limiter.hit(item, *keys)

    def _forget(self) -> None:
        """Forget those of whom least was counted lately; the storage empties lists in time, and keeps their names."""
        if self.counted < MOST_COUNTED:
            return
        counted = self._kept.events
        for key in sorted(counted, key=lambda one: len(counted[one]))[: MOST_COUNTED // 2]:
            with self._kept.locks[key]:  # a thread of the storage's empties them meanwhile
                counted.pop(key, None)
            self._kept.locks.pop(key, None)


def _counted(name: str | None, address: str) -> tuple[tuple[RateLimitItemPerMinute, tuple[str, ...]], ...]:
    where = _network(address)
    if name is None:
        return ((OF_ADDRESS, ("address", where)),)
    who = hashlib.sha256(name.casefold().encode("utf-8", "replace")).hexdigest()
    return (OF_BOTH, ("both", who, where)), (OF_NAME, ("name", who)), (OF_ADDRESS, ("address", where))


def _network(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(int(found) >> 128 - IPV6_BITS) if isinstance(found, IPv6Address) else str(found)
