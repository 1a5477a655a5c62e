"""The verbs that give records away: forwarding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.interface.base import Opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

    from logshed.pipeline.forward import Report


class Giving(Opened):
    """The verbs that give records away: forwarding."""

    def forward(
        self,
        to: str,
        *,
        search: str = "",
        collection: str | None = None,
        name: str | None = None,
        since: str | None = None,
        follow: bool = False,
        again: bool = False,
        skip: bool = False,
        token: str = "",
        ca_file: Path | None = None,
        every: float = 2.0,
        patience: float = 60.0,
        stop: Event | None = None,
        progress: Callable[[Report], None] = lambda _: None,
    ) -> Report:
        """Send records on, each at least once; the next call goes on where this one ended.

        Args:
            to: ``otlp+http://host:4318`` (also ``otlp+https``, ``otlp+grpc``, ``otlp+grpcs``), or ``http://`` and
                ``https://`` for lines of JSON.
            search: Which records, as for ``search``; an empty one takes all.
            collection: The only collection.
            name: What the position is kept under; None takes one of the address and the search.
            since: Which older records the first call takes, such as ``24h`` or ``all``; None takes none.
            follow: Go on with what comes, until ``stop`` is set.
            again: Begin anew: the position is forgotten.
            skip: Leave out a record that is refused for good, rather than end.
            token: What lets the sender in.
            ca_file: Certificates to trust in place of the system's.
            every: Seconds between two looks at the lake.
            patience: Seconds for which a sink that takes nothing is tried, unless following.
            stop: Ends it when it is set.
            progress: Is told how it stands.

        Raises:
            logshed.errors.DeliveryError: Records were not taken; the next call goes on with them.
            logshed.errors.BusyError: It is running already.
            logshed.errors.QueryError: The search is wrong.
            logshed.errors.UsageError: The address or the time is none.
        """
        import threading  # noqa: PLC0415 - light, and wanted here only

        from logshed.pipeline import forward, forward_sinks, trail  # noqa: PLC0415 - heavy
        from logshed.pipeline.forward_state import Kept  # noqa: PLC0415 - as above
        from logshed.pipeline.search import understood  # noqa: PLC0415 - as above
        from logshed.pipeline.sinks import Sink  # noqa: PLC0415 - as above

        sink = Sink.of(to, token, ca_file)
        zone = self.settings.timezone or "UTC"
        scope = understood(search, since="all", collection=collection, timezone=zone)
        first = None if since is None else self.moment(since)
        called = name or forward.name_of(to, search, collection)
        plan = forward.Plan(
            called, sink.name, scope, first, follow, every, patience, skip, as_received=not self.settings.transform
        )
        store, kept, records = self._opened(), Kept(self.root, called), forward_sinks.opened(sink)
        if again:
            kept.forget()
        verb = forward.Forward(store, self.query, kept, records, plan, progress)
        outcome = "failed"
        try:
            report = verb.run(stop or threading.Event())
            outcome = "ok"
        finally:
            records.close()
            told = {"name": called, "search": search, "collection": collection, "records": verb.report.records}
            trail.noted(store, self.settings, "forward", sink.name, outcome, told)
        return report
