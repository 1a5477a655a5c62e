"""What a destination of alerts has been sent: one small file in the lake's folder, replaced whole after each alert."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from logshed.alert_settings import LEVELS
from logshed.alerts.common.message import NO_AUTHOR, Finding
from logshed.errors import AlertError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FOLDER = "alerts"
"""The folder inside the lake's."""

KEPT_DAYS = 3
"""Ids of findings observed in the last days are kept; what was observed before is done for good."""

KEPT_IDS = 100_000
HELD_RULES = 50


@dataclass(slots=True)
class Held:
    """What a rate held back since the last summary.

    Attributes:
        findings: How many findings.
        rules: Of each rule: title, level, author and findings; of the first 50 rules.
        first: When the first of their records happened.
        last: When the last of them did.
    """

    findings: int = 0
    rules: dict[str, dict[str, Any]] = field(default_factory=dict)
    collections: list[str] = field(default_factory=list)
    first: str = ""
    last: str = ""

    def add(self, findings: Iterable[Finding]) -> None:
        """Count more findings in."""
        for one in findings:
            self.findings += 1
            start, end = one.start.isoformat(), one.end.isoformat()
            self.first, self.last = min(self.first or start, start), max(self.last, end)
            if (collection := one.text("collection")) not in self.collections:
                self.collections = [*self.collections, collection][:HELD_RULES]
            name = one.text("rule_name")
            name = name if name in self.rules or len(self.rules) < HELD_RULES else "other rules"
            about = {"title": one.title, "level": one.level, "author": one.author, "findings": 0}
            entry = self.rules.setdefault(name, about)
            entry["findings"] += 1
            entry["level"] = max(entry["level"], one.level, key=LEVELS.index)
            if one.author != NO_AUTHOR and one.author not in entry["author"].split("; "):
                entry["author"] = "; ".join([*entry["author"].split("; "), one.author][:10])


@dataclass(slots=True)
class State:
    """What one destination has been sent.

    Attributes:
        path: The file.
        watermark: Findings observed up to then are done.
        complete: When the newest finding of the last whole delivery was observed.
        ids: Findings observed after the watermark that are done, with when they were observed.
        sent: When alerts were sent, as far back as the rate looks; the last one in any case.
        actors: Of each actor whose time of grouping may not be over: when it was alerted, and the level.
        held: What the rate held back.
        summary: When the last summary of that was sent.
    """

    path: Path
    watermark: datetime | None = None
    complete: datetime | None = None
    ids: dict[str, datetime] = field(default_factory=dict)
    sent: list[datetime] = field(default_factory=list)
    actors: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    held: Held = field(default_factory=Held)
    summary: datetime | None = None

    @classmethod
    def load(cls, path: Path) -> State:
        """The state as it was saved; an empty one where there is none.

        Raises:
            AlertError: The file is damaged or cannot be read.
        """
        try:
            stored = orjson.loads(path.read_bytes())
            return cls(
                path,
                _moment(stored["watermark"]),
                _moment(stored["complete"]),
                {key: datetime.fromisoformat(when) for key, when in stored["ids"].items()},
                [datetime.fromisoformat(when) for when in stored["sent"]],
                {key: (datetime.fromisoformat(when), level) for key, (when, level) in stored["actors"].items()},
                Held(**stored["held"]),
                _moment(stored["summary"]),
            )
        except FileNotFoundError:
            return cls(path)
        except OSError as error:
            raise AlertError(f"cannot read {path}: {error.strerror}; correct its permissions") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            advice = "move it away, and alerts of the last days may come again"
            raise AlertError(f"cannot read {path}: it is damaged; {advice}") from None

    def knows(self, finding: Finding) -> bool:
        """Whether a finding is done: sent, held back or given up."""
        return finding.id in self.ids or (self.watermark is not None and finding.observed <= self.watermark)

    def mark(self, findings: Iterable[Finding]) -> None:
        """Take findings as done; ``save`` makes it last."""
        self.ids |= {one.id: one.observed for one in findings}

    def prune(self, now: datetime, rate_seconds: int, group_seconds: int) -> None:
        """Let go what is too old to matter."""
        old = now - timedelta(days=KEPT_DAYS)
        done = sorted((when, key) for key, when in self.ids.items())
        gone = [when for when, _ in done if when < old]
        gone = max(gone, [when for when, _ in done[: max(len(done) - KEPT_IDS, 0)]], key=len)
        if gone:
            self.watermark = max(gone[-1], self.watermark or gone[-1])
            self.ids = {key: when for key, when in self.ids.items() if when > gone[-1]}
        self.sent = [when for when in self.sent if when > now - timedelta(seconds=rate_seconds)] or self.sent[-1:]
        since = now - timedelta(seconds=group_seconds)
        self.actors = {key: one for key, one in self.actors.items() if one[0] > since}

    def save(self) -> None:
        """Write it so that a reader sees all of it or what was there before.

        Raises:
            AlertError: The file cannot be written.
        """
        write(self.path, orjson.dumps(
            {
                "watermark": self.watermark, "complete": self.complete, "summary": self.summary, "sent": self.sent,
                "actors": self.actors, "held": self.held, "ids": self.ids,
            }
        ))  # fmt: skip


def write(path: Path, data: bytes) -> None:
    """Replace a small file whole.

    Raises:
        AlertError: It cannot be written.
    """
    beside = path.with_name(f".{path.name}.new")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        raise AlertError(f"cannot write {path}: {error.strerror}; make room or correct its permissions") from None


def load_waiting(path: Path) -> list[Finding]:
    """The findings that wait for the end of quiet hours or of their actor's time of grouping."""
    try:
        return [Finding.of(orjson.loads(line)) for line in path.read_bytes().splitlines() if line.strip()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise AlertError(f"cannot read {path}: {error.strerror}; correct its permissions") from None
    except (ValueError, AttributeError):
        raise AlertError(f"cannot read {path}: it is damaged; mend or remove it") from None


def save_waiting(path: Path, findings: list[Finding]) -> None:
    """Keep the findings that wait."""
    if findings or path.exists():
        write(path, b"".join(orjson.dumps(one.plain()) + b"\n" for one in findings))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Have a file's lock, waiting for whoever has it; it is let go when the process ends, however that comes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise AlertError(f"cannot write {path}: {error.strerror}; correct its permissions") from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
