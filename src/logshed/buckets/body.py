"""Bodies of answers: a connection that is cut in the middle of one is tried again, a few times, with longer waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.buckets.model import LONGEST_WAIT_S
from logshed.errors import BucketError

if TYPE_CHECKING:
    from collections.abc import Callable

CUTS = 5
"""How often an answer may be cut."""
_FIRST_WAIT_S = 0.2


class CutError(Exception):
    """An answer ended before its end."""


def whole(once: Callable[[], bytes], size: int, name: str) -> bytes:
    """An answer, asked for again where it is cut.

    Args:
        once: Asks for it; raises ``CutError`` where it is cut.
        size: Bytes that it must have.
        name: What is read.

    Raises:
        BucketError: It was cut every time.
    """
    import tenacity  # noqa: PLC0415 - only for stores

    def attempt() -> bytes:
        data = once()
        if len(data) != size:
            raise CutError(f"{len(data):,} of {size:,} bytes came")
        return data

    again = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(CUTS),
        wait=tenacity.wait_random_exponential(multiplier=_FIRST_WAIT_S, max=LONGEST_WAIT_S),
        retry=tenacity.retry_if_exception_type(CutError),
        reraise=True,
    )
    try:
        return again(attempt)
    except CutError as error:
        raise BucketError(
            f"cannot read {name}: the connection was cut {CUTS} times ({error}); check the network, then run it again"
        ) from None
