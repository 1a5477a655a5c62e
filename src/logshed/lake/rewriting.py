"""Takes rows out of a table, or puts others in their place: only the files that hold some of them are written anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl
from pyiceberg.exceptions import ValidationException

from logshed.errors import CommitConflictError, UnsureError
from logshed.lake import storage
from logshed.lake.commit import ATTEMPTS, LOST, back_off, landed, swap, trim_snapshots
from logshed.lake.compacting import assert_nothing_marked, remove_unless_taken
from logshed.lake.finding import collected, scanned
from logshed.lake.ledger import Ledger
from logshed.lake.names import LEDGER_PROPERTY
from logshed.lake.scan import iceberg_files, paths
from logshed.lake.staying import Taken, rest_of
from logshed.lake.steps import step
from logshed.lake.writing import whole_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyiceberg.manifest import DataFile as IcebergFile
    from pyiceberg.table import Table

    from logshed.lake.store import Store
    from logshed.work import DataFile

ROUNDS = 20
"""How often it is begun anew because another writer has taken one of the files away."""


class OvertakenError(Exception):
    """Another process has rewritten a file meanwhile: what is to take its place must be made anew."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit does besides swapping files.

    Attributes:
        verb: What does it, for the steps and the snapshot.
        adjust: Ledger entries that account for rows of ``bronze.lines``.
        noted: Properties that change with it.
        trim: Keep the list of snapshots short, as every commit does; else they are left to who expires them all.
    """

    verb: str
    adjust: Callable[[Sequence[Taken]], pl.DataFrame] | None = None
    noted: Callable[[Table, Sequence[Taken]], dict[str, str]] | None = None
    trim: bool = True


@dataclass(slots=True)
class Rewriting:
    """What came of it.

    Attributes:
        rows: Rows that are gone.
        files: Files that they were in.
        dropped: Those of them of which no row stayed, so that nothing was written.
        bytes: Bytes of the files.
        made_bytes: Bytes of those in their place.
        old: Paths of the files that are gone.
        new: Paths of those in their place.
    """

    rows: int = 0
    files: int = 0
    dropped: int = 0
    bytes: int = 0
    made_bytes: int = 0
    old: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)


def without(store: Store, name: str, look: Callable[[Table], list[Taken]], change: Change) -> Rewriting:
    """Take rows out of a table in one commit that other writers survive, and that survives them.

    Args:
        store: The lake.
        name: The table's full name.
        look: Finds the rows in the table as it is now.
        change: What else the commit does.

    Raises:
        LakeError: A file cannot be read or written, or rows are marked as deleted; nothing was changed.
        CommitConflictError: Other writers were quicker each time.
    """
    for _ in range(ROUNDS):
        table = store.load(name)
        assert_nothing_marked(table, change.verb)
        taken = look(table)
        if not taken:
            return Rewriting()
        try:
            return instead(store, table, taken, (), change)
        except OvertakenError:
            continue
    raise CommitConflictError(
        f"cannot {change.verb} rows of {name}: other writers keep changing it; run the same again"
    )


def instead(store: Store, table: Table, taken: Sequence[Taken], put: Sequence[DataFile], change: Change) -> Rewriting:
    """Put rows in the place of others in one commit.

    Args:
        store: The lake.
        table: The table as it was when the rows were found.
        taken: Those that go.
        put: Files of those that come; they stay where the commit is not done.
        change: What else the commit does.

    Raises:
        OvertakenError: One of the files is no longer in the table; nothing was changed.
        LakeError: A file cannot be read or written; nothing was changed.
        CommitConflictError: Other writers were quicker each time.
    """
    name = ".".join(table.name())
    new: list[DataFile] = []
    if not (taken or put):
        return Rewriting()
    try:
        for one in taken:
            if not one.whole:
                new.append(rest_of(name, table, one))
                step(f"after {change.verb} file")
        done = _counted(taken, new)
        _commit(store, name, taken, [*put, *new], change)
    except UnsureError:
        raise  # the table may have them
    except BaseException:
        remove_unless_taken(store, name, new)
        raise
    return done


def _commit(store: Store, name: str, taken: Sequence[Taken], new: Sequence[DataFile], change: Change) -> None:
    token, verb = uuid4().hex, change.verb
    for attempt in range(ATTEMPTS):
        table = store.load(name)
        if attempt and landed(table, token):
            return
        properties = change.noted(table, taken) if change.noted is not None else {}
        if change.adjust is not None:
            properties[LEDGER_PROPERTY] = Ledger.of(table).append(change.adjust(taken), store.ledger_folder())
        try:
            step(f"before {verb} commit")
            swap(store, table, [one.file for one in taken], new, properties, {"logshed.verb": verb}, token)
        except ValidationException:
            raise OvertakenError from None
        except LOST as error:
            back_off(attempt, error)
            continue
        step(f"after {verb} commit")
        if change.trim:
            trim_snapshots(table)
        return
    raise CommitConflictError(
        f"cannot {verb} rows of {name}: {ATTEMPTS} attempts met other writers; run the same command again"
    )


def _counted(taken: Sequence[Taken], new: Sequence[DataFile]) -> Rewriting:
    return Rewriting(
        rows=sum(one.rows for one in taken),
        files=len(taken),
        dropped=sum(one.whole for one in taken),
        bytes=sum(one.file.file_size_in_bytes for one in taken),
        made_bytes=sum(storage.size(file.path) for file in new),
        old=[one.path for one in taken],
        new=[file.path for file in new],
    )


def taken_of(
    table: Table,
    hits: Callable[[IcebergFile], pl.Expr | None],
    facts: Sequence[pl.Expr],
    keys: Sequence[str | pl.Expr] = (),
) -> list[Taken]:
    """The files of a table that hold rows that go, by a look at the columns that tell it.

    Args:
        table: The table.
        hits: Which rows of a file go; None where its bounds tell that none does.
        facts: Sums over the rows that go.
        keys: What these are grouped by.
    """
    schema = whole_schema(table)
    found: list[Taken] = []
    for file in iceberg_files(table):
        hit = hits(file)
        if hit is None:
            continue
        rows = scanned(paths([file]), schema).filter(hit)
        sums = (pl.len().alias("_rows"), *facts)
        gone = collected(rows.group_by(keys).agg(sums) if keys else rows.select(sums), paths([file])[0])
        count = int(gone["_rows"].sum())
        if count:
            found.append(Taken(file, hit, count, gone))
    return found
