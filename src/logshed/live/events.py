"""What is seen while it happens: an event for each record that has come, and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


class Event(NamedTuple):
    """One record.

    Attributes:
        at: Its time, in seconds since 1970.
        collection: Whose it is.
        country: ISO 3166-1 code, empty where it is not known; so are region and city.
        region: As the database of places has it.
        city: Its name.
        latitude: Degrees, None where it is not known.
        longitude: Degrees, None where it is not known.
        line: The record as it rests, redacted.
    """

    at: float
    collection: str
    country: str
    region: str
    city: str
    latitude: float | None
    longitude: float | None
    line: str


class Events(Protocol):
    """Where events come from: the hot store, or a replay."""

    def batches(self, collections: Sequence[str] | None) -> AsyncIterator[Sequence[Event]]:
        """Events as they happen, some at a time.

        Args:
            collections: Only of these; None takes all.
        """
        ...
