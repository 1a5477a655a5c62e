"""Sends a message with retries, and keeps what could not be delivered in a file that people can read."""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_exponential_jitter

from logshed.alerts.common.message import Finding, Message
from logshed.errors import AlertError, LogshedError
from logshed.pipeline.alert_state import locked, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from logshed.alert_settings import Alert
    from logshed.alerts import Send

TRIES = 4
LONGEST_SECONDS = 30.0
"""No try begins later than this after the first."""

DEAD_LETTERS = "dead-letter.ndjson"
SHORTEST_SECRET = 6

log = logging.getLogger(__name__)
_backoff = wait_exponential_jitter(initial=1, max=8, jitter=1)


def send(
    call: Send, alert: Alert, message: Message, *, tries: int = TRIES, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Send a message; what may be over soon is tried again, at the latest half a minute after the first try.

    Raises:
        AlertError: It was not taken; the text holds no secret.
    """
    retrying = Retrying(
        stop=stop_after_attempt(tries) | stop_before_delay(LONGEST_SECONDS),
        wait=_wait,
        retry=retry_if_exception(lambda error: isinstance(error, AlertError) and error.retry),
        sleep=sleep,
        reraise=True,
    )
    try:
        retrying(_guarded, call, message)
    except AlertError as error:
        raise AlertError(hidden(str(error), alert), retry=error.retry, after=error.after) from None


def hidden(text: str, alert: Alert) -> str:
    """A text in which no secret of a destination stands, whoever put it there."""
    for secret in alert.secrets().values():
        try:
            value = secret.read()
        except LogshedError:
            continue
        _, _, path = value.partition("://")
        for part in (value, path, path.partition("/")[2], value.rstrip("/").rpartition("/")[2]):
            if len(part) >= SHORTEST_SECRET:
                text = text.replace(part, "(hidden)")
    return text


def _guarded(call: Send, message: Message) -> None:
    try:
        call(message)
    except AlertError:
        raise
    except Exception as error:  # noqa: BLE001 - a destination of somebody's own may fail in any way; its text may hold secrets
        cause = f"it fails with {type(error).__name__}; correct the destination"
        raise AlertError(f"cannot send an alert: {cause}") from None


def _wait(state: RetryCallState) -> float:
    """Seconds until the next try: what the destination asks for, else 1, 2, 4 and a bit."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, AlertError) and error.after is not None:
        return error.after
    return float(_backoff(state))


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be delivered.

    Attributes:
        time: When it was given up.
        alert: The destination's name.
        to: What it is.
        cause: Why.
        message: The message.
    """

    time: datetime
    alert: str
    to: str
    cause: str
    message: Message

    @classmethod
    def of(cls, alert: Alert, message: Message, cause: str, now: datetime) -> DeadLetter:
        """A dead letter of a destination."""
        return cls(now, alert.name, alert.to, hidden(cause, alert), message)

    def line(self) -> bytes:
        """A line of the file."""
        found: dict[str, Any] = {
            "time": self.time.astimezone(UTC), "alert": self.alert, "to": self.to, "cause": self.cause,
            "key": self.message.key, "kind": self.message.kind, "title": self.message.title,
            "findings": [one.plain() for one in self.message.findings],
        }  # fmt: skip
        return orjson.dumps(found) + b"\n"

    @classmethod
    def read(cls, line: bytes) -> DeadLetter:
        """A dead letter from its line."""
        found = orjson.loads(line)
        findings = tuple(Finding.of(one) for one in found["findings"])
        message = Message(found["kind"], found["key"], findings)
        when = datetime.fromisoformat(found["time"])
        return cls(when, found["alert"], found["to"], found["cause"], message)


class DeadLetters:
    """The file of what could not be delivered.

    Args:
        folder: The folder of alerts.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / DEAD_LETTERS
        self._lock = folder / f".{DEAD_LETTERS}.lock"

    def add(self, letter: DeadLetter) -> None:
        """Append one, and have it on the disk before it returns.

        Raises:
            AlertError: The file cannot be written.
        """
        with locked(self._lock):
            try:
                with self.path.open("ab") as file:
                    file.write(letter.line())
                    file.flush()
                    os.fsync(file.fileno())
            except OSError as error:
                cause = error.strerror or type(error).__name__
                raise AlertError(f"cannot write {self.path}: {cause}; make room") from None

    def all(self) -> list[DeadLetter]:
        """All of them, each once, the oldest first."""
        if not self.path.exists():
            return []
        with locked(self._lock):
            found = list(self._lines())
        return list({(one.alert, one.message.key): one for one in found if isinstance(one, DeadLetter)}.values())

    def remove(self, letter: DeadLetter) -> None:
        """Take one out that was delivered after all."""
        key = (letter.alert, letter.message.key)
        with locked(self._lock):
            kept = [
                one if isinstance(one, bytes) else one.line()
                for one in self._lines()
                if isinstance(one, bytes) or (one.alert, one.message.key) != key
            ]
            write(self.path, b"".join(kept))

    def _lines(self) -> Iterator[DeadLetter | bytes]:
        """Each line; one that is damaged stays as it is."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return
        for line in data.splitlines(keepends=True):
            try:
                yield DeadLetter.read(line)
            except (ValueError, KeyError, TypeError):
                log.warning("%s has a line that is no dead letter", self.path)
                yield line
