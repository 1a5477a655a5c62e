"""The verbs by which administrators look at a lake: its tables, its audit trail, its health, the runs by the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logshed.interface.base import Opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.pipeline.doctoring import Finding
    from logshed.sql.result import Result


class Tending(Opened):
    """The verbs of administrators that change nothing."""

    def tables(self) -> list[dict[str, Any]]:
        """Each table: rows, files, bytes, files that compaction would take, snapshots, when it changed, how long kept.

        Raises:
            logshed.errors.LakeError: The lake cannot be read.
        """
        from logshed.pipeline.lake_state import tables  # noqa: PLC0415 - heavy

        return tables(self._opened(), self.settings)

    def trail(self, since: str = "all", until: str | None = None, **wanted: Any) -> list[dict[str, Any]]:
        """Entries of the audit trail, the newest first.

        Args:
            since: First moment.
            until: First moment after; None takes all.
            wanted: ``actor``, ``verb``, ``outcome``, ``limit``, ``skip`` of ``pipeline.lake_state.trail``.

        Raises:
            logshed.errors.QueryError: The lake cannot be asked, or shows no trail to the one who asks.
            logshed.errors.UsageError: A time is none.
        """
        from logshed.pipeline.lake_state import trail  # noqa: PLC0415 - heavy

        def query(sql: str, params: Mapping[str, object]) -> Result:
            return self.ask(sql, dict(params))

        end = None if until is None else self.moment(until)
        return trail(query, since=self.moment(since), until=end, **wanted)

    def trail_breaks(self) -> list[str]:
        """Where the chain of the audit trail is broken, in sentences; none where it is whole.

        Raises:
            logshed.errors.LakeError: The lake cannot be read.
        """
        from logshed.pipeline.trail import broken  # noqa: PLC0415 - heavy

        return broken(self._opened())

    def doctor(self) -> list[Finding]:
        """What is missing or misset: installation, settings, data files, lake, hot store."""
        from logshed.pipeline.doctoring import everything  # noqa: PLC0415 - heavy

        self._opened()
        return everything(self.root)

    def canaries(self) -> list[dict[str, Any]]:
        """Runs of the canary from this machine: what each sent, and what of it the lake has now.

        Raises:
            logshed.errors.LogshedError: A book cannot be read, or the lake not be asked.
        """
        from logshed.pipeline.canary_runs import runs  # noqa: PLC0415 - heavy

        self._opened()
        return runs(self.root, lambda sql, params: self.query(sql, params=dict(params)))

    def schedules(self) -> list[dict[str, Any]]:
        """What runs by the clock: each with its next time and what came of the last."""
        from datetime import UTC, datetime  # noqa: PLC0415 - light, and wanted here only

        from logshed.pipeline.scheduling import listed  # noqa: PLC0415 - heavy

        return listed(self.settings, self.root, datetime.now(UTC)) if self.settings.schedule else []
