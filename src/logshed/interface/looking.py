"""The verbs that look at what there is: collections, what arrives, what no format took, what a line is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from logshed.errors import UsageError
from logshed.interface.base import Opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from logshed.sql.result import Result


class Looking(Opened):
    """The verbs that look at what there is, as far as the one who asks may see it."""

    def collections(self) -> list[dict[str, Any]]:
        """Each collection: records, hits, errors, rejects, redactions, times, services, formats; most records first.

        Raises:
            logshed.errors.QueryError: The lake cannot be asked.
        """
        from logshed.pipeline.collections import summaries  # noqa: PLC0415 - heavy

        return summaries(self._put)

    def collection(self, name: str) -> dict[str, Any]:
        """One collection: the same, and how it lies in time, its sources, services, formats and places.

        Raises:
            logshed.errors.UsageError: There is none of that name.
            logshed.errors.QueryError: The lake cannot be asked.
        """
        from logshed.pipeline.collections import details, summaries  # noqa: PLC0415 - heavy

        found = summaries(self._put, name)
        if not found:
            raise UsageError(f"cannot show collection {name}: there is no record of it; see `collections`")
        return {**found[0], **details(self._put, found[0])}

    def resting(self) -> dict[str, dict[str, int]]:
        """Bytes at rest of each collection by layer.

        Raises:
            logshed.errors.LakeError: The lake cannot be read.
        """
        from logshed.pipeline.growth import resting  # noqa: PLC0415 - heavy

        return resting(self._opened())

    def sources(self, since: str = "30d", **wanted: Any) -> list[dict[str, Any]]:
        """What arrives: sources with their newest records, how many and how late.

        Args:
            since: Only what was read since then.
            wanted: ``collection``, ``words``, ``limit``, ``skip`` of ``pipeline.arrivals.sources``.

        Raises:
            logshed.errors.QueryError: The lake cannot be asked.
            logshed.errors.UsageError: The time is none.
        """
        from datetime import UTC, datetime  # noqa: PLC0415 - light, and wanted here only

        from logshed.pipeline.arrivals import sources  # noqa: PLC0415 - heavy

        return sources(self._put, since=self.moment(since), now=datetime.now(UTC), **wanted)

    def rejected(self, since: str = "all", **wanted: Any) -> list[dict[str, Any]]:
        """What no format took, by source and reason, with samples.

        Args:
            since: Only what was read since then.
            wanted: ``collection``, ``limit``, ``skip`` of ``pipeline.arrivals.rejected``.

        Raises:
            logshed.errors.QueryError: The lake cannot be asked.
            logshed.errors.UsageError: The time is none.
        """
        from logshed.pipeline.arrivals import rejected  # noqa: PLC0415 - heavy

        return rejected(self._put, since=self.moment(since), **wanted)

    def ledger(self) -> dict[str, Any]:
        """The ledger's sums: lines read, stored, rejected, dropped, of all sources and of each.

        Raises:
            logshed.errors.LakeError: The lake cannot be read.
        """
        from logshed.pipeline.arrivals import ledger  # noqa: PLC0415 - heavy

        return ledger(self._opened())

    def explain(self, text: str, choice: str = "auto") -> dict[str, Any]:
        """What lines are: their format, what comes out of them, which other formats take them; nothing is kept.

        Args:
            text: Lines.
            choice: ``auto``, or a format choice to try.

        Raises:
            logshed.errors.UsageError: There is no line, or too much.
            logshed.errors.FormatError: There is no such format.
        """
        from logshed.pipeline.explaining import explain  # noqa: PLC0415 - heavy

        return explain(text, self.settings, choice)

    def _put(self, sql: str, params: Mapping[str, object]) -> Result:
        return self.ask(sql, dict(params))
