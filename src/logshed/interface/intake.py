"""The verbs that bring lines in, and records from lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.buckets.address import is_address
from logshed.errors import UsageError
from logshed.interface.base import Opened
from logshed.lake import folder
from logshed.sources import kafka_address

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path
    from threading import Event

    from logshed.pipeline.collect_report import CollectReport
    from logshed.pipeline.following import FollowReport
    from logshed.pipeline.live_lake import Rebuilt
    from logshed.pipeline.outcome import IngestReport, Progress
    from logshed.pipeline.planning import Options
    from logshed.pipeline.promote import Attribute
    from logshed.pipeline.receive_report import ReceiveReport
    from logshed.pipeline.rejects import ReplayReport
    from logshed.pipeline.reparse_report import Reparsed
    from logshed.settings import Settings
    from logshed.sources.feeds import Feed
    from logshed.sql.result import Result

REJECTS = """
SELECT source, "offset", line_count, parse_error, text, format, generation, batch, observed_timestamp
FROM lines WHERE parse_error IS NOT NULL ORDER BY source, generation, "offset"
"""


class Intake(Opened):
    """The verbs that bring lines in, and records from lines."""

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
        from logshed.engines import made  # noqa: PLC0415 - heavy
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
        engine = made(settings.engine, workers or settings.workers)
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
            paths: Files, folders, globs and addresses of topics; what is not there yet is taken when it comes.
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
        if address := next(
            (str(path) for path in paths if is_address(str(path)) and not kafka_address.is_address(str(path))), ""
        ):
            raise UsageError(f"cannot follow {address}: objects do not grow; run `logshed ingest` on it now and then")
        engine = LocalEngine(workers or settings.workers)
        following = Follow(self._opened(create=True), settings, options, engine, progress, every=every)
        return following.run([str(path) for path in paths], stop)

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

    def receive(
        self,
        settings: Settings | None = None,
        opened: Callable[[ReceiveReport], None] = lambda _: None,
        progress: Callable[[ReceiveReport], None] = lambda _: None,
    ) -> ReceiveReport:
        """Take what clients push until SIGINT or SIGTERM comes: it rests redacted in the spool, then here.

        Args:
            settings: Other settings than the lake's; ``receive`` names the doors.
            opened: Is told where the doors are, once they are open.
            progress: Is told how it stands, about once a second.

        Raises:
            logshed.errors.DoorError: A door cannot be opened.
            logshed.errors.SpoolError: The spool cannot be written, or another process writes it.
            logshed.errors.LakeError: The lake cannot be opened; where it cannot be written, records wait in the spool.
        """
        from logshed.pipeline.receive import Receive  # noqa: PLC0415 - heavy

        return Receive(settings or self.settings, self._opened(create=True), opened, progress).run()

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

    def rejects(self) -> Result:
        """Records that no format took, with the reason."""
        return self.query(REJECTS)

    def replay_rejects(self) -> ReplayReport:
        """Parse rejected records again, after a format was added or fixed."""
        from logshed.pipeline.rejects import replay  # noqa: PLC0415 - heavy

        return replay(self._opened(), self._job())

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
            self._runner(),
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
