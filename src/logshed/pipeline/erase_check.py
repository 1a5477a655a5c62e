"""Looks whether anything in a lake's folder or its spool still holds what was to be erased."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from logshed.lake import named, parquet, rest, storage
from logshed.lake.batch import COMMIT_WITHIN_MS, Batches
from logshed.lake.compact_plan import STEM
from logshed.lake.names import LINES, LOGS, TRAIL
from logshed.lake.scan import iceberg_files, paths
from logshed.pipeline.erase_journal import FOLDER, RECORD
from logshed.pipeline.erase_tables import of_records, tables_of
from logshed.pipeline.trail import FILE

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.lake.store import Store
    from logshed.pipeline.erase_subject import Subject

_OF_RECORDS = (LINES.name, LOGS.name)
RECEIPTS = "erasures"
"""The folder of receipts inside the lake's."""
BATCH_LETTERS = 36
"""Characters of a batch's id, which files of an ingest are named by."""
YOUNG = "it is in no table and younger than 12 hours, so that a writer may be about to commit it; run it again later"
HELD = "an older state of its table has it, which a branch, a tag or a writer keeps; remove that, and run it again"
CHAINED = "entries of the audit trail are kept: their chain would break"
SOURCES = "names of files are what the ledger knows them by"
WAITS = "lines in the spool hold it; ingest the spool, let its collector go on, and run it again"
APART = "it was kept aside in the spool; look at it, delete it, and run it again"
SPOOLED = {"*.seg": WAITS, "dead/**/*.jsonl": APART, "damaged/*": APART}
"""Files of a spool that hold lines, and what to do about them: segments, dead letters, what was damaged."""
UNNAMED = "it tells of it and is no data file; `logshed maintain` removes what no table names for a day"
BESIDE = "it is not of the lake's tables; take out of it what tells of this"
STRANGE = "it is of a table that Logshed has not made; let the program that made it erase it"


@dataclass(slots=True)
class Checked:
    """What was looked at, and what holds it still.

    Attributes:
        files: Files that were read.
        bytes: Their bytes.
        current: Data files of tables that hold it: another process wrote it meanwhile.
        held: Data files of older states of tables that hold it.
        left: Files that could not be cleaned, and why.
    """

    files: int = 0
    bytes: int = 0
    current: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)


class Check:
    """A look at every file.

    Args:
        store: The lake.
        subject: What was to be erased.
        records: The records that went.
        alone: Nothing else uses the lake.
    """

    def __init__(self, store: Store, subject: Subject, records: pl.DataFrame, *, alone: bool) -> None:
        self._store = store
        self._records = of_records(records) if len(records) else pl.lit(value=False)
        self._subject = subject
        self._alone = alone
        self._done = Checked()

    def run(self, spool: Path) -> Checked:
        """Read every file of the lake's folder, and those of a spool.

        Data files that no table has and that hold it are removed where no writer can be about to commit them.

        Raises:
            LakeError: The lake cannot be read.
        """
        self._spooled(spool)  # first: what is ingested from it meanwhile is then found in the tables
        tables = named.tables(self._store)
        owners = {path: name for name, table in tables.items() for path in paths(iceberg_files(table))}
        for path, name in sorted(owners.items()):
            if self._holds(path, name):
                if tables_of([name]):
                    self._done.current.append(path)
                else:
                    self._done.left[path] = CHAINED if name == TRAIL.name else STRANGE
        kept = set().union(*(named.files_named(table) for table in tables.values()))
        for path in rest.strays(self._store, owners):
            self._stray(path, next((name for name in tables if f"/{name.replace('.', '/')}/" in path), ""), kept)
        for other in rest.other_files(self._store):
            self._other(other)
        return self._done

    def _holds(self, path: str, name: str) -> bool:
        """Whether a data file holds it; one that another process has removed holds nothing."""
        try:
            with storage.opened(path) as opened:
                schema = pq.read_schema(opened)
            columns = [(one.name, _kind(one.type)) for one in schema]
            kinds = pl.DataFrame(schema.empty_table()).schema
            wanted = self._subject.rows(name, columns)
            if name in _OF_RECORDS and RECORD.keys() <= dict(columns).keys():
                wanted |= self._records
            rows = parquet.scan([path], kinds).filter(wanted)
            hit = bool(rows.select(pl.len()).collect(engine="streaming").item())
        except FileNotFoundError:
            return False
        except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
            self._done.left[path] = f"it cannot be read ({type(error).__name__})"
            return False
        self._count(path)
        return hit

    def _count(self, path: str) -> None:
        there = storage.found([path])
        self._done.files += len(there)
        self._done.bytes += sum(one.bytes for one in there)

    def _stray(self, path: str, name: str, kept: set[str]) -> None:
        """A Parquet file that no current snapshot has."""
        if self._ours(path) or not self._holds(path, name):
            return
        if not tables_of([name]):
            self._done.left[path] = SOURCES if name == "" else CHAINED
        elif path in kept:
            self._done.held.append(path)
            self._done.left[path] = HELD
        elif self._alone or self._settled(path):
            storage.remove(path)
        else:
            self._done.left[path] = YOUNG

    def _settled(self, path: str) -> bool:
        """Whether no writer will commit it: it is of a compaction, whose inputs are gone, of a batch done, or old."""
        file = path.rsplit("/", 1)[-1]
        if file.startswith(STEM) or file[:BATCH_LETTERS] in Batches.of(self._store.table(LOGS)).done:
            return True
        return any(one.age_s * 1000 > COMMIT_WITHIN_MS for one in storage.found([path]))

    def _other(self, path: str) -> None:
        """A file that is no Parquet: metadata, manifests, the catalog, decisions, the local audit trail."""
        if self._ours(path) or self._subject.narrow:
            return
        try:
            hit = any(bool(self._subject.in_texts(texts).any()) for texts in rest.texts_of(path))
        except FileNotFoundError:
            return
        except ValueError:
            self._done.left[path] = "it is not whole and cannot be read"
            return
        self._count(path)
        if hit:
            within = UNNAMED if path.startswith(f"{self._store.warehouse}/") else BESIDE
            self._done.left[path] = CHAINED if path.endswith(f"/{FILE}") else within

    def _ours(self, path: str) -> bool:
        root = f"{self._store.root}/"
        return path.removeprefix(root).split("/", 1)[0] in (FOLDER, RECEIPTS)

    def _spooled(self, spool: Path) -> None:
        """Lines that wait for a lake, and those that it has and that were not removed yet."""
        subject = self._subject
        plain = [rb"(?<!\w)" + re.escape(one.encode()) + rb"(?!\w)" for one in (*subject.values, *subject.words)]
        pattern = re.compile(b"|".join([*plain, *(re.escape(one.encode()) for one in subject.needles)]))
        for ending, what in SPOOLED.items():
            for path in sorted(spool.rglob(ending)) if spool.is_dir() else ():
                if not path.is_file():
                    continue
                with suppress(FileNotFoundError):  # it was emptied into a lake, which is looked at after this
                    found = pattern.search(path.read_bytes())
                    self._count(str(path))
                    if found:
                        self._done.left[str(path)] = what


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_map(kind):
        return "map"
    return "string" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else str(kind)
