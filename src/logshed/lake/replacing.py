"""Puts new rows in the place of those of some batches: which files hold them, and what else these files hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.exceptions import ValidationException

from logshed.errors import CommitConflictError, LakeError
from logshed.lake import parquet, storage
from logshed.lake.commit import ATTEMPTS, LOST, back_off, landed, swap, trim_snapshots
from logshed.lake.scan import iceberg_files, paths
from logshed.lake.steps import step
from logshed.lake.writing import ROW_GROUP_ROWS, cause_of, whole_schema
from logshed.work import DataFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyiceberg.manifest import DataFile as IcebergFile
    from pyiceberg.table import Table

    from logshed.lake.names import TableDef
    from logshed.lake.store import Store

STEM = "reparse-"
"""How the names of files begin that hold what stays of a file."""


class OvertakenError(Exception):
    """Another process has rewritten a file meanwhile: what is to take its place must be made anew."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of ``bronze.lines`` or ``silver.logs``; the two tables have these columns in common.

    Attributes:
        batches: Of these batches.
        collections: Only of these collections; none are all.
        source: Only of sources that this glob matches; None takes all.
    """

    batches: frozenset[str]
    collections: tuple[str, ...] = ()
    source: str | None = None

    @property
    def expr(self) -> pl.Expr:
        """Which they are."""
        return pl.col("batch").is_in(sorted(self.batches)) & self.chosen

    @property
    def chosen(self) -> pl.Expr:
        """Those of any batch that have the collections and sources."""
        found = pl.lit(value=True)
        if self.collections:
            found &= pl.col("collection").is_in(list(self.collections))
        if self.source is not None:
            found &= pl.col("source").str.contains(pattern_of(self.source))
        return found


def pattern_of(glob: str) -> str:
    """A glob as a regular expression that Polars reads."""
    parts = re.split(r"(\*|\?|\[!?\]?[^\]]*\])", glob)
    return f"(?s)^{''.join(map(_part, parts))}$"


def _part(text: str) -> str:
    if text in {"*", "?"}:
        return ".*" if text == "*" else "."
    if len(text) > 2 and text[0] == "[" and text[-1] == "]":  # noqa: PLR2004 - something between the brackets
        negated = text[1] == "!"
        return f"[{'^' if negated else ''}{re.escape(text[1 + negated : -1]).replace(re.escape('-'), '-')}]"
    return re.escape(text)


def holders(table: Table, rows: Rows) -> list[IcebergFile]:
    """The data files that hold any of some rows."""
    if not rows.batches or table.current_snapshot() is None:
        return []
    near = iceberg_files(table, f"batch >= '{min(rows.batches)}' and batch <= '{max(rows.batches)}'")
    return [
        file
        for file in near
        if _scan(file, ["batch", "collection", "source"]).filter(rows.expr).head(1).collect().height
    ]


def rest(table: Table, definition: TableDef, file: IcebergFile, rows: Rows) -> DataFile | None:
    """A new file with all rows of a file but some; None where none is left.

    Raises:
        LakeError: It cannot be read or written.
    """
    (path,) = paths([file])
    new = f"{path.rpartition('/')[0]}/{STEM}{uuid4().hex}.parquet"
    try:
        with storage.opened(path) as opened:
            found = pq.read_metadata(opened)
        names = set(found.schema.to_arrow_schema().names)
        schema = pa.schema([field for field in whole_schema(table) if field.name in names or not field.nullable])
        gone = _scan(file, ["batch", "collection", "source"]).filter(rows.expr).select(pl.len()).collect().item()
        if gone == file.record_count:
            return None
        notes = {name.decode(): text.decode() for name, text in (found.metadata or {}).items()}
        types = pl.DataFrame(schema.empty_table()).schema
        parquet.sink(
            parquet.scan([path], types, insert=True, extra=True).filter(~rows.expr),
            new,
            compression="zstd",
            compression_level=3,
            row_group_size=ROW_GROUP_ROWS,
            arrow_schema=schema,
            metadata={name: text for name, text in notes.items() if name.startswith("logshed")},
            maintain_order=True,
        )
    except (OSError, pa.ArrowException, pl.exceptions.ComputeError) as error:
        raise LakeError(f"cannot rewrite {path}: {cause_of(error)}; nothing was changed, run it again") from error
    return DataFile(definition.name, new, file.record_count - gone)


def replace(
    store: Store,
    definition: TableDef,
    old: Sequence[IcebergFile],
    new: Sequence[DataFile],
    properties: Callable[[Table], dict[str, str]],
) -> None:
    """Swap files, with properties that are made of the table as it is then.

    Raises:
        OvertakenError: One of the old files is no longer there.
        CommitConflictError: Other writers were quicker each time.
    """
    token = uuid4().hex
    for attempt in range(ATTEMPTS):
        table = store.table(definition)
        if attempt and landed(table, token):
            return
        try:
            step(f"before reparse {definition.short} commit")
            swap(store, table, old, new, properties(table), {"logshed.verb": "reparse"}, token)
        except ValidationException:
            raise OvertakenError from None
        except LOST as error:
            back_off(attempt, error)
            continue
        step(f"after reparse {definition.short} commit")
        trim_snapshots(table)
        return
    raise CommitConflictError(
        f"cannot reparse {definition.short}: {ATTEMPTS} attempts met other writers; run the same command again"
    )


def _scan(file: IcebergFile, columns: Sequence[str]) -> pl.LazyFrame:
    return parquet.scan(paths([file]), dict.fromkeys(columns, pl.String()), extra=True)
