"""Which days of records were changed after they were committed, so that what follows the records looks there again.

Batches tell a follower what is new. Records that are parsed anew keep their batch, so the days on which they happened,
before and after, get a number instead; a follower keeps the highest number that it has seen.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING
from uuid import uuid4

from logshed.lake import storage
from logshed.lake.names import CHANGES_PROPERTY, CHANGES_SEEN_PROPERTY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyiceberg.table import Table


@dataclass(frozen=True, slots=True)
class Changes:
    """Days (UTC) of a table that were changed, each with the number of its last change."""

    days: dict[date, int] = field(default_factory=dict)

    @classmethod
    def of(cls, table: Table) -> Changes:
        """What the table's current metadata says."""
        path = table.properties.get(CHANGES_PROPERTY)
        if path is None:
            return cls()
        stored = json.loads(storage.read(path))
        return cls({date.fromisoformat(day): number for day, number in stored.items()})

    @property
    def last(self) -> int:
        """The number of the last change; 0 where there was none."""
        return max(self.days.values(), default=0)

    def add(self, days: Iterable[date]) -> Changes:
        """The same with one more change, of these days."""
        return Changes({**self.days, **dict.fromkeys(days, self.last + 1)})

    def after(self, seen: int) -> list[date]:
        """Days that were changed since, in order."""
        return sorted(day for day, number in self.days.items() if number > seen)

    def save(self, folder: str) -> str:
        """Write it to a new file in ``folder`` and return its path."""
        path = f"{folder}/changes-{uuid4().hex}.json"
        told = {day.isoformat(): number for day, number in sorted(self.days.items())}
        storage.write(path, json.dumps(told).encode())
        return path


def seen_by(follower: Table) -> int:
    """The highest number that a following table has seen."""
    return int(follower.properties.get(CHANGES_SEEN_PROPERTY, "0"))
