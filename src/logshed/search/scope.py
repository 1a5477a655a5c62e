"""Which records a search looks at: its condition, its time, its collection."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from logshed.search import sql

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Scope:
    """Which records are looked at.

    Attributes:
        condition: What ``condition`` has compiled.
        since: First moment, or None.
        until: First moment after, or None.
        collection: The only collection, or None.
    """

    condition: str = "true"
    since: datetime | None = None
    until: datetime | None = None
    collection: str | None = None

    @property
    def where(self) -> str:
        """The condition of a WHERE."""
        parts = [*self.window, *([] if self.condition == "true" else [self.condition])]
        return " AND ".join(parts) or "true"

    @property
    def window(self) -> list[str]:
        """The conditions on time and collection alone."""
        parts = []
        if self.since is not None:
            parts.append(f'"timestamp" >= {sql.time(self.since)}')
        if self.until is not None:
            parts.append(f'"timestamp" < {sql.time(self.until)}')
        if self.collection is not None:
            parts.append(f"collection = {sql.literal(self.collection)}")
        return parts

    def within(self, since: datetime | None, until: datetime | None) -> Scope:
        """The same of another time."""
        return replace(self, since=since, until=until)

    def and_(self, condition: str) -> Scope:
        """The same with one more condition."""
        both = condition if self.condition == "true" else f"{self.condition} AND {condition}"
        return replace(self, condition=both)
