"""Decodes requests: small ones at once, large ones in threads, where each sender has its turn."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, TypeVar

from logshed.doors.bodies import unpacked
from logshed.doors.shares import Shares
from logshed.receivers.common.inflate import TooMuchError
from logshed.receivers.model import Decoded

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from logshed.doors.http_limits import HttpLimits
    from logshed.receivers.model import Reply, Request, Route

SMALL = 65_536
"""Bytes, unpacked, up to which a body is decoded at once: others are answered meanwhile if it has more."""
KEYS = ("idempotency-key", "x-request-id")
"""Headers with a client's own name for a request; the first that is there counts."""
LONGEST_KEY = 200
"""Characters of a client's own name for a request; a longer one is known by its digest."""
T = TypeVar("T")


class Job:
    """A request on its way through its decoder.

    Args:
        route: What decodes it.
        request: With its body as it was sent.
        kinds: How that is packed.
        limits: What it may become.

    Attributes:
        request: With its body as far as it was unpacked.
        decoded: Its records, once they are there.
        quick: Whether it is so small that nothing of it takes long.
    """

    __slots__ = ("_kinds", "_limits", "_route", "decoded", "quick", "request")

    def __init__(self, route: Route, request: Request, kinds: tuple[str, ...], limits: HttpLimits) -> None:
        self._route, self.request, self._kinds, self._limits = route, request, kinds, limits
        self.decoded = Decoded(())
        self.quick = True

    def name(self, sender: str) -> str:
        """By which a repeated request is known, as ``name_of`` says.

        Args:
            sender: Whose names these are.
        """
        return name_of(sender, self.request.path, self.request.body, self.request.headers)

    def decode_small(self) -> bool:
        """Decode it if it is small; whether it was."""
        self.quick = len(self.request.body) <= SMALL
        if self.quick:
            try:
                self._decode(SMALL)
            except TooMuchError:
                self.quick = False
        return self.quick

    def decode(self) -> None:
        """Decode it, however long that takes."""
        self._decode(None)

    def _decode(self, most: int | None) -> None:
        if self._kinds:
            body = unpacked(self.request.body, self._kinds, self._limits, most)
            self.request, self._kinds = replace(self.request, body=body), ()
        if self._route.decode is not None:
            self.decoded = self._route.decode(self.request)

    def size(self) -> int:
        """Bytes of its records."""
        return sum(len(part.lines) for part in self.decoded.parts)

    def forget(self) -> None:
        """Let its body go, which nothing needs once it is decoded."""
        self.request = replace(self.request, body=b"")

    def answer(self) -> Reply:
        """What its client is told once its records are on disk."""
        return self._route.answer(self.request, self.decoded)


def name_of(sender: str, path: str, body: bytes, headers: Mapping[str, str]) -> str:
    """By which a repeated request is known: as its client names it, among those of one sender and address.

    The body counts too: programs hand on the id of a request that they serve with each line that they log of it.

    Args:
        sender: Whose names these are.
        path: The address.
        body: What came.
        headers: By their names in small letters.
    """
    key = next((found for name in KEYS if (found := headers.get(name))), "")
    if not key:
        return ""
    if len(key) > LONGEST_KEY:
        key = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
    digest = hashlib.blake2b(body, digest_size=16).hexdigest()
    return f"{sender} {path} {digest} {key}"


class Threads:
    """Threads in which senders have their turns.

    Args:
        count: Of threads.
    """

    def __init__(self, count: int) -> None:
        self._turns = Shares(count, count)
        self._pool = ThreadPoolExecutor(count, "decode")

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def run(self, loop: asyncio.AbstractEventLoop, who: str, work: Callable[[], T]) -> T:
        """Do some work of a sender when it is their turn."""
        with await self._turns.take(who, 1, None):
            return await loop.run_in_executor(self._pool, work)


def where(error: Exception) -> str:
    """What failed, and where in the program, without what the error says: that may be a client's own text."""
    last = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, {Path(last.filename).name}:{last.lineno}"
