"""Opens and creates a lake: its folder, its catalog and its tables."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform, MonthTransform

from logshed.errors import LakeError, NewerLakeError, NotALakeError
from logshed.lake import catalogs, fitting, folder, remote, shared, storage
from logshed.lake.names import (
    CATALOG_FILE,
    FIRST,
    GOLD,
    LAKE_PROPERTY,
    LAKE_VERSION,
    LEDGER,
    LINES,
    SPACES,
    TABLE_PROPERTIES,
    VERSION_PROPERTY,
    WAREHOUSE,
    TableDef,
)
from logshed.lake.secret import lake_secret
from logshed.storage_settings import Backing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table


LOCK = ".create.lock"
OWN = {LOCK, CATALOG_FILE, f"{CATALOG_FILE}-journal", WAREHOUSE, LEDGER}
"""What a creation that was interrupted may have left; it is then finished."""


class Store:
    """A lake's folder and its catalog.

    Attributes:
        root: The lake's folder on this machine.
        backing: Its catalog and its storage.
        warehouse: Where its files lie: a path of this machine or an address.
    """

    def __init__(self, root: Path, backing: Backing | None = None) -> None:
        self.root = root
        self.backing = backing or Backing()
        self.warehouse = storage.local(self.backing.storage.warehouse) or str(root / WAREHOUSE)
        self._catalog: Catalog | None = None
        self._checked = not self.backing.storage.warehouse
        remote.use(self.backing.storage)

    @classmethod
    def open(cls, root: Path, *, create: bool, backing: Backing | None = None) -> Store:
        """Open the lake at ``root``, or make one.

        Args:
            root: Its folder on this machine.
            create: Make it where there is none.
            backing: Its catalog and its storage; None takes those in its folder.

        Raises:
            NotALakeError: The folder is missing or holds something else.
            NewerLakeError: A newer version of Logshed wrote it.
            LakeError: It cannot be read or made, or its storage or catalog cannot be reached.
        """
        store = cls(root, backing)
        if create and not folder.is_lake(root):
            try:
                store._create()
            except OSError as error:
                raise LakeError(
                    f"cannot make lake {root}: {error.strerror}; check the path and its permissions"
                ) from error
        folder.check(root, store.backing)
        return store

    @property
    def catalog(self) -> Catalog:
        """The Iceberg catalog; SQLite beside the data unless the settings name another."""
        if self._catalog is None:
            self._catalog = catalogs.opened(self.root, self.backing)
        return self._catalog

    def names(self) -> list[str]:
        """Full names of the lake's tables that were made; in a catalog of its own, of all that it lists."""
        if self.backing.catalog.own:
            listed = [name for space in self.catalog.list_namespaces() for name in self.catalog.list_tables(space)]
            return sorted(".".join(name) for name in listed)
        spaces = [space for space in SPACES if self.catalog.namespace_exists(self._space(space))]
        return sorted(
            f"{space}.{name[-1]}" for space in spaces for name in self.catalog.list_tables(self._space(space))
        )

    def load(self, name: str) -> Table:
        """The table of that full name, as it is now.

        Raises:
            pyiceberg.exceptions.NoSuchTableError: There is none.
            NewerLakeError: A newer version of Logshed wrote it.
            LakeError: It is another lake's.
        """
        table = self.catalog.load_table(self._identifier(name))
        if not self._checked and name == LINES.name:
            shared.assert_same(table, folder.lake_id(self.root), self.backing)
            self._checked = True
        version = int(table.properties.get(VERSION_PROPERTY, "0"))
        if version > LAKE_VERSION:
            raise NewerLakeError(
                f"cannot open table {name} of lake {self.root}: it has version {version}, this Logshed knows up to "
                f"{LAKE_VERSION}; upgrade Logshed"
            )
        return table

    def is_table(self, loaded: Table, table: TableDef) -> bool:
        """Whether a loaded table is that one."""
        return ".".join(loaded.name()) == self._identifier(table.name)

    def _space(self, space: str) -> str:
        prefix = self.backing.catalog.namespace
        return f"{prefix}_{space}" if prefix else space

    def _identifier(self, name: str) -> str:
        space, _, table = name.partition(".")
        return f"{self._space(space)}.{table}"

    def table(self, table: TableDef) -> Table:
        """The table as it is now; one that is not of ``FIRST`` is made where there is none.

        Raises:
            LakeError: The catalog does not know it or cannot be read.
        """
        try:
            return self.load(table.name)
        except NoSuchTableError as error:
            if table not in FIRST:
                self._create_table(table)
                return self.load(table.name)
            what = (
                f"restore {CATALOG_FILE}" if self.backing.catalog.own else "restore the catalog, or correct [catalog]"
            )
            raise LakeError(
                f"cannot open table {table.name} of lake {self.root}: the catalog does not list it; {what}"
            ) from error
        except FileNotFoundError as error:
            raise LakeError(
                f"cannot open table {table.name} of lake {self.root}: its metadata file is gone; "
                "restore the warehouse from a backup, or its versions"
            ) from error

    def has(self, table: TableDef) -> bool:
        """Whether the table was made; those of ``FIRST`` always are."""
        return table in FIRST or bool(self.catalog.table_exists(self._identifier(table.name)))

    def gold_tables(self) -> list[str]:
        """Short names of the gold tables that were made."""
        if not self.catalog.namespace_exists(self._space(GOLD)):
            return []
        return sorted(str(name[-1]) for name in self.catalog.list_tables(self._space(GOLD)))

    def gold_table(self, name: str) -> Table:
        """A gold table that was made."""
        return self.load(f"{GOLD}.{name}")

    def fit(self, table: TableDef) -> bool:
        """Give a table the columns that its definition has more than it; what it has beyond that stays.

        Returns:
            Whether it lacked any.

        Raises:
            LakeError: A column of it holds another type.
            CommitConflictError: Others changed it each time.
        """
        return fitting.fit(self, table)

    def to_write(self, table: TableDef) -> Table:
        """The table as it is now, once it has every column that this version writes: an older lake grows with it.

        Raises:
            LakeError: A column of it holds another type, or the catalog cannot be read.
            CommitConflictError: Others changed it each time.
        """
        loaded = self.table(table)
        return loaded if fitting.fits(loaded, table) or not self.fit(table) else self.table(table)

    def ledger_folder(self) -> str:
        """Where ledger and batch files lie: beside the tables, so that whoever reaches them has both."""
        return f"{self.warehouse}/{LEDGER}" if self.backing.storage.warehouse else str(self.root / LEDGER)

    def secret(self) -> bytes:
        """The lake's own secret; of a lake that several machines reach it lies in the warehouse.

        Raises:
            LakeError: It cannot be read or made.
        """
        return shared.secret(self.warehouse) if self.backing.storage.warehouse else lake_secret(self.root)

    def _create(self) -> None:
        root = self.root
        if _holds_more(root) and not folder.is_lake(root):  # else another process has just made it
            raise NotALakeError(folder.why_no_lake(root))
        root.mkdir(parents=True, exist_ok=True)
        with _locked(root / LOCK):
            if folder.is_lake(root):
                return  # another process was quicker
            self.catalog.namespace_exists(self._space(SPACES[0]))  # one that is not there claims no warehouse
            storage.make_folder(self.warehouse)
            storage.make_folder(self.ledger_folder())
            lake = shared.claimed(self.warehouse, self.backing) if self.backing.storage.warehouse else ""
            for table in FIRST:
                self._create_table(table, {LAKE_PROPERTY: lake} if lake and table is LINES else {})
            if lake:
                shared.assert_same(self.catalog.load_table(self._identifier(LINES.name)), lake, self.backing)
            folder.mark(root, self.backing, lake)

    def _create_table(self, table: TableDef, properties: Mapping[str, str] | None = None) -> None:
        space, _, name = table.name.partition(".")
        with suppress(NamespaceAlreadyExistsError):  # another table of this namespace made it
            self.catalog.create_namespace(self._space(space))
        schema = Schema(*fitting.fields(table.columns))
        source = schema.find_field(table.partition_column).field_id
        transform: Any = DayTransform() if table.partition_by == "day" else MonthTransform()
        field = PartitionField(source, 1000, transform, f"{table.partition_column}_{table.partition_by}")
        with suppress(TableAlreadyExistsError):  # an interrupted creation made it; the marker is written last
            self.catalog.create_table(
                self._identifier(table.name),
                schema,
                location=f"{self.backing.storage.warehouse}/{space}/{name}" if self.backing.storage.warehouse else None,
                partition_spec=PartitionSpec(field),
                properties={**TABLE_PROPERTIES, **(properties or {})},
            )


def _holds_more(root: Path) -> bool:
    """Whether there is something that no creation has left."""
    if not root.exists():
        return False
    return not root.is_dir() or any(one.name not in OWN and not folder.is_part(one) for one in root.iterdir())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
