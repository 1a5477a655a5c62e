"""Sets up a collection: its spool, what may rest, the lake that it is emptied into; runs it until it is stopped."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from logshed.engines.local import LocalEngine
from logshed.enrichment import sources
from logshed.lake.secret import lake_secret
from logshed.pipeline import draining
from logshed.pipeline.collect import DRAIN_S, Collect
from logshed.pipeline.live_sink import LiveSink
from logshed.pipeline.planning import Options, job_of
from logshed.pipeline.standing import Standing
from logshed.pipeline.standings import of_collector
from logshed.pipeline.trail import FILE, Trail
from logshed.redaction.naming import Names
from logshed.redaction.policy_files import load_policy
from logshed.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.lake.store import Store
    from logshed.pipeline.collect_report import CollectReport
    from logshed.settings import Settings
    from logshed.sources.feeds import Feed


LIVE_S = 1.0
"""How often the spool is emptied into the lake where somebody may watch what comes."""


@dataclass(frozen=True, slots=True)
class Collection:
    """What a collection is made with.

    Attributes:
        settings: Settings; ``spool`` and ``spool_bytes`` among them.
        options: Collection, format and zone of what comes, as of an ingest.
        store: The lake that the spool is emptied into; None leaves the lines in the spool.
        progress: Is told how it stands, about four times a second.
        saved: Empties the spool elsewhere than into a lake, where there is none.
    """

    settings: Settings
    options: Options
    store: Store | None = None
    progress: Callable[[CollectReport], None] | None = None
    saved: Callable[[], None] | None = None

    def run(self, feeds: Sequence[Feed]) -> CollectReport:
        """Collect until every feed has ended, or SIGINT or SIGTERM comes; what came by then rests.

        Raises:
            SpoolError: The spool cannot be written, or another process writes it.
            LogshedError: The policy or a setting is wrong.
        """
        return asyncio.run(self._run(feeds))

    async def _run(self, feeds: Sequence[Feed]) -> CollectReport:
        settings = self.settings
        policy = load_policy(settings.policy, settings.plugins, keys=settings.keys)
        job = job_of(settings, self.options, policy, sources.opened(settings.enrichment))
        with Spool(settings.spool, limit=settings.spool_bytes) as spool:
            names = Names(policy, lambda: lake_secret(spool.root))
            trail = Trail(spool.root / FILE, lambda text: names.texts([text])[0])
            standing = Standing(spool.root, "collect", lambda text: names.texts([text])[0])
            collecting = Collect(
                spool,
                job,
                names,
                trail,
                drain=self._drain(trail),
                drain_s=LIVE_S if settings.live.enabled else DRAIN_S,
                progress=lambda report: self._tell(standing, report),
            )
            running = asyncio.ensure_future(collecting.run(feeds))
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, running.cancel)
            try:
                await running
            except asyncio.CancelledError:
                if not running.cancelled():
                    raise
            finally:
                standing.end()
            return collecting.report

    def _tell(self, standing: Standing, report: CollectReport) -> None:
        of_collector(standing, report)
        if self.progress is not None:
            self.progress(report)

    def _drain(self, trail: Trail) -> Callable[[], None] | None:
        store = self.store
        if store is None:
            return self.saved
        engine = LocalEngine(self.settings.workers)
        live = LiveSink(store, self.settings)

        def drain() -> None:
            draining.drain(store, self.settings.spool, self.settings, self.options, engine, live)
            trail.ship(store)

        return drain
