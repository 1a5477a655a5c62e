"""What places that are followed give (containers, pods, files of other hosts), and what takes it: feeds and a sink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Cursor = dict[str, Any]
"""Where a feed goes on; what it means is the feed's. It is kept with the lines that it stands behind."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Lines that follow each other: one output of one container, one file.

    Attributes:
        source: Its name in the tables, ``docker:host/container:stderr``, ``ssh:host/var/log/app.log``.
        collection: The collection of its records; empty takes the run's.
        resource: What produces the lines, sorted pairs of OpenTelemetry resource attributes.
        format: The format choice, where the feed knows it; empty has it found out.
        joins: Whether lines may belong together (stack traces); where not, each is a record.
        target: The container, file or pod that it belongs to, as ``Sink.tell`` names it.
        alike: What writes it, where several do the same, such as replicas: their format is found out once. Empty
            where it is alone.
    """

    source: str
    collection: str = ""
    resource: tuple[tuple[str, str], ...] = ()
    format: str = ""
    joins: bool = True
    target: str = ""
    alike: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Lines of one stream, as they came.

    Attributes:
        stream: The stream.
        lines: Whole lines without their line feeds, not redacted.
        cursor: Gives the cursor behind the first so many of these lines; it is asked for 0 where there are none.
    """

    stream: Stream
    lines: Sequence[bytes]
    cursor: Callable[[int], Cursor]


class Sink(Protocol):
    """What takes what feeds bring."""

    def cursor(self, stream: Stream) -> Cursor:
        """Where a stream goes on: the cursor behind its last line that rests; empty where it is new."""

    async def put(self, arrivals: Sequence[Arrival]) -> None:
        """Take lines; it waits while there is no room for them. Arrivals of one call rest together, in their order."""

    def note(self, verb: str, target: str, outcome: str = "ok", details: Mapping[str, Any] | None = None) -> None:
        """Write into the audit trail what is done to a place, before it is done; no secrets.

        Args:
            verb: What, such as ``connect`` or ``command``.
            target: To what.
            outcome: ``ok``, ``refused`` or ``failed``.
            details: More of it.

        Raises:
            LogshedError: It cannot be written; it must not be done then.
        """

    def tell(self, target: str, state: str, text: str = "") -> None:
        """Say how a container, file or pod stands.

        Args:
            target: Its name, such as ``web1/shop``.
            state: ``following``, ``waiting`` (it will be tried again), ``ended``, ``failed``.
            text: Why, as a sentence for people.
        """


class Feed(Protocol):
    """A place that is collected from: a host, a cluster."""

    @property
    def name(self) -> str:
        """What to call it: ``docker:web1``."""

    async def run(self, sink: Sink) -> None:
        """Bring what there is, and where it follows what comes, until it is cancelled.

        Raises:
            SourceError: Nothing of it can be collected.
        """
