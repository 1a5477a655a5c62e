"""How fast tokens may bring bytes in: a bucket for each that fills at its rate and may owe one request."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.access.grants import Grant

BURST_SECONDS = 5.0
"""What a token has not used of this many seconds it may bring at once: shippers send batches, not streams."""
MOST_TOKENS = 10_000


class Rates:
    """Holds tokens to their rates, in this process; may be used by several threads.

    Of a token one number is kept: when the bytes that it brought are paid for by its rate. A request is taken while
    that is no further away than the burst, however large the request is: so one that is larger than the burst is taken,
    too, and those after it wait the longer.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._paid: dict[str, float] = {}
        self._lock = Lock()

    def wait(self, grant: Grant, size: int) -> float:
        """Count a request, unless its token is over its rate.

        Args:
            grant: What the token allows.
            size: Bytes that it brings.

        Returns:
            Seconds after which to come again, and nothing is counted; 0 where it may go on.
        """
        if grant.rate is None:
            return 0.0
        now = self._clock()
        with self._lock:
            paid = max(self._paid.get(grant.token, now), now)
            if (over := paid - now - BURST_SECONDS) > 0:
                return over
            if grant.token not in self._paid and len(self._paid) >= MOST_TOKENS:
                self._forget(now)
            self._paid[grant.token] = paid + size / grant.rate
        return 0.0

    def _forget(self, now: float) -> None:
        """Those that owe nothing; where all do, the half that owes least."""
        kept = {token: paid for token, paid in self._paid.items() if paid > now}
        if len(kept) >= MOST_TOKENS:
            kept = dict(sorted(kept.items(), key=lambda one: one[1])[-MOST_TOKENS // 2 :])
        self._paid = kept
