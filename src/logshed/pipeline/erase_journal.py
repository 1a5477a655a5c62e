"""What a run of erasure that was ended left to do: the next one for the same value goes on there."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Self

import polars as pl

from logshed.lake.folder import write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FOLDER = "erasing"
"""The folder inside the lake's; what is in it is of runs that go on or were ended."""
RECORD = {"source": pl.String, "generation": pl.String, "offset": pl.Int64}
"""What a record is known by."""
KEPT = {**RECORD, "batch": pl.String}
NOTHING = pl.DataFrame(schema=KEPT)


@dataclass(slots=True)
class Journal:
    """One erasure's.

    Attributes:
        path: Its folder.
        begun: When it was begun, ISO 8601 UTC.
        records: Records that go (``KEPT``).
        days: Days of events from which some go.
        old: Data files that held it and were taken out of a table.
        rows: Rows that went so far, by table.
        resumed: Whether an earlier run began it.
    """

    path: Path
    begun: str
    records: pl.DataFrame = field(default_factory=lambda: NOTHING)
    days: set[date] = field(default_factory=set)
    old: set[str] = field(default_factory=set)
    rows: dict[str, int] = field(default_factory=dict)
    resumed: bool = False

    @classmethod
    def of(cls, root: Path, name: str) -> Self:
        """That of a subject, as an earlier run left it, or a new one.

        Args:
            root: The lake's folder.
            name: The subject's name.
        """
        path = root / FOLDER / name
        if not (path / "state.json").exists():
            return cls(path, datetime.now(UTC).isoformat(timespec="seconds"))
        state = json.loads((path / "state.json").read_text())
        return cls(
            path,
            state["begun"],
            pl.read_parquet(path / state["records"]),
            {date.fromisoformat(day) for day in state["days"]},
            set(state["old"]),
            state["rows"],
            resumed=True,
        )

    def add(self, records: pl.DataFrame, days: Iterable[date] = (), old: Iterable[str] = ()) -> None:
        """Note what is about to go; nothing may go before it is noted."""
        self.records = pl.concat([self.records, records.select(*KEPT)]).unique(maintain_order=True)
        self.days |= set(days)
        self.old |= set(old)
        self.save()

    def count(self, table: str, rows: int) -> None:
        """Note that rows of a table have gone."""
        self.rows[table] = self.rows.get(table, 0) + rows
        self.save()

    def save(self) -> None:
        """Write it, all or nothing."""
        self.path.mkdir(parents=True, exist_ok=True)
        before = {one.name for one in self.path.glob("records-*.parquet")}
        file = f"records-{len(self.records)}.parquet"
        if file not in before:
            self.records.write_parquet(self.path / f".{file}")
            (self.path / f".{file}").replace(self.path / file)
        state = {
            "begun": self.begun,
            "records": file,
            "days": sorted(day.isoformat() for day in self.days),
            "old": sorted(self.old),
            "rows": self.rows,
        }
        write_atomically(self.path / "state.json", json.dumps(state))
        for name in before - {file}:
            (self.path / name).unlink(missing_ok=True)

    def end(self) -> None:
        """Nothing is left to do."""
        shutil.rmtree(self.path, ignore_errors=True)


def unfinished(root: Path, but: str = "") -> list[str]:
    """When erasures were begun that were not finished, but for that of one subject."""
    begun: list[str] = []
    for path in (root / FOLDER).glob("*/state.json"):
        if path.parent.name != but:
            with suppress(FileNotFoundError):  # it has just been finished
                begun.append(str(json.loads(path.read_text())["begun"]))
    return sorted(begun)
