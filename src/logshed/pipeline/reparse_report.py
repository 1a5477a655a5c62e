"""What a reparse changed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date


@dataclass(slots=True)
class Reparsed:
    """What became of the lines that were read on one day.

    Attributes:
        day: The day (UTC).
        rows: Records in ``logs`` before and after.
        errors: Those of them that no format took.
        joined: Rows of ``lines`` that became part of the one before.
        filled: Values by column, before and after.
        formats: Physical lines by the formats that they were read with and are read with now.
        seconds: How long it took.
    """

    day: date
    rows: list[int] = field(default_factory=lambda: [0, 0])
    errors: list[int] = field(default_factory=lambda: [0, 0])
    joined: int = 0
    filled: tuple[Counter[str], Counter[str]] = field(default_factory=lambda: (Counter(), Counter()))
    formats: dict[tuple[str, str], int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def columns(self) -> dict[str, tuple[int, int]]:
        """Columns that have more values than before, or fewer: before and after; none that all rows have."""
        counts = {name: (self.filled[0][name], self.filled[1][name]) for name in {**self.filled[0], **self.filled[1]}}
        return {name: found for name, found in counts.items() if found[0] != found[1] and found != tuple(self.rows)}

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {
            "day": self.day.isoformat(),
            "rows": {"before": self.rows[0], "after": self.rows[1]},
            "parse_errors": {"before": self.errors[0], "after": self.errors[1]},
            "joined": self.joined,
            "columns": {name: {"before": was, "after": now} for name, (was, now) in sorted(self.columns.items())},
            "formats": [
                {"before": was, "after": now, "lines": lines} for (was, now), lines in sorted(self.formats.items())
            ],
            "seconds": self.seconds,
        }
