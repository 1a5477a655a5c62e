"""Checksums of the data files of ``bronze.lines``: which files it should have, and what each should be.

The property ``logshed.files`` of the table names a root file (JSON) in the ledger's folder, which names a Parquet base
and holds the changes since. It changes in the transaction that adds or takes away the files, whoever does that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import polars as pl

from logshed.lake import parquet, storage
from logshed.lake.names import FILES_PROPERTY
from logshed.lake.scan import iceberg_files, paths
from logshed.lake.writing import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyiceberg.table import Table

    from logshed.work import DataFile

FOLD_AFTER = 256
"""Changes before they are folded into the base."""
SUM = {"path": pl.String, "sha256": pl.String, "gone": pl.Boolean}


@dataclass(frozen=True, slots=True)
class Checksums:
    """The checksums as one commit left them.

    Attributes:
        base: Parquet file with the folded ones, or empty.
        changes: Those since, oldest first: ``path``, ``sha256`` (empty of a file older than checksums), ``gone``.
    """

    base: str = ""
    changes: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, table: Table) -> Checksums | None:
        """What the table's current metadata says; None where no checksum was ever written."""
        path = table.properties.get(FILES_PROPERTY)
        if path is None:
            return None
        root = json.loads(storage.read(path))
        return cls(root["base"], tuple(root["changes"]))

    def files(self) -> list[str]:
        """The Parquet file, if there is one."""
        return [self.base] if self.base else []

    def now(self) -> dict[str, str]:
        """The checksum of every file that the table should have, by its path."""
        parts = [parquet.scan([self.base], SUM).collect()] if self.base else []
        parts.append(pl.DataFrame(list(self.changes), schema=SUM))
        found = pl.concat(parts).unique("path", keep="last").filter(~pl.col("gone")).sort("path")
        return dict(found.select("path", "sha256").iter_rows())

    def save(self, folder: str) -> str:
        """Write a root file and return its path; nothing refers to it yet."""
        kept = self
        if len(self.changes) >= FOLD_AFTER:
            base = f"{folder}/sums-{uuid4().hex}.parquet"
            rows = [{"path": path, "sha256": found, "gone": False} for path, found in self.now().items()]
            parquet.write(pl.DataFrame(rows, schema=SUM), base, compression_level=3)
            storage.keep_a_while(self.files())
            kept = Checksums(base)
        root = f"{folder}/files-{uuid4().hex}.json"
        storage.write(root, json.dumps({"base": kept.base, "changes": kept.changes}).encode())
        return root


def changed(table: Table, old: Iterable[str], new: Sequence[DataFile], folder: str) -> dict[str, str]:
    """The property that says which files ``bronze.lines`` has once some are taken away and some added.

    Args:
        table: The table as it is now.
        old: Paths of the files that go.
        new: The files that come.
        folder: The ledger's folder.
    """
    known = Checksums.of(table)
    before = known.changes if known is not None else tuple(_change(path, "") for path in paths(iceberg_files(table)))
    gone = tuple(_change(path, "", gone=True) for path in old)
    added = tuple(_change(file.path, file.checksum or digest(file.path)) for file in new)
    base = "" if known is None else known.base
    return {FILES_PROPERTY: Checksums(base, (*before, *gone, *added)).save(folder)}


def _change(path: str, found: str, *, gone: bool = False) -> dict[str, Any]:
    return {"path": path, "sha256": found, "gone": gone}
