"""The verbs that judge and foretell: reports, anomalies, objectives, capacity, cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from logshed.interface.asking import Asking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from logshed.dashboards import Dashboard
    from logshed.detections.anomalies.model import Detector
    from logshed.pipeline.boards import Ask
    from logshed.pipeline.report import Report
    from logshed.sql.result import Result


class Figures(Asking):
    """The verbs that judge and foretell: reports, anomalies, objectives, capacity, cost."""

    def dashboards(self) -> dict[str, Dashboard]:
        """All dashboards by name, in their order: ours, installed packages' and the user's.

        Raises:
            logshed.errors.DashboardError: A dashboard's file is wrong.
        """
        from logshed import dashboards  # noqa: PLC0415 - reads files

        return dashboards.load(self.settings.plugins)

    def answer(self, ask: Ask, *, now: datetime | None = None) -> dict[str, Any]:
        """Answer a question as pages take it: columns with what they mean, their values, and the window.

        Args:
            ask: The question, its parameters, its window, and the search that narrows it.
            now: The present, from which windows look back; None takes the clock.

        Raises:
            logshed.errors.QueryError: There is no such question, or the search is wrong.
            logshed.errors.UsageError: A time or a parameter is wrong.
        """
        from logshed.pipeline import boards  # noqa: PLC0415 - heavy
        from logshed.queries import gold, registry  # noqa: PLC0415 - reads files

        plugins = self.settings.plugins
        question = registry.question(ask.question, plugins)
        return boards.answer(
            ask, question, lambda sql, bound: self.ask(sql, bound, timezone=ask.timezone), gold.load(plugins), now
        )

    def state(self) -> str:
        """A name for all that the lake's tables hold now: another one once any of them has changed."""
        from hashlib import sha256  # noqa: PLC0415 - light, and wanted here only

        from logshed.lake.pinned import Pinned  # noqa: PLC0415 - heavy

        there = sorted(Pinned.of(self._found()).at.items())
        return sha256(repr(there).encode()).hexdigest()

    def report(
        self,
        folder: str | Path = "log_analytics_results",
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        collection: str | None = None,
        timezone: str | None = None,
        pages: Sequence[str] = (),
        pdf: bool = False,
        email: str | None = None,
        now: datetime | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> Report:
        """Make a report: self-contained HTML pages, a summary as text, and all figures as JSON.

        Args:
            folder: Where to write it; an older report there is replaced when the new one is whole.
            since: First moment, such as ``24h``, ``7d``, ``2015-05-17``, ``all``; None takes 30 days.
            until: First moment after; None takes all.
            collection: The only collection to look at.
            timezone: The zone of days and of times that name none; None takes the setting, else UTC.
            pages: Names of pages, which are those of the files in ``dashboards``; empty takes all.
            pdf: Print each page to a PDF file too, by Chromium or Chrome.
            email: The name of an ``[[alert]]`` with ``to = "email"`` to send it to.
            now: The present, from which windows look back; None takes the clock.
            progress: Is told what is being done.

        Raises:
            logshed.errors.AlertError: It is made, and the destination does not take it.
            logshed.errors.DashboardError: A dashboard's file is wrong.
            logshed.errors.QueryError: A question failed.
            logshed.errors.ReportError: There is no such page, destination or browser, or the folder holds something
                else.
            logshed.errors.UsageError: A time or the zone is none.
        """
        from datetime import UTC, datetime  # noqa: PLC0415 - light, and wanted here only

        from logshed.pipeline import report as reporting  # noqa: PLC0415 - heavy
        from logshed.pipeline import report_sending as sending  # noqa: PLC0415 - heavy

        tables = self._tables()  # one for all statements, so that all see one snapshot
        wanted = reporting.Wanted(
            since=since,
            until=until,
            collection=collection,
            zone=timezone or self.settings.timezone or "UTC",
            pages=pages,
            pdf=pdf,
            now=now or datetime.now(UTC),
        )
        plugins = self.settings.plugins
        post = None if email is None else sending.poster(self.settings.alert, email, plugins)
        to = Path(folder).expanduser().absolute()
        wanted.scope()  # before the engine: it says more of a wrong zone
        query = self._engine(tables, wanted.zone).query
        made = reporting.report(query, tables.snapshot("logs"), to, wanted, plugins, progress)
        if post is not None:
            post(sending.document(made))
        return made

    def anomalies(
        self,
        *,
        since: str | datetime = "24h",
        until: str | datetime | None = None,
        rule: str | None = None,
        collection: str | None = None,
        now: datetime | None = None,
        known: pl.DataFrame | None = None,
    ) -> Result:
        """Find anomalies: errors, latency, volume, silence, clients that stand out. Nothing is written.

        Args:
            since: First moment to judge, such as ``24h``, ``7d``, ``2015-05-17``, ``all``; history before it is read.
            until: First moment that no longer counts; None is now.
            rule: The only detector to ask; None asks all.
            collection: The only collection to look at.
            now: The present; None takes the clock.
            known: Findings of before, whose ids and beginnings go on.

        Returns:
            Findings as in ``findings``, without ``batch``.

        Raises:
            logshed.errors.DetectionError: There is no such detector, or its file is wrong.
            logshed.errors.UsageError: A time is none.
        """
        from logshed.pipeline.anomalies import asked, find  # noqa: PLC0415 - heavy
        from logshed.sql.result import of_frame  # noqa: PLC0415 - heavy

        begin, end, present = asked(since, until, now, self.settings.timezone or "UTC")
        detectors = self.detectors(rule).values()
        return of_frame(find(self._ask, detectors, begin, end, present, known=known, collection=collection))

    def slo(self, *, now: datetime | None = None) -> Result:
        """Look how the service level objectives of logshed.toml stand, worst first.

        Args:
            now: The present, at which all windows end; None takes the clock.

        Returns:
            A row for each objective and service: good requests of all, percent of the error budget that is left, burn
            rates over 5 minutes to 3 days, ``status`` (``page``, ``spent``, ``ticket``, ``ok``, ``no requests``) and
            when the budget will be used up at the rate of the last 6 hours. ``docs/slo.md`` has the formulas.
        """
        from datetime import UTC, datetime  # noqa: PLC0415 - light, and wanted here only

        from logshed.pipeline.objectives import SHOWN, look  # noqa: PLC0415 - heavy
        from logshed.sql.result import of_frame  # noqa: PLC0415 - heavy

        found = look(self._ask, self.settings.objective, now or datetime.now(UTC))
        return of_frame(found.select(SHOWN))

    def capacity(
        self,
        *,
        since: str | datetime = "84d",
        until: str | datetime | None = None,
        horizon: str = "28d",
        limit_rate: float | None = None,
        limit_bytes: float | None = None,
        per_replica: float | None = None,
        collection: str | None = None,
        service: str | None = None,
        coverage: float = 0.9,
        hours: bool = False,
    ) -> Result:
        """Forecast requests and bytes a second of each service from the hours that were.

        Args:
            since: First moment of the history, such as ``84d`` or ``2026-09-01``.
            until: First moment after it; None takes all. The newest hour is left out, as it is not over.
            horizon: How far to look ahead, such as ``28d``.
            limit_rate: Requests a second that are too many: when are they reached?
            limit_bytes: Bytes a second that are too many.
            per_replica: Requests a second that one replica takes: how many are needed?
            collection: The only collection to look at.
            service: The only service to look at.
            coverage: The share of hours that the interval is to hold.
            hours: Give every hour with its interval instead of a summary.

        Raises:
            logshed.errors.UsageError: There are no requests, the history is too short, or a value is wrong.
        """
        from logshed.pipeline import capacity  # noqa: PLC0415 - heavy
        from logshed.sql.result import of_frame  # noqa: PLC0415 - heavy

        times = capacity.window(since, until, horizon, self.settings.timezone or "UTC")
        limits = {"rate": limit_rate, "bytes": limit_bytes}
        wanted = capacity.Wanted(*times, limits, per_replica, collection, service, coverage)
        return of_frame((capacity.hourly if hours else capacity.summary)(self._ask, wanted))

    def cost(
        self,
        *,
        days: Mapping[str, int] | None = None,
        prices: str | Path | None = None,
        by: Literal["observed", "event"] = "observed",
        supposed: tuple[float, float] | None = None,
    ) -> dict[str, Any]:
        """Say what the lake costs a month in each cloud: storage, requests, machines, by layer and collection.

        Args:
            days: Days for which ``bronze``, ``silver`` and ``gold`` are kept; those not given are 7, 90 and 360.
            prices: A file of prices; None takes the list prices that come with Logshed.
            by: Whether the days count in which records came, or those of their own time.
            supposed: Events a day and bytes an event of a lake that is not there yet; None measures this one.

        Raises:
            logshed.errors.UsageError: There is nothing in the lake, or a price or a number is wrong.
            logshed.errors.LakeError: The lake cannot be read.
        """
        from logshed.pipeline import cost  # noqa: PLC0415 - light, and wanted here only
        from logshed.prices import Prices  # noqa: PLC0415 - reads a file

        listed = Prices.load(None if prices is None else Path(prices))
        kept = cost.Kept.of_days(days or {})
        if supposed is not None:
            return cost.report(cost.Inflow.supposed(*supposed), kept, listed)
        from logshed.pipeline.growth import inflow  # noqa: PLC0415 - heavy

        return cost.report(inflow(self._opened(), by), kept, listed)

    def detectors(self, name: str | None = None) -> dict[str, Detector]:
        """The anomaly detectors, or the one of this name: ours, installed packages' and the user's."""
        from logshed.detections.anomalies import registry  # noqa: PLC0415 - reads files

        plugins = self.settings.plugins
        return registry.load(plugins) if name is None else {name: registry.detector(name, plugins)}
