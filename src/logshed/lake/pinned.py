"""A lake as it is at one moment, for workers: what reads its tables needs neither its folder nor its catalog."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from pyiceberg.table import StaticTable

from logshed.lake import fileio
from logshed.lake.names import GOLD, TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyiceberg.table import Table

    from logshed.lake.names import TableDef
    from logshed.lake.store import Store
    from logshed.storage_settings import Backing


@dataclass(frozen=True, slots=True)
class Pinned:
    """Tables that can be read, each as it was when this was made; picklable.

    Attributes:
        backing: The lake's catalog and storage.
        warehouse: Where its files lie.
        at: The address of each table's state, by its full name.
    """

    backing: Backing
    warehouse: str
    at: Mapping[str, str]

    @classmethod
    def of(cls, store: Store) -> Pinned:
        """All tables that were made.

        Raises:
            LakeError: The lake cannot be read.
        """
        there = [table.name for table in TABLES.values() if store.has(table)]
        there += [f"{GOLD}.{name}" for name in store.gold_tables()]
        return cls(store.backing, store.warehouse, {name: store.load(name).metadata_location for name in there})

    def __call__(self) -> Pinned:
        """Itself: it is open."""
        return self

    def has(self, table: TableDef) -> bool:
        """Whether the table was made."""
        return table.name in self.at

    def table(self, table: TableDef) -> Table:
        """A table that was made."""
        return self._loaded(table.name)

    def gold_tables(self) -> list[str]:
        """Short names of the gold tables that were made."""
        return sorted(name.removeprefix(f"{GOLD}.") for name in self.at if name.startswith(f"{GOLD}."))

    def gold_table(self, name: str) -> Table:
        """A gold table that was made."""
        return self._loaded(f"{GOLD}.{name}")

    def _loaded(self, name: str) -> Table:
        return _read(self.at[name])


@lru_cache(maxsize=64)
def _read(location: str) -> Table:
    return StaticTable.from_metadata(location, {"py-io-impl": fileio.NAME})
