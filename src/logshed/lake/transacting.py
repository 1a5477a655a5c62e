"""Transactions that work out once what a table's metadata comes to: PyIceberg copies all of it whenever it looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.table import Transaction
from pyiceberg.table.update import update_table_metadata
from pyiceberg.table.update.snapshot import ExpireSnapshots

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyiceberg.table import Table
    from pyiceberg.table.metadata import TableMetadata
    from pyiceberg.table.update import TableUpdate


class Changes(Transaction):
    """A transaction on a table; nothing that it shows of the metadata may be changed.

    A commit looks some twenty times, and each copy of forty snapshots takes milliseconds.
    """

    _worked_out: tuple[TableMetadata, tuple[TableUpdate, ...], TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The table's metadata with what was staged until now."""
        before, updates = self._table.metadata, self._updates
        if not updates:
            return before
        known = self._worked_out
        if known is None or known[0] is not before or known[1] is not updates:
            known = (before, updates, update_table_metadata(before, updates))
            self._worked_out = known
        return known[2]


def expire(table: Table, ids: Iterable[int]) -> None:
    """Take snapshots off a table's list.

    Raises:
        ValueError: There is no such snapshot, or it is the current one.
        CommitFailedException: Another writer was quicker.
    """
    ExpireSnapshots(transaction=Changes(table, autocommit=True)).by_ids(list(ids)).commit()
