"""The Python interface to detection: rules, findings and incidents of a lake, as ``lake.security``."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from logshed.errors import MissingError
from logshed.queries.times import LATEST, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from logshed.detection_settings import Suppress
    from logshed.detections.registry import Loaded
    from logshed.lake.store import Store
    from logshed.pipeline.backtest import Backtest
    from logshed.pipeline.casework import Change
    from logshed.pipeline.detect_report import DetectReport
    from logshed.pipeline.rule_cases import Outcome
    from logshed.pipeline.switches import Switches
    from logshed.settings import Settings
    from logshed.sql.sight import Sight


class Security:
    """What is looked for in a lake, and what was found.

    Args:
        opened: Opens the lake to look at all of it; refuses where only some collections may be seen. Rules can be
            listed and tested without one.
        settings: Settings.
        seen: Opens the lake to see what ``sight`` shows.
        sight: What of the lake is seen; None is all.
        root: The lake's folder.
    """

    def __init__(
        self,
        opened: Callable[[], Store],
        settings: Settings,
        *,
        seen: Callable[[], Store] | None = None,
        sight: Sight | None = None,
        root: Path | None = None,
    ) -> None:
        self._opened = opened
        self._settings = settings
        self._seen = seen or opened
        self._sight = sight
        self._root = root

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
        from logshed.pipeline.rule_cases import run  # noqa: PLC0415 - heavy
        from logshed.pipeline.switches import chosen  # noqa: PLC0415 - heavy

        return run(chosen(self.rules().rules, rules).values(), self._settings)

    def backtest(
        self,
        rule: str,
        *,
        since: str = "30d",
        until: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Backtest:
        """Try a rule on what the lake holds already.

        Args:
            rule: Its name.
            since: First moment, such as ``30d`` or ``2026-01-01``.
            until: First moment after; None takes all.
            progress: Is told the records looked at so far, and how many there are; what it raises ends the run.

        Raises:
            logshed.errors.DetectionError: There is no such rule.
            logshed.errors.UsageError: A time is none.
        """
        from logshed.detections import registry  # noqa: PLC0415 - heavy
        from logshed.pipeline.backtest import backtest  # noqa: PLC0415 - heavy

        now, zone = datetime.now(UTC), self._settings.timezone or "UTC"
        end = LATEST if until is None else moment(until, now=now, timezone=zone)
        found = registry.rule(rule, self._settings.plugins)
        begin = moment(since, now=now, timezone=zone)
        return backtest(self._seen(), self._settings, found, begin, end, sight=self._sight, progress=progress)

    def switches(self) -> Switches:
        """Which rules are on."""
        from logshed.pipeline.switches import Switches  # noqa: PLC0415 - not for all

        return Switches(self._settings.detect.disabled, self._root)

    def switch(self, rule: str, *, on: bool | None, by: str | None = None, reason: str = "") -> None:
        """Switch a rule, detector or check on or off from now on, whatever the settings say; the trail tells it.

        Args:
            rule: Its name.
            on: None lets the settings say again.
            by: Who does it; None is who runs this process.
            reason: Why.

        Raises:
            logshed.errors.DetectionError: There is none of this name.
            logshed.errors.LakeError: It cannot be kept.
            logshed.errors.AccessError: Only some collections may be seen here, and it would change what all find.
        """
        from logshed.pipeline import rule_book, switches, trail, typed  # noqa: PLC0415 - heavy

        store = self._opened()
        rule_book.assert_known(rule, self._settings)
        trail.noted(store, self._settings, "rule", rule, details={"on": on, "reason": reason}, by=by)
        if on is None:
            switches.leave(store.root, rule)
        else:
            said = typed.safe(self._settings)(reason)
            switches.switch(store.root, rule, on=on, by=by or trail.actor(), reason=said)

    def incident(self, name: str) -> dict[str, Any]:
        """The newest version of an incident.

        Args:
            name: Its id, or how that begins.

        Raises:
            logshed.errors.UsageError: There is no such incident.
        """
        from logshed.pipeline import casework  # noqa: PLC0415 - heavy

        return casework.find(self._seen(), [name], self._sight)[0]

    def incidents(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """The newest versions of several incidents.

        Args:
            names: Their ids, or how those begin.

        Raises:
            logshed.errors.MissingError: One of them is not there.
        """
        from logshed.pipeline import casework  # noqa: PLC0415 - heavy

        return casework.find(self._seen(), names, self._sight)

    def change_incident(
        self,
        name: str,
        *,
        status: str = "",
        note: str = "",
        muted_until: datetime | None = None,
        assignee: str | None = None,
        by: str = "",
    ) -> dict[str, Any]:
        """Write a new version of an incident, and return it.

        Args:
            name: Its id, or how that begins.
            status: ``open``, ``muted`` or ``closed``; empty leaves it.
            note: A text to add.
            muted_until: Until when it is silent.
            assignee: Who works on it; empty is nobody, None leaves it.
            by: Who does it; empty is who runs this process.

        Raises:
            logshed.errors.UsageError: There is no such incident.
        """
        from logshed.pipeline.casework import Change  # noqa: PLC0415 - heavy

        return self.change_incidents([name], Change(status, note, muted_until, assignee, by))[0]

    def change_incidents(self, names: Sequence[str], done: Change) -> list[dict[str, Any]]:
        """Write new versions of several incidents, all or none; the audit trail tells each.

        Args:
            names: Their ids, or how those begin.
            done: What is done to each.

        Raises:
            logshed.errors.UsageError: One of them is not there.
        """
        from logshed.pipeline import casework, trail, typed  # noqa: PLC0415 - heavy

        safe = typed.safe(self._settings)
        assignee = None if done.assignee is None else safe(done.assignee)
        kept = replace(done, note=safe(done.note), assignee=assignee)
        store, by = self._seen(), done.by or None

        def noted(row: Mapping[str, Any]) -> None:
            target, collection = row["incident_id"], row["collection"]
            trail.noted(store, self._settings, "incident", target, details=kept.told(), by=by, collection=collection)

        return casework.change(store, names, kept, self._sight, noted)

    def mutes(self) -> tuple[Suppress, ...]:
        """What people do not want to be told of; the settings may hold more.

        Raises:
            logshed.errors.LakeError: Their file is damaged.
        """
        from logshed.pipeline import suppress  # noqa: PLC0415 - heavy

        return suppress.read(self._opened().root)

    def mute(self, rule: Suppress, *, by: str | None = None) -> Suppress:
        """Keep back findings from now on; a mute of the same name is replaced. The audit trail tells it.

        Args:
            rule: Which findings, under which name, until when and why.
            by: Who does it; None is who runs this process.

        Returns:
            It as it is kept: nothing that the policy forbids is.
        """
        from logshed.pipeline import suppress, trail, typed  # noqa: PLC0415 - heavy

        store, safe = self._opened(), typed.safe(self._settings)
        changed = {name: safe(getattr(rule, name)) for name in ("name", "actor", "reason")}
        kept = rule.model_copy(update=changed)
        told = kept.model_dump(mode="json", exclude={"name"})
        trail.noted(store, self._settings, "mute", kept.name, details=told, by=by, collection=kept.collection)
        suppress.add(store.root, kept)
        return kept

    def unmute(self, name: str, *, by: str | None = None) -> None:
        """End a mute; the audit trail tells it.

        Args:
            name: Its name.
            by: Who does it; None is who runs this process.

        Raises:
            logshed.errors.MissingError: There is none of this name.
        """
        from logshed.pipeline import suppress, trail  # noqa: PLC0415 - heavy

        store = self._opened()
        found = next((one for one in suppress.read(store.root) if one.name == name), None)
        if found is None:
            raise MissingError(f"cannot end the mute {name}: there is none; `logshed mutes list` shows them")
        trail.noted(store, self._settings, "unmute", name, by=by, collection=found.collection)
        suppress.remove(store.root, name)
