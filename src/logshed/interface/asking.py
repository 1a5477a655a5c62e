"""The verbs that answer: questions, searches, templates, gold tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.interface.base import EngineName, Opened

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from logshed.pipeline.aggregate import Refreshed
    from logshed.pipeline.patterns import Change, Patterns
    from logshed.queries.model import Question
    from logshed.sql.result import Result


class Asking(Opened):
    """The verbs that answer: questions, searches, templates, gold tables."""

    def run(
        self,
        name: str,
        *,
        engine: EngineName = "duckdb",
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        collection: str | None = None,
        now: datetime | None = None,
        compare: str | None = None,
        timezone: str | None = None,
        **params: object,
    ) -> Result:
        """Answer a named question.

        Args:
            name: Its name; ``questions()`` lists them.
            engine: ``duckdb`` or ``clickhouse``.
            since: First moment, such as ``24h``, ``7d``, ``2015-05-17``; None takes the question's window.
            until: First moment after; None takes all.
            collection: The only collection to look at.
            now: The present, from which windows look back; None takes the clock.
            compare: Put the figures of an earlier time beside: ``previous`` is the time of the same length right
                before, ``1d`` or ``1w`` the same time a day or a week earlier.
            timezone: The zone of days and hours, also of times that name none; None takes UTC for days and hours, and
                the setting for times.
            params: The question's own parameters.

        Raises:
            logshed.errors.QueryError: There is no such question.
            logshed.errors.UsageError: A parameter is wrong, or the question's rows cannot be compared.
        """
        from logshed.queries import registry  # noqa: PLC0415 - reads files

        question = registry.question(name, self.settings.plugins)
        zone = timezone or self.settings.timezone or "UTC"

        def ask(since: str | datetime | None, until: str | datetime | None, values: Mapping[str, object]) -> Result:
            bound = question.bind(values, now=now, since=since, until=until, collection=collection, timezone=zone)
            return self.query(question.sql, engine=engine, params=bound, timezone=timezone, sandbox=False)

        if compare is None:
            found = ask(since, until, params)
        else:
            from logshed.pipeline.comparing import compared  # noqa: PLC0415 - heavy

            found = compared(question, ask, (since, until, now), params, compare, zone)
        found.title, found.chart = question.title, question.chart
        return found

    def search(
        self,
        text: str = "",
        *,
        engine: EngineName = "duckdb",
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        collection: str | None = None,
        fields: Sequence[str] = (),
        limit: int | None = None,
        oldest_first: bool = False,
        now: datetime | None = None,
        timezone: str | None = None,
    ) -> Result:
        """Find records by words and fields, newest first; docs/search.md has the language.

        Args:
            text: Such as ``level>=warn service:pay* "connection timeout"``; an empty one finds every record.
            engine: ``duckdb`` or ``clickhouse``.
            since: First moment, such as ``24h``, ``7d``, ``2015-05-17``; None takes 7 days.
            until: First moment after; None takes all.
            collection: The only collection to look at.
            fields: Fields to show, in order; none are all columns.
            limit: At most so many records; None gives all, as a stream.
            oldest_first: Oldest first instead of newest.
            now: The present, from which windows look back; None takes the clock.
            timezone: The zone of times that name none; None takes the setting, else UTC.

        Raises:
            logshed.errors.QueryError: The text is wrong; the error points at the place.
            logshed.errors.UsageError: A time or a field is none.
        """
        from logshed.pipeline import search as searching  # noqa: PLC0415 - heavy

        zone = timezone or self.settings.timezone or "UTC"
        scope = searching.understood(text, since=since, until=until, collection=collection, now=now, timezone=zone)
        asked = searching.Search(scope, tuple(fields), limit, oldest_first)
        return searching.found(asked, lambda sql: self.query(sql, engine=engine, sandbox=False))

    def patterns(
        self,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        collection: str | None = None,
        service: str | None = None,
        where: str | None = None,
        change: Change | None = None,
        baseline: str | datetime | None = None,
        now: datetime | None = None,
    ) -> Patterns:
        """Find the templates of messages: what programs write, with the values taken out.

        Args:
            since: First moment, such as ``24h``, ``7d``, ``2015-05-17``; None takes 7 days, for changes 24 hours.
            until: First moment after; None takes all.
            collection: The only collection to look at.
            service: The only service to look at.
            where: A condition in SQL over the columns of ``logs``.
            change: ``new`` gives templates that do not occur in the time before the window, ``vanished`` those that
                occur only there; None gives all of the window.
            baseline: How long the time before the window is, or when it begins; None takes 7 days.
            now: The present, from which windows look back; None takes the clock.

        Raises:
            logshed.errors.QueryError: The condition is wrong.
            logshed.errors.UsageError: A time is none.
        """
        from logshed.pipeline import patterns as mining  # noqa: PLC0415 - heavy

        default = mining.WINDOW_OF_CHANGES if change else mining.WINDOW
        zone = self.settings.timezone or "UTC"
        times = mining.window(since, until, default, now=now, timezone=zone)
        asked = mining.Asked(*times, collection, service, where)

        def query(sql: str, params: dict[str, object]) -> Result:
            return self.query(sql, params=params, sandbox=None if where else False)  # where is people's text

        if change:
            return mining.changes(query, asked, baseline or mining.BASELINE, change)
        return mining.patterns(query, asked)

    def aggregate(
        self,
        tables: Sequence[str] = (),
        *,
        rebuild: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> list[Refreshed]:
        """Bring the gold tables up to date: the days of records that came since the last time are computed anew.

        Args:
            tables: Their names; none takes all.
            rebuild: Compute every day anew.
            progress: Is told the table that is begun.

        Raises:
            logshed.errors.QueryError: There is no such table, or a table's file is wrong.
            logshed.errors.LakeError: The lake cannot be read or written.
        """
        from logshed.pipeline.aggregate import Aggregate  # noqa: PLC0415 - heavy

        return Aggregate(self._opened(), self.settings, tables, rebuild, progress, self._runner()).run()

    def questions(self) -> dict[str, Question]:
        """All named questions: ours, installed packages' and the user's."""
        from logshed.queries import registry  # noqa: PLC0415 - reads files

        return registry.load(self.settings.plugins)
