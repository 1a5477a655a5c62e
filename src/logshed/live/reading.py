"""The hot store, read: collections, lines, places, countries, and how much it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from logshed.live import keys, server, trimming
from logshed.live.server import check, connected, told
from logshed.live.subscriber import Subscriber

if TYPE_CHECKING:
    from collections.abc import Iterator

    from logshed.live_settings import Live

PAGE = 5_000


class HotReader:
    """A hot store.

    Args:
        settings: Where it is and how much it holds.
        client: Talks to the server.
        budget: Bytes that it may take; None for any.
    """

    def __init__(self, settings: Live, client: Any, budget: int | None) -> None:
        self.settings = settings
        self.budget = budget
        self._client = client

    @classmethod
    def open(cls, settings: Live, tries: int = server.TRIES) -> Self:
        """Connect and look whether the server is fit.

        Args:
            settings: Where it is and how much it holds.
            tries: How often a command is tried while the server does not answer.

        Raises:
            LiveError: It does not answer, refuses, is too old, or is not bounded.
        """
        with told(settings), connected(settings, tries=1) as client:
            info = client.info()
        return cls(settings, connected(settings, tries=tries), check(settings, info))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def known(self) -> list[tuple[str, int]]:
        """The collections and their hits, most first."""
        with told(self.settings, "read"):
            found = [
                (name.decode("utf-8", "replace").removeprefix(keys.HITS), int(hits))
                for name, hits in self._client.hscan_iter(keys.KNOWN, count=PAGE)
            ]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def lines(
        self, collection: str, *, last: int | None = None, since: float | None = None, until: float | None = None
    ) -> Iterator[tuple[float, str]]:
        """Lines of a collection with their times, in order.

        Args:
            collection: Whose.
            last: Only so many, the newest.
            since: Only those from this second since 1970 on.
            until: Only those before it.
        """
        key, low, high = keys.LINES + collection, since or "-inf", "+inf" if until is None else f"({until}"
        with told(self.settings, "read"):
            first = int(self._client.zcount(key, "-inf", f"({low}")) if since is not None else 0
            end = int(self._client.zcount(key, "-inf", high))
            first = max(first, end - last) if last is not None else first
            while first < end:
                page = self._client.zrange(key, first, min(first + PAGE, end) - 1, withscores=True)
                if not page:
                    return
                first += len(page)
                yield from ((float(score), keys.bare(member)) for member, score in page)

    def locations(self, collection: str, top: int) -> list[tuple[str, int]]:
        """The places most records of a collection came from, as ``CC-RR-City``, with how many."""
        with told(self.settings, "read"):
            found = self._client.zrevrange(keys.PLACES + collection, 0, top - 1, withscores=True)
        return [(place.decode("utf-8", "replace"), int(count)) for place, count in found]

    def countries(self, collection: str | None = None) -> list[tuple[str, int]]:
        """The countries that records came from, most first; of all collections, or of one."""
        with told(self.settings, "read"):
            codes = sorted(code.decode() for code in self._client.smembers(keys.COUNTRY_CODES))
            of = "" if collection is None else f":{collection}"
            counts = self._client.mget([f"{keys.COUNTRIES}{code}{of}" for code in codes]) if codes else []
        found = [(code, int(count)) for code, count in zip(codes, counts, strict=True) if count]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def sizes(self) -> list[tuple[str, int]]:
        """The collections and how many lines of them are kept."""
        with told(self.settings, "read"):
            return trimming.sizes(self._client)

    def memory(self) -> tuple[int, int]:
        """Bytes in use, and ``maxmemory``."""
        with told(self.settings, "read"):
            info = self._client.info("memory")
        return int(info["used_memory"]), int(info["maxmemory"])

    def rebuilding(self) -> str:
        """Since when a rebuild goes on or was ended before its end; empty where the store is whole."""
        with told(self.settings, "read"):
            return (self._client.get(keys.REBUILDING) or b"").decode()

    def subscriber(self) -> Subscriber:
        """What happens from now on, as events."""
        return Subscriber(self.settings)
