"""What every object store does here, and what is told where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from logshed.errors import BucketError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_TRIES = 8
"""How often a request is sent at most before a store that throttles or fails is given up."""
LONGEST_WAIT_S = 20.0
CONNECT_S = 10
SILENCE_S = 30
"""How long a store may say nothing in the middle of an answer."""
POOL = 32
"""Connections to one bucket."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object as a store lists it.

    Attributes:
        key: Its key.
        size: Its bytes.
        etag: What changes whenever its bytes do.
        changed: When it was written, seconds since the epoch.
    """

    key: str
    size: int
    etag: str
    changed: float


class Bucket(Protocol):
    """A bucket that can be read. Requests that fail for a while are sent again by it."""

    def listed(self, prefix: str) -> Iterator[Found]:
        """The objects whose keys begin so, page by page, in no promised order.

        Raises:
            BucketError: They cannot be listed.
        """

    def head(self, key: str) -> Found | None:
        """An object, or None where there is none of this key.

        Raises:
            BucketError: That cannot be told.
        """

    def read(self, key: str, start: int, size: int, etag: str) -> bytes:
        """Some of an object's bytes, fewer only where it ends.

        Raises:
            ChangedError: It has another etag by now, or is gone.
            BucketError: It cannot be read.
        """


class ChangedError(BucketError):
    """An object is another one than was listed."""


class AbsentError(BucketError):
    """There is no object of a key."""


def changed(name: str) -> ChangedError:
    """What is told of an object that is written anew while it is read."""
    return ChangedError(
        f"cannot read {name}: it was overwritten or deleted while it was read; run it again, nothing is taken twice"
    )


@dataclass(frozen=True, slots=True)
class Advice:
    """What an error code of a store means: the cause, and what to do."""

    cause: str
    then: str


def refused(verb: str, name: str, code: str, known: Mapping[str, Advice], told: str) -> BucketError:
    """The sentence for an error code.

    Args:
        verb: What was tried.
        name: The object or bucket.
        code: The store's code.
        known: What codes mean.
        told: What the store says, for codes that are not known.
    """
    advice = known.get(code) or Advice(told or code, "see what the store says of it")
    return BucketError(f"cannot {verb} {name}: {advice.cause}; {advice.then}")


def missing(extra: str) -> BucketError:
    """What is told where the library for a store is not installed."""
    return BucketError(
        f"cannot reach the object store: its library is not installed; install it with `pip install 'logshed[{extra}]'`"
    )
