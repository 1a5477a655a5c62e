"""The Python interface to detection: rules, findings and incidents of a lake, as ``lake.security``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from logshed.queries.times import LATEST, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from logshed.detections.registry import Loaded
    from logshed.lake.store import Store
    from logshed.pipeline.backtest import Backtest
    from logshed.pipeline.detect_report import DetectReport
    from logshed.pipeline.rule_cases import Outcome
    from logshed.settings import Settings


class Security:
    """What is looked for in a lake, and what was found.

    Args:
        opened: Opens the lake; rules can be listed and tested without one.
        settings: Settings.
    """

    def __init__(self, opened: Callable[[], Store], settings: Settings) -> None:
        self._opened = opened
        self._settings = settings

    def detect(
        self,
        rules: Sequence[str] = (),
        *,
        since: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> DetectReport:
        """Look for rules in every batch that was not looked at yet; what is found is kept, exactly once, and told.

        Args:
            rules: Globs on their names; none takes all that are not disabled.
            since: Look again at all records from then on, such as ``7d``, also at those that were looked at before.
            progress: Is told the records looked at so far.

        Raises:
            logshed.errors.LakeError: The lake cannot be read or written.
            logshed.errors.SettingsError: A destination of alerts does not fit; nothing was looked at.
        """
        from logshed.pipeline.away import Runner  # noqa: PLC0415 - heavy
        from logshed.pipeline.watching import watch  # noqa: PLC0415 - heavy

        now, zone = datetime.now(UTC), self._settings.timezone or "UTC"
        begin = None if since is None else moment(since, now=now, timezone=zone)
        return watch(self._opened(), self._settings, rules, progress, begin, Runner.of(self._settings))

    def rules(self) -> Loaded:
        """Every rule: ours, installed packages' and the user's, and the files that are broken."""
        from logshed.detections import registry  # noqa: PLC0415 - heavy

        return registry.load(self._settings.plugins)

    def test(self, rules: Sequence[str] = ()) -> list[Outcome]:
        """Run the cases inside rules.

        Args:
            rules: Globs on their names; none takes all.
        """
        from logshed.pipeline.detect import chosen  # noqa: PLC0415 - heavy
        from logshed.pipeline.rule_cases import run  # noqa: PLC0415 - heavy

        return run(chosen(self.rules().rules, rules, ()).values(), self._settings)

    def backtest(self, rule: str, *, since: str = "30d", until: str | None = None) -> Backtest:
        """Try a rule on what the lake holds already.

        Args:
            rule: Its name.
            since: First moment, such as ``30d`` or ``2026-01-01``.
            until: First moment after; None takes all.

        Raises:
            logshed.errors.DetectionError: There is no such rule.
            logshed.errors.UsageError: A time is none.
        """
        from logshed.detections import registry  # noqa: PLC0415 - heavy
        from logshed.pipeline.backtest import backtest  # noqa: PLC0415 - heavy

        now, zone = datetime.now(UTC), self._settings.timezone or "UTC"
        end = LATEST if until is None else moment(until, now=now, timezone=zone)
        found = registry.rule(rule, self._settings.plugins)
        return backtest(self._opened(), self._settings, found, moment(since, now=now, timezone=zone), end)

    def incident(self, name: str) -> dict[str, Any]:
        """The newest version of an incident.

        Args:
            name: Its id, or how that begins.

        Raises:
            logshed.errors.UsageError: There is no such incident.
        """
        from logshed.pipeline import casework  # noqa: PLC0415 - heavy

        return casework.find(self._opened(), name)

    def change_incident(
        self, name: str, *, status: str = "", note: str = "", muted_until: datetime | None = None
    ) -> dict[str, Any]:
        """Write a new version of an incident, and return it.

        Args:
            name: Its id, or how that begins.
            status: ``open``, ``muted`` or ``closed``; empty leaves it.
            note: A text to add.
            muted_until: Until when it is silent.

        Raises:
            logshed.errors.UsageError: There is no such incident.
        """
        from logshed.pipeline import casework  # noqa: PLC0415 - heavy

        return casework.change(self._opened(), name, status=status, note=note, muted_until=muted_until)
