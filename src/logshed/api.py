"""The Python interface: one object, a lake, with the verbs as its methods. The command line is a thin layer on it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from logshed.buckets.address import is_address
from logshed.errors import UsageError
from logshed.lake import folder
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from threading import Event

    import polars as pl

    from logshed.detections.anomalies.model import Detector
    from logshed.lake.store import Store
    from logshed.pipeline.aggregate import Refreshed
    from logshed.pipeline.audit import AuditReport
    from logshed.pipeline.collect_report import CollectReport
    from logshed.pipeline.compliance import Compliance
    from logshed.pipeline.erasing import Erased
    from logshed.pipeline.following import FollowReport
    from logshed.pipeline.integrity import Integrity
    from logshed.pipeline.job import Job
    from logshed.pipeline.live_lake import Rebuilt
    from logshed.pipeline.maintain import Upkeep
    from logshed.pipeline.outcome import IngestReport, Progress
    from logshed.pipeline.patterns import Change, Patterns
    from logshed.pipeline.planning import Options
    from logshed.pipeline.promote import Attribute
    from logshed.pipeline.rejects import ReplayReport
    from logshed.pipeline.reparse_report import Reparsed
    from logshed.pipeline.report import Report
    from logshed.pipeline.resting import Sample
    from logshed.pipeline.tables import LakeTables
    from logshed.pipeline.verify import Verification
    from logshed.queries.model import Question
    from logshed.security import Security
    from logshed.sources.feeds import Feed
    from logshed.sql.clickhouse_ddl import Stored
    from logshed.sql.result import Result

EngineName = Literal["duckdb", "clickhouse"]

REJECTS = """
SELECT source, "offset", line_count, parse_error, text, format, generation, batch, observed_timestamp
FROM lines WHERE parse_error IS NOT NULL ORDER BY source, generation, "offset"
"""


class Lake:
    """A lake: its tables, and what can be done with them.

    Use ``Lake.open`` or ``logshed.open``.

    Attributes:
        root: The lake's folder.
        settings: The settings that hold for its verbs.
    """

    def __init__(self, root: Path, settings: Settings) -> None:
        self.root = root
        self.settings = settings
        self._store: Store | None = None

    @classmethod
    def open(
        cls,
        path: str | Path | None = None,
        *,
        create: bool = False,
        check: bool = True,
        settings: Settings | None = None,
    ) -> Lake:
        """Open a lake.

        Args:
            path: The lake's folder; None takes the setting ``lake``.
            create: Make an empty lake where there is none.
            check: Look now whether there is a lake; False looks when its tables are first needed.
            settings: Settings; None reads logshed.toml, ``.env`` and the environment.

        Raises:
            logshed.errors.LakeError: There is no lake, it is something else, or a newer version wrote it.
            logshed.errors.SettingsError: A setting is wrong.
        """
        settings = settings or Settings.load()
        lake = cls(Path(settings.lake if path is None else path).expanduser().absolute(), settings)
        if create and not folder.is_lake(lake.root):
            lake._opened(create=True)
        elif check:
            folder.check(lake.root, settings.backing)
        return lake

    def ingest(
        self,
        paths: Sequence[str | Path],
        *,
        format: str = "auto",  # noqa: A002 - the name of the option
        collection: str | None = None,
        service: str | None = None,
        policy: str | None = None,
        workers: int | None = None,
        dry_run: bool = False,
        final: bool = False,
        encoding: str = "auto",
        timezone: str | None = None,
        geoip: Sequence[str | Path] | None = None,
        threat_lists: Sequence[str | Path] | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> IngestReport:
        """Ingest what is new in these paths, exactly once.

        Args:
            paths: Files, folders, globs, or ``-`` for standard input.
            format: ``auto``, or a format choice such as ``apache_combined`` or ``docker_json/java``.
            collection: Collection of the records; None takes the setting.
            service: ``service_name`` of records that name none.
            policy: Redaction policy, a name or a file; None takes the setting.
            workers: Threads; None takes the setting, else one per processor.
            dry_run: Read, redact and parse, and write nothing.
            final: Take a last line that has no line feed yet.
            encoding: Text encoding; ``auto`` detects UTF-16 by its mark and takes the rest as UTF-8.
            timezone: Zone of timestamps that name none; None takes the setting, else UTC.
            geoip: Databases in MaxMind's format; None takes the setting.
            threat_lists: Threat lists; None takes the setting.
            progress: Is told where the run is, a few times a second.

        Returns:
            What came of every file. A file that cannot be read is told there and stops no other.

        Raises:
            logshed.errors.LakeError: The lake cannot be written; what was committed before is whole.
            logshed.errors.LogshedError: A format, policy, setting, database or threat list is wrong; nothing was read.
        """
        from logshed.engines.local import LocalEngine  # noqa: PLC0415 - heavy
        from logshed.pipeline.ingest import Ingest  # noqa: PLC0415 - heavy
        from logshed.pipeline.planning import Options  # noqa: PLC0415 - heavy

        settings = self.settings if policy is None else self.settings.model_copy(update={"policy": policy})
        settings = settings.enriched(geoip=geoip, threat_lists=threat_lists)
        options = Options(
            format=format,
            collection=collection or settings.collection,
            service=service,
            final=final,
            encoding=encoding,
            timezone=timezone,
            dry_run=dry_run,
        )
        store = self._opened() if folder.is_lake(self.root) or not dry_run else None
        engine = LocalEngine(workers or settings.workers)
        return Ingest(store, settings, options, engine, progress).run([str(path) for path in paths])

    def follow(
        self,
        paths: Sequence[str | Path],
        stop: Event,
        *,
        format: str = "auto",  # noqa: A002 - the name of the option
        collection: str | None = None,
        service: str | None = None,
        policy: str | None = None,
        workers: int | None = None,
        encoding: str = "auto",
        timezone: str | None = None,
        geoip: Sequence[str | Path] | None = None,
        threat_lists: Sequence[str | Path] | None = None,
        every: float = 1.0,
        progress: Callable[[FollowReport], None] | None = None,
    ) -> FollowReport:
        """Ingest what is in local files and what comes, through rotation, in a batch a second, exactly once.

        Args:
            paths: Files, folders and globs; what is not there yet is taken when it comes.
            stop: Ends it when it is set; the batch at hand is finished.
            format: As for ``ingest``, and so are all below.
            collection: Collection of the records.
            service: ``service_name`` of records that name none.
            policy: Redaction policy.
            workers: Threads.
            encoding: Text encoding.
            timezone: Zone of timestamps that name none.
            geoip: Databases in MaxMind's format.
            threat_lists: Threat lists.
            every: Least seconds from the beginning of one batch to the next.
            progress: Is told how it stands after each batch.

        Raises:
            logshed.errors.LakeError: The lake cannot be written; what was committed before is whole.
            logshed.errors.UsageError: A path is an object's, which does not grow.
            logshed.errors.LogshedError: A format, policy, setting, database or threat list is wrong; nothing was read.
        """
        from logshed.engines.local import LocalEngine  # noqa: PLC0415 - heavy
        from logshed.pipeline.following import Follow  # noqa: PLC0415 - heavy
        from logshed.pipeline.planning import Options  # noqa: PLC0415 - heavy

        settings = self.settings if policy is None else self.settings.model_copy(update={"policy": policy})
        settings = settings.enriched(geoip=geoip, threat_lists=threat_lists)
        options = Options(
            format=format,
            collection=collection or settings.collection,
            service=service,
            encoding=encoding,
            timezone=timezone,
        )
        if address := next((str(path) for path in paths if is_address(str(path))), ""):
            raise UsageError(f"cannot follow {address}: objects do not grow; run `logshed ingest` on it now and then")
        engine = LocalEngine(workers or settings.workers)
        following = Follow(self._opened(create=True), settings, options, engine, progress, every=every)
        return following.run([str(path) for path in paths], stop)

    def rebuild_live(self, since: datetime | None, progress: Callable[[int, int], None] | None = None) -> Rebuilt:
        """Empty the hot store of the newest lines and fill it with what the lake holds.

        Args:
            since: Only records of this time and later; None takes all.
            progress: Is told records done and all.

        Raises:
            logshed.errors.LiveError: The hot store cannot be reached, refuses, or has no room.
        """
        from logshed.live.hot import HotStore  # noqa: PLC0415 - an extra
        from logshed.pipeline.live_lake import LiveLake  # noqa: PLC0415 - heavy

        hot = HotStore.open(self.settings.live)
        try:
            return LiveLake(self._opened(), hot).rebuild(since, progress)
        finally:
            hot.close()

    def collect(
        self,
        feeds: Sequence[Feed],
        settings: Settings | None = None,
        options: Options | None = None,
        progress: Callable[[CollectReport], None] | None = None,
    ) -> CollectReport:
        """Follow places until each has ended or SIGINT comes: their lines rest redacted in the spool, then here.

        Args:
            feeds: Where from, such as ``logshed.sources.docker`` makes them.
            settings: Other settings than the lake's.
            options: Collection, format and zone of the records.
            progress: Is told how it stands, about four times a second.

        Raises:
            logshed.errors.SpoolError: The spool cannot be written, or another process writes it.
            logshed.errors.LakeError: The lake cannot be opened; where it cannot be written, lines wait in the spool.
        """
        from logshed.pipeline.collection import Collection  # noqa: PLC0415 - heavy
        from logshed.pipeline.planning import Options as Wanted  # noqa: PLC0415 - heavy

        own = settings or self.settings
        wanted = options or Wanted(collection=own.collection)
        return Collection(own, wanted, self._opened(create=True), progress).run(feeds)

    def query(
        self,
        sql: str,
        *,
        engine: EngineName = "duckdb",
        params: dict[str, object] | None = None,
        timezone: str | None = None,
    ) -> Result:
        """Run a statement over ``logs`` and ``lines``.

        Args:
            sql: A statement in DuckDB's dialect; parameters as ``$name``.
            engine: ``duckdb`` (embedded) or ``clickhouse``.
            params: Values of the parameters.
            timezone: The zone of days, hours and times that name none; None takes UTC.

        Raises:
            logshed.errors.QueryError: The statement is wrong; the text shows the place.
            logshed.errors.UsageError: There is no such zone.
        """
        from logshed.queries.times import zone_of  # noqa: PLC0415 - reads files
        from logshed.sql import connect  # noqa: PLC0415 - heavy

        zone = timezone or "UTC"
        zone_of(zone)
        return connect(engine, self._tables(), timezone=zone).query(sql, params)

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
            return self.query(question.sql, engine=engine, params=bound, timezone=timezone)

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
        return searching.found(asked, lambda sql: self.query(sql, engine=engine))

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
            return self.query(sql, params=params)

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

        return Aggregate(self._opened(), self.settings, tables, rebuild, progress).run()

    def maintain(
        self,
        tasks: Sequence[str] = (),
        *,
        tables: Sequence[str] = (),
        grace: str = "24h",
        dry_run: bool = False,
        alone: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> list[Upkeep]:
        """Keep the lake quick and small: retention, compaction, merged manifests, expiry, what nothing names.

        Args:
            tasks: ``retain``, ``compact``, ``rewrite-manifests``, ``expire``, ``orphans``; none takes all.
            tables: Short names of tables, or ``ledger``; none takes all.
            grace: How long files stay that nothing names, and states of a table that another followed.
            dry_run: Only say what would be done.
            alone: Nothing else uses the lake, so that ``grace`` may be shorter than 12 hours.
            progress: Is told what is begun.

        Raises:
            logshed.errors.UsageError: There is no such task or table, or ``grace`` is too short.
            logshed.errors.LakeError: The lake cannot be read or written.
        """
        from datetime import UTC, datetime  # noqa: PLC0415 - light, and wanted here only

        from logshed.pipeline.maintain import Maintain  # noqa: PLC0415 - heavy

        since = self.moment(grace)
        seconds = (datetime.now(UTC) - since).total_seconds()
        run = Maintain(self._opened(), self.settings, tasks, tables, seconds, dry_run, alone, progress)
        return run.run()

    def reparse(
        self,
        since: str | datetime,
        until: str | datetime | None = None,
        *,
        format: str = "auto",  # noqa: A002 - the name of the option
        collections: Sequence[str] = (),
        source: str | None = None,
        dry_run: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> list[Reparsed]:
        """Make ``logs`` anew from ``lines``, after a format was mended or added: a day of reading in one commit.

        Args:
            since: Lines that were read since then: ``24h``, ``7d``, ``2026-01-01``, ``all``.
            until: Lines that were read before; None takes all.
            format: ``auto`` tells the format of each source anew; or a format choice, for all of them.
            collections: Only of these collections; none are all.
            source: Only of sources that this glob matches.
            dry_run: Only say what would be done.
            progress: Is told how far it is.

        Raises:
            logshed.errors.FormatError: There is no such format.
            logshed.errors.LakeError: The lake cannot be read or written; the days before are done.
        """
        from logshed.pipeline.reparse import Reparse  # noqa: PLC0415 - heavy

        begin, end = (self.moment(one) if isinstance(one, str) else one for one in (since, until))
        assert begin is not None  # noqa: S101 - for the type checker: since is a moment
        run = Reparse(
            self._opened(),
            self._job(dry_run=dry_run),
            begin,
            end,
            format_text=format,
            collections=collections,
            source=source,
            dry=dry_run,
            progress=progress,
        )
        return run.run()

    def promote(
        self,
        key: str,
        type: str = "string",  # noqa: A002 - the name of the option
        *,
        name: str | None = None,
        dry_run: bool = False,
    ) -> Attribute:
        """Turn a frequent attribute into a typed column of ``logs``; it stays among the attributes, too.

        Args:
            key: The attribute, such as ``tenant.id``.
            type: ``string``, ``int``, ``double``, ``bool`` or ``timestamp``; what does not fit stays an attribute only.
            name: The column's name; None makes one of the key, ``tenant_id``.
            dry_run: Only count what would be in it.

        Raises:
            logshed.errors.UsageError: There is no such type, or the name is taken or none.
            logshed.errors.LakeError: The lake cannot be read or written.
        """
        from logshed.pipeline.promote import Promote  # noqa: PLC0415 - heavy

        return Promote(self._opened(), self.settings).run(key, type, name, dry=dry_run)

    def attributes(self, since: str | datetime | None = None) -> list[Attribute]:
        """The attributes that are columns, and the most frequent of the others, with how many records have them.

        Args:
            since: Only records since then; None looks at all.
        """
        from logshed.pipeline.promote import Promote  # noqa: PLC0415 - heavy

        begin = self.moment(since) if isinstance(since, str) else since
        return Promote(self._opened(), self.settings).list(begin)

    def erase(
        self,
        *,
        user: str | None = None,
        column: str | None = None,
        value: str | None = None,
        anywhere: bool = False,
        dry_run: bool = False,
        alone: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> Erased:
        """Erase what the lake holds of a person: every record with a value or a pseudonym of it, in every table.

        Args:
            user: The user's id; short for ``column="user_id"`` with this value.
            column: A column of ``logs``, or the key of an attribute.
            value: Its value, as the logs had it or as it rests.
            anywhere: Look for the plain value in all texts too, as a whole word; pseudonyms always are.
            dry_run: Only say what would be erased.
            alone: Nothing else uses the lake, so that young files of no table can go, too.
            progress: Is told what is begun.

        Raises:
            logshed.errors.UsageError: There is no value, or no column.
            logshed.errors.RedactionError: The policy makes pseudonyms, and there is no key to find them by.
            logshed.errors.LakeError: The lake cannot be read or written; the next run goes on.
            logshed.errors.LiveError: The hot store cannot be reached.
        """
        from logshed.errors import UsageError  # noqa: PLC0415 - light, and wanted here only
        from logshed.pipeline.erase_subject import Subject  # noqa: PLC0415 - heavy
        from logshed.pipeline.erasing import Erase  # noqa: PLC0415 - heavy

        if (user is None) == (column is None) or (column is None) != (value is None):
            raise UsageError("cannot erase: it is not clear what; give a user, or a column with its value")
        wanted = (column, value) if column is not None and value is not None else ("user_id", user or "")
        subject = Subject.of(*wanted, self.settings, anywhere=anywhere)
        run = Erase(self._opened(), self.settings, subject, alone, progress)
        return run.look() if dry_run else run.run()

    def verify(self, progress: Callable[[int, int], None] | None = None) -> Integrity:
        """Look whether the files and the audit trail are what was committed.

        Args:
            progress: Is told files of ``lines`` read so far, and how many there are.

        Raises:
            logshed.errors.LakeError: The catalog cannot be read.
        """
        from logshed.pipeline.integrity import integrity  # noqa: PLC0415 - heavy

        return integrity(self._opened(), self.settings, progress)

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
        from logshed.sql import connect  # noqa: PLC0415 - heavy

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
        query = connect("duckdb", tables, timezone=wanted.zone).query
        made = reporting.report(query, tables.snapshot("logs"), to, wanted, plugins, progress)
        if post is not None:
            post(sending.document(made))
        return made

    def questions(self) -> dict[str, Question]:
        """All named questions: ours, installed packages' and the user's."""
        from logshed.queries import registry  # noqa: PLC0415 - reads files

        return registry.load(self.settings.plugins)

    @property
    def security(self) -> Security:
        """Rules, findings and incidents."""
        from logshed.security import Security  # noqa: PLC0415 - few ask for it

        return Security(self._opened, self.settings)

    def moment(self, text: str) -> datetime:
        """A time such as ``24h``, ``7d``, ``2026-01-01`` or ``all``, in UTC.

        Raises:
            logshed.errors.UsageError: It is none.
        """
        from datetime import UTC, datetime  # noqa: PLC0415 - light, and wanted here only

        from logshed.queries.times import moment  # noqa: PLC0415 - reads files

        return moment(text, now=datetime.now(UTC), timezone=self.settings.timezone or "UTC")

    def later(self, text: str) -> datetime:
        """A time that lies ahead, such as ``12h``, ``7d`` or a date, in UTC.

        Raises:
            logshed.errors.UsageError: It is none.
        """
        from datetime import UTC, datetime  # noqa: PLC0415 - light, and wanted here only

        now, then = datetime.now(UTC), self.moment(text)
        return then if then > now else now + (now - then)

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

    def audit(self) -> AuditReport:
        """Prove that every line read has one fate, and that the tables hold what the ledger says."""
        from logshed.pipeline.audit import audit  # noqa: PLC0415 - heavy

        return audit(self._opened())

    def verify_redaction(
        self,
        share: float = 0.01,
        *,
        seed: int = 0,
        policy: str | None = None,
        progress: Callable[[str, Sample], None] | None = None,
    ) -> Verification:
        """Look for what the policy forbids in what rests in the lake.

        Args:
            share: Share of the tables' rows to read, 0 to 1; of few rows all are.
            seed: Another number reads other rows.
            policy: By whose rules: a name, a file, or ``strictest`` for every rule; None takes the setting.
            progress: Is told the place and the rows read so far.

        Raises:
            logshed.errors.LakeError: A file of the lake cannot be read.
            logshed.errors.RedactionError: The policy or a rule is wrong.
        """
        from logshed.pipeline.resting import Sample  # noqa: PLC0415 - heavy
        from logshed.pipeline.verify import STRICTEST, verify  # noqa: PLC0415 - heavy
        from logshed.redaction.policy_files import load_policy, strictest  # noqa: PLC0415 - heavy

        made = strictest if policy == STRICTEST else load_policy
        name = self.settings.policy if policy in (None, STRICTEST) else str(policy)
        rules = made(name, self.settings.plugins, keys=self.settings.keys)
        return verify(self._opened(), rules, Sample(share, seed), progress=progress)

    def compliance(
        self,
        regime: str,
        share: float = 0.01,
        *,
        seed: int = 0,
        progress: Callable[[str, Sample], None] | None = None,
    ) -> Compliance:
        """Answer the points of a law or a standard from the settings and from what rests in the lake.

        Args:
            regime: Its name: ``gdpr``, ``hipaa``, ``ccpa``, ``pci``, or one of your own.
            share: Share of the tables' rows to read, 0 to 1; of few rows all are.
            seed: Another number reads other rows.
            progress: Is told the place and the rows read so far.

        Raises:
            logshed.errors.LakeError: A file of the lake cannot be read.
            logshed.errors.RedactionError: There is no such regime, or the policy or a rule is wrong.
        """
        from logshed.pipeline.compliance import compliance  # noqa: PLC0415 - heavy
        from logshed.pipeline.resting import Sample  # noqa: PLC0415 - heavy
        from logshed.redaction.regime_files import load_regime  # noqa: PLC0415 - heavy

        asked = load_regime(regime, self.settings.plugins)
        return compliance(self._opened(), self.settings, asked, Sample(share, seed), progress)

    def prover(self, *, sign: bool = False) -> Callable[[Path, Mapping[str, Any], int], Path]:
        """Note the state of the lake, and give what writes the proof of an answer that is asked for from now on.

        Args:
            sign: Sign it with the current key of pseudonyms.

        Returns:
            A function of the answer's file, what was asked and how many rows there are; it gives the proof's path.

        Raises:
            logshed.errors.RedactionError: There is no key to sign with.
        """
        from logshed.pipeline import proof  # noqa: PLC0415 - heavy
        from logshed.redaction.keyring import load_keys  # noqa: PLC0415 - heavy

        key = load_keys(self.settings.keys).current if sign else None
        store = self._opened()
        before = proof.snapshots(store)
        return lambda file, asked, rows: proof.write(file, asked, rows, (before, proof.snapshots(store)), key)

    def stored(self, names: Sequence[str] = ()) -> dict[str, Stored]:
        """The tables as they lie, for other programs that read them; those that are not made yet are left out.

        Args:
            names: Their short names; none takes all.

        Raises:
            logshed.errors.UsageError: There is no such table.
            logshed.errors.LakeError: The lake cannot be read.
        """
        tables = self._tables()
        known = tables.names()
        if unknown := [name for name in names if name not in known]:
            raise UsageError(f"cannot find table {unknown[0]}: there is none; take {', '.join(known)}")
        found = {name: tables.stored(name) for name in names or known}
        return {name: one for name, one in found.items() if one is not None}

    def rejects(self) -> Result:
        """Records that no format took, with the reason."""
        return self.query(REJECTS)

    def replay_rejects(self) -> ReplayReport:
        """Parse rejected records again, after a format was added or fixed."""
        from logshed.pipeline.rejects import replay  # noqa: PLC0415 - heavy

        return replay(self._opened(), self._job())

    def check(self) -> None:
        """Look whether the tables that every lake has can be opened.

        Raises:
            logshed.errors.LakeError: One cannot.
        """
        from logshed.lake.names import FIRST  # noqa: PLC0415 - not for `import logshed`

        for table in FIRST:
            self._opened().table(table)

    def _job(self, *, dry_run: bool = False) -> Job:
        from logshed.engines.local import LocalEngine  # noqa: PLC0415 - heavy
        from logshed.pipeline.ingest import Ingest  # noqa: PLC0415 - heavy
        from logshed.pipeline.planning import Options  # noqa: PLC0415 - heavy

        return Ingest(self._opened(), self.settings, Options(dry_run=dry_run), LocalEngine(1)).job("")

    def _ask(self, sql: str, params: Mapping[str, object]) -> pl.DataFrame:
        return self.query(sql, params=dict(params)).pl()

    def _tables(self) -> LakeTables:
        from logshed.pipeline.tables import LakeTables  # noqa: PLC0415 - heavy

        return LakeTables(self._opened)

    def _opened(self, *, create: bool = False) -> Store:
        if self._store is None:
            from logshed.lake.store import Store  # noqa: PLC0415 - PyIceberg takes a second

            self._store = Store.open(self.root, create=create, backing=self.settings.backing)
        return self._store

    def __repr__(self) -> str:
        return f"Lake({str(self.root)!r})"
