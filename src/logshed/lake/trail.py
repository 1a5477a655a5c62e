"""The audit trail in the lake: entries chained by hashes, each local trail's entries exactly once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl
from pyiceberg.exceptions import CommitFailedException

from logshed.errors import CommitConflictError
from logshed.lake.commit import LOST, append_files, back_off, remove_files
from logshed.lake.names import TRAIL, TRAIL_PROPERTY
from logshed.lake.writing import FileWriter
from logshed.schema import AUDIT, polars_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyiceberg.table import Table

    from logshed.lake.store import Store

ATTEMPTS = 100
NOTHING = "0" * 64
"""What the first entry names as the hash before it."""
HASHED = ("sequence", "timestamp", "collection", "actor", "verb", "target", "outcome", "details", "prev_hash")


@dataclass(frozen=True, slots=True)
class Head:
    """The newest entry of the chain.

    Attributes:
        sequence: Its number; 0 where there is none.
        hash: Its hash.
        shipped: How many entries of each local trail are in the chain, by the trail's id.
        gone: The number of the last entry that was kept long enough and is gone; 0 where none is.
        gone_hash: Its hash, which the first one that is still there goes on from.
    """

    sequence: int
    hash: str
    shipped: dict[str, int]
    gone: int = 0
    gone_hash: str = NOTHING

    @classmethod
    def of(cls, table: Table) -> Head:
        """The head of a loaded table."""
        found = json.loads(table.properties.get(TRAIL_PROPERTY, "{}"))
        return cls(
            found.get("sequence", 0),
            found.get("hash", NOTHING),
            found.get("shipped", {}),
            found.get("gone", 0),
            found.get("gone_hash", NOTHING),
        )

    def beginning(self, gone: int, gone_hash: str) -> Head:
        """The same of a chain whose entries up to one are gone."""
        return replace(self, gone=gone, gone_hash=gone_hash) if gone > self.gone else self

    def as_dict(self) -> dict[str, Any]:
        """As the table's property has it."""
        return asdict(self)


def append(store: Store, entries: Sequence[Mapping[str, Any]], trail: str, first: int) -> int:
    """Chain entries of a local trail to the newest, once.

    Args:
        store: The lake.
        entries: timestamp (aware), collection, actor, verb, target, outcome, details (JSON or None); in their order.
        trail: Id of the local trail that they are of.
        first: Number of the first of them in that trail, from 0 on.

    Returns:
        How many entries of that trail are in the chain now.

    Raises:
        CommitConflictError: Other writers were quicker each time.
    """
    for attempt in range(ATTEMPTS):
        table = store.to_write(TRAIL)
        head = Head.of(table)
        known = head.shipped.get(trail, 0)
        new = entries[max(known - first, 0) :]
        if not new:
            return known
        rows = _chained(new, head)
        reached = first + len(entries)
        newest = replace(
            head, sequence=rows[-1]["sequence"], hash=rows[-1]["hash"], shipped={**head.shipped, trail: reached}
        )
        frame = pl.DataFrame(rows, schema=polars_schema(AUDIT), orient="row").sort("timestamp", maintain_order=True)
        files = FileWriter.of(TRAIL, table).write(frame, uuid4().hex)
        try:
            append_files(store, table, files, {TRAIL_PROPERTY: json.dumps(newest.as_dict())})
        except LOST as error:
            if isinstance(error, CommitFailedException):
                remove_files(files)  # else it may have been done for all that, which the next look at the head says
            back_off(attempt, error)
            continue
        return reached
    raise CommitConflictError(f"cannot write the audit trail: {ATTEMPTS} attempts met other writers; run it again")


def breaks(entries: pl.DataFrame, head: Head) -> list[str]:
    """Where the chain is broken, in sentences; none where it is whole.

    Args:
        entries: All of ``ops.audit``, in any order.
        head: The newest entry, as the table says it.
    """
    found, expected, before = [], head.gone + 1, head.gone_hash
    for row in entries.sort("sequence").iter_rows(named=True):
        if row["sequence"] != expected:
            found.append(f"entries {expected:,} to {row['sequence'] - 1:,} are missing, or stand twice")
        elif row["prev_hash"] != before:
            found.append(f"entry {expected:,} does not follow the one before it")
        if row["hash"] != hash_of(row):
            found.append(f"entry {row['sequence']:,} was changed")
        expected, before = row["sequence"] + 1, row["hash"]
    if (expected - 1, before) != (head.sequence, head.hash):
        found.append(f"the chain ends with entry {expected - 1:,}, and not with {head.sequence:,} as it should")
    return found


def hash_of(entry: Mapping[str, Any]) -> str:
    """SHA-256 of an entry's canonical JSON: keys sorted, no blanks, the time in microseconds UTC."""
    told = {name: entry[name] for name in HASHED}
    told["timestamp"] = told["timestamp"].astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _chained(entries: Iterable[Mapping[str, Any]], head: Head) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    before, sequence = head.hash, head.sequence
    for entry in entries:
        sequence += 1
        row = {**entry, "sequence": sequence, "prev_hash": before}
        row["hash"] = before = hash_of(row)
        rows.append(row)
    return rows


def moment(text: str) -> datetime:
    """A time of an entry, ISO 8601, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)
