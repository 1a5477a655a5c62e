"""Delivers findings to every destination: chosen, grouped, within its rate and hours, at least once and marked once."""

from __future__ import annotations

import contextlib
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from logshed.alert_settings import rate
from logshed.alerts import destination
from logshed.errors import AlertError, UsageError
from logshed.pipeline import alert_choice
from logshed.pipeline.alert_report import Delivered, DeliveryReport
from logshed.pipeline.alert_sending import TRIES, DeadLetter, DeadLetters, send
from logshed.pipeline.alert_state import FOLDER, State, load_waiting, locked, save_waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import polars as pl

    from logshed.alert_settings import Alert
    from logshed.alerts import Kind, Send
    from logshed.alerts.common.message import Finding, Message

LONGEST_WAITING = 1000
"""Findings that may wait; what is over is summed up as if the rate had held it back."""

THREADS = 8
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Target:
    alert: Alert
    kind: Kind
    call: Send


@dataclass(slots=True)
class _Work:
    """One destination's delivery under way."""

    target: _Target
    state: State
    now: datetime
    told: Delivered
    down: str = field(default="")


class Alerting:
    """The destinations of a lake.

    Args:
        alerts: Their settings.
        folder: The lake's folder.
        plugins: The setting ``plugins``.
        sleep: What waits between tries.

    Raises:
        logshed.errors.SettingsError: A destination is unknown, or a key of it is missing or wrong. Secrets are read
            when something is sent, so that one that is missing stops its own destination only.
    """

    def __init__(
        self,
        alerts: Sequence[Alert],
        folder: Path,
        plugins: Iterable[Path] = (),
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        roots = tuple(plugins)
        self._targets = [_target(alert, roots) for alert in alerts]
        self._folder = folder / FOLDER
        self._sleep = sleep
        self.dead_letters = DeadLetters(self._folder)

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The settings as they hold, with the rate that a destination has where none is set."""
        return tuple(one.alert for one in self._targets)

    def since(self) -> datetime | None:
        """From when on findings are to be given again, as a delivery may have been cut short; None where none was.

        Findings observed after it, minus an hour for those committed late, are given to ``deliver`` along with the new
        ones; what is done is not sent again.
        """
        known = []
        for one in self._targets:
            with contextlib.suppress(AlertError):  # told when it delivers
                known += [when for when in (State.load(self._state_path(one.alert)).complete,) if when]
        return min(known) - timedelta(hours=1) if known else None

    def deliver(self, findings: pl.DataFrame, now: datetime) -> DeliveryReport:
        """Send what each destination is to get of these findings, and what waited and is due.

        Args:
            findings: The columns of ``findings``, already committed; no rows where only what waits is due.
            now: The present, with a zone.

        Returns:
            What came of it. A destination that fails is told there and stops no other; nothing is raised for it.
        """
        if not self._targets:
            return DeliveryReport()
        with ThreadPoolExecutor(min(THREADS, len(self._targets)), "logshed-alert") as threads:
            return DeliveryReport(tuple(threads.map(lambda one: self._guarded(one, findings, now), self._targets)))

    def test(self, names: Iterable[str] = ()) -> DeliveryReport:
        """Send a marked test to the destinations named, or to all, with one try each.

        Raises:
            logshed.errors.UsageError: There is no destination of that name.
        """
        return DeliveryReport(tuple(self._test(one) for one in self._named(names)))

    def replay(self, names: Iterable[str] = ()) -> DeliveryReport:
        """Send again what could not be delivered; what is taken now leaves the file of dead letters."""
        with locked(self._folder / ".replay.lock"):  # else two would send each letter twice
            return self._replay(names)

    def _replay(self, names: Iterable[str]) -> DeliveryReport:
        targets = {one.alert.name: one for one in self._named(names)}
        told = {name: Delivered(name) for name in targets}
        for letter in self.dead_letters.all():
            target = targets.get(letter.alert)
            if target is None:
                continue
            report = told[letter.alert]
            try:
                send(target.call, target.alert, letter.message, tries=1, sleep=self._sleep)
            except AlertError as error:
                _fail(report, error)
                continue
            self.dead_letters.remove(letter)
            report.sent += 1
            report.findings += len(letter.message.findings)
        return DeliveryReport(tuple(told.values()))

    def state(self, name: str) -> tuple[State, int]:
        """What a destination has been sent, and how many findings wait."""
        path = self._folder / f"{name}.json"
        return State.load(path), len(load_waiting(_waiting(path)))

    def _state_path(self, alert: Alert) -> Path:
        return self._folder / f"{alert.name}.json"

    def _named(self, names: Iterable[str]) -> list[_Target]:
        wanted = list(names)
        known = [one.alert.name for one in self._targets]
        for name in wanted:
            if name not in known:
                advice = f"the names are {', '.join(known)}" if known else "add [[alert]] to logshed.toml"
                raise UsageError(f"cannot find the alert {name}: there is none; {advice}")
        return [one for one in self._targets if not wanted or one.alert.name in wanted]

    def _test(self, target: _Target) -> Delivered:
        told = Delivered(target.alert.name)
        try:
            send(target.call, target.alert, alert_choice.example("test", datetime.now(UTC)), tries=1, sleep=self._sleep)
        except AlertError as error:
            _fail(told, error)
        else:
            told.sent = 1
        return told

    def _guarded(self, target: _Target, findings: pl.DataFrame, now: datetime) -> Delivered:
        told = Delivered(target.alert.name)
        path = self._state_path(target.alert)
        try:
            with locked(path.with_name(f".{path.name}.lock")):
                self._deliver(_Work(target, State.load(path), now, told), findings)
        except AlertError as error:
            _fail(told, error)
        except Exception as error:  # noqa: BLE001 - one destination must not stop detection, whatever befalls it
            _fail(told, AlertError(f"cannot deliver to {told.name}: {type(error).__name__}; report this"))
        if told.failed:
            log.warning("alert %s: %s", told.name, told.cause)
        return told

    def _deliver(self, work: _Work, findings: pl.DataFrame) -> None:
        alert, state = work.target.alert, work.state
        waiting = _waiting(state.path)
        waited = {one.id: one for one in load_waiting(waiting) if one.id not in state.ids}
        # A finding that went on while it waited is told as it is now.
        given = {one.id: one for one in alert_choice.chosen(findings.sort("observed_timestamp"), alert)}
        waited |= {key: given.pop(key) for key in waited.keys() & given.keys()}
        new = [one for one in given.values() if not state.knows(one)]
        work.told.known = len(given) - len(new)
        fresh = [*waited.values(), *new]
        plan = alert_choice.plan(fresh, alert, work.target.kind.batch, state, work.now)
        late = [*plan.quiet, *plan.grouped]
        work.told.quiet, work.told.grouped = len(plan.quiet), len(plan.grouped)
        # What waits is on the disk before anything is marked: after a crash it is there, or it is given again.
        save_waiting(waiting, [*late[:LONGEST_WAITING], *(one for sent in plan.messages for one in sent.findings)])
        _hold(work, late[LONGEST_WAITING:])
        for message in plan.messages:
            self._pass(work, message)
        self._sum_up(work)
        if findings.height:
            newest = findings["observed_timestamp"].max()
            if isinstance(newest, datetime) and (state.complete is None or newest > state.complete):
                state.complete = newest
        state.prune(work.now, alert.rate.seconds if alert.rate else 0, alert.group or 0)
        state.save()
        save_waiting(waiting, late[:LONGEST_WAITING])

    def _pass(self, work: _Work, message: Message) -> None:
        """Send one alert, or hold it back, and mark it."""
        alert, state, told = work.target.alert, work.state, work.told
        if alert.rate and _used(work) >= alert.rate.count:
            _hold(work, message.findings)
            return
        if self._send(work, message):
            told.findings += len(message.findings)
            told.grouped += len(message.findings) - 1 if alert.group else 0
        state.mark(message.findings)
        state.sent.append(work.now)
        if not alert.rate:
            del state.sent[:-1]
        if alert.group and (key := alert_choice.actor_key(message.first)):
            state.actors[key] = (work.now, message.level)
        state.save()

    def _send(self, work: _Work, message: Message) -> bool:
        """Whether it was taken; if not, it is a dead letter. Where the destination is down nothing more is tried."""
        target, told = work.target, work.told
        try:
            if work.down:
                _give_up(work.down)
            send(target.call, target.alert, message, tries=TRIES, sleep=self._sleep)
        except AlertError as error:
            if error.retry:
                work.down = str(error)
            _fail(told, error)
            self.dead_letters.add(DeadLetter.of(target.alert, message, str(error), work.now))
            return False
        told.sent += 1
        return True

    def _sum_up(self, work: _Work) -> None:
        """Sum up what the rate held back: at most one such message within the rate's time, none in quiet hours."""
        alert, state = work.target.alert, work.state
        if not state.held.findings or (alert.quiet and alert.quiet.holds(work.now)):
            return
        span = timedelta(seconds=alert.rate.seconds if alert.rate else 0)
        if state.summary and work.now < state.summary + span:
            return
        allowed = alert.rate.text if alert.rate else f"{LONGEST_WAITING} waiting"
        message = alert_choice.summary(state.held, alert, allowed, work.now)
        self._send(work, message)
        state.held, state.summary = type(state.held)(), work.now
        state.save()


def _target(alert: Alert, plugins: tuple[Path, ...]) -> _Target:
    kind, call = destination(alert, plugins)
    if alert.rate is None and kind.rate:
        alert = alert.model_copy(update={"rate": rate(kind.rate)})
    return _Target(alert, kind, call)


def _waiting(path: Path) -> Path:
    return path.with_suffix(".waiting.ndjson")


def _used(work: _Work) -> int:
    """Alerts that count against the rate now."""
    allowed = work.target.alert.rate
    since = work.now - timedelta(seconds=allowed.seconds if allowed else 0)
    return sum(when > since for when in work.state.sent)


def _hold(work: _Work, findings: Sequence[Finding]) -> None:
    """Count findings into the next summary."""
    work.state.held.add(findings)
    work.state.mark(findings)
    work.told.held += len(findings)


def _give_up(cause: str) -> None:
    raise AlertError(cause)


def _fail(told: Delivered, error: AlertError) -> None:
    told.failed += 1
    told.cause = told.cause or str(error)
