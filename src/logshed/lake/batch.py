"""Batch ids (UUIDv7: they sort by the time the batch began) and the record of batches that a table has taken."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from logshed.lake import storage
from logshed.lake.names import BATCHES_PROPERTY
from logshed.lake.writing import room_told

if TYPE_CHECKING:
    from pyiceberg.table import Table

SETTLED_AFTER_MS = 24 * 3600 * 1000
"""A batch this old is done for good: nothing may commit it any more, so the watermark may pass it."""

COMMIT_WITHIN_MS = SETTLED_AFTER_MS // 2
"""A batch must be committed within this time of its beginning."""


def new_batch(ago_ms: int = 0) -> str:
    """A new batch id: RFC 9562's UUID version 7, of now or so many milliseconds ago."""
    milliseconds = time.time_ns() // 1_000_000 - ago_ms
    random = int.from_bytes(os.urandom(10))
    value = (milliseconds & (2**48 - 1)) << 80
    value |= 0x7 << 76 | (random >> 68 & 0xFFF) << 64
    value |= 0b10 << 62 | random & (2**62 - 1)
    return str(UUID(int=value))


def age_ms(batch: str) -> int:
    """Milliseconds since the batch began."""
    return time.time_ns() // 1_000_000 - (UUID(batch).int >> 80)


@dataclass(frozen=True, slots=True)
class Batches:
    """The batches that a following table has taken.

    Attributes:
        watermark: Every batch up to this id is done.
        done: Batches after it that are done.
    """

    watermark: str = ""
    done: frozenset[str] = field(default_factory=frozenset)

    def __contains__(self, batch: str) -> bool:
        return batch <= self.watermark or batch in self.done

    def add(self, batch: str) -> Batches:
        """The same with one more batch; what is settled moves below the watermark."""
        done = self.done | {batch}
        settled = {known for known in done if age_ms(known) > SETTLED_AFTER_MS}
        return Batches(max(settled, default=self.watermark), frozenset(done - settled))

    @classmethod
    def of(cls, table: Table) -> Batches:
        """What the table's current metadata says."""
        path = table.properties.get(BATCHES_PROPERTY)
        if path is None:
            return cls()
        stored = json.loads(storage.read(path))
        return cls(stored["watermark"], frozenset(stored["done"]))

    def save(self, folder: str) -> str:
        """Write it to a new file in ``folder`` and return its path."""
        path = f"{folder}/batches-{uuid4().hex}.json"
        with room_told(path):
            storage.write(path, json.dumps({"watermark": self.watermark, "done": sorted(self.done)}).encode())
        return path
