"""Opens and creates a lake: its folder, its catalog and its tables."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from pyiceberg.catalog import load_catalog
from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchTableError, TableAlreadyExistsError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform, MonthTransform
from pyiceberg.types import (
    BooleanType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    MapType,
    NestedField,
    StringType,
    TimestamptzType,
)
from sqlalchemy.exc import SQLAlchemyError

from logshed.errors import LakeError, NotALakeError
from logshed.lake import folder
from logshed.lake.names import (
    CATALOG_FILE,
    FIRST,
    GOLD,
    LEDGER,
    TABLE_PROPERTIES,
    WAREHOUSE,
    TableDef,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

    from logshed.schema import Column

LOCK = ".create.lock"
OWN = {LOCK, CATALOG_FILE, f"{CATALOG_FILE}-journal", WAREHOUSE, LEDGER}
"""What a creation that was interrupted may have left; it is then finished."""


class Store:
    """A lake's folder and its catalog.

    Attributes:
        root: The lake's folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._catalog: Catalog | None = None

    @classmethod
    def open(cls, root: Path, *, create: bool) -> Store:
        """Open the lake at ``root``, or make one.

        Raises:
            NotALakeError: The folder is missing or holds something else.
            NewerLakeError: A newer version of Logshed wrote it.
            LakeError: It cannot be read or made.
        """
        store = cls(root)
        if create and not folder.is_lake(root):
            try:
                store._create()
            except OSError as error:
                raise LakeError(
                    f"cannot make lake {root}: {error.strerror}; check the path and its permissions"
                ) from error
        folder.check(root)
        return store

    @property
    def catalog(self) -> Catalog:
        """The Iceberg catalog (SQLite beside the data)."""
        if self._catalog is None:
            self._catalog = load_catalog(
                "logshed",
                type="sql",
                uri=f"sqlite:///{self.root / CATALOG_FILE}",
                warehouse=f"file://{self.root / WAREHOUSE}",
            )
        return self._catalog

    def table(self, table: TableDef) -> Table:
        """The table as it is now; one that is not of ``FIRST`` is made where there is none.

        Raises:
            LakeError: The catalog does not know it or cannot be read.
        """
        try:
            return self.catalog.load_table(table.name)
        except NoSuchTableError as error:
            if table not in FIRST:
                self._create_table(table)
                return self.catalog.load_table(table.name)
            raise LakeError(
                f"cannot open table {table.name} of lake {self.root}: the catalog does not list it; "
                f"restore {CATALOG_FILE}"
            ) from error
        except SQLAlchemyError as error:
            raise LakeError(
                f"cannot read the catalog of lake {self.root}: {error.__class__.__name__}; restore {CATALOG_FILE}"
            ) from error

    def has(self, table: TableDef) -> bool:
        """Whether the table was made; those of ``FIRST`` always are."""
        return table in FIRST or bool(self.catalog.table_exists(table.name))

    def gold_tables(self) -> list[str]:
        """Short names of the gold tables that were made."""
        if not self.catalog.namespace_exists(GOLD):
            return []
        return sorted(str(name[-1]) for name in self.catalog.list_tables(GOLD))

    def gold_table(self, name: str) -> Table:
        """A gold table that was made."""
        return self.catalog.load_table(f"{GOLD}.{name}")

    def fit(self, table: TableDef) -> bool:
        """Give a table the columns that its definition has more than it; what it has beyond that stays.

        Returns:
            Whether it lacked any.

        Raises:
            LakeError: A column of it holds another type.
        """
        loaded = self.table(table)
        there = {field.name: field for field in loaded.schema().fields}
        wanted = list(_fields(table.columns))
        for field in wanted:
            if field.name in there and there[field.name].field_type != field.field_type:
                raise LakeError(
                    f"cannot change {table.short}: its column {field.name} is {there[field.name].field_type} "
                    f"in the lake and {field.field_type} in its file; give the new one another name"
                )
        new = [field for field in wanted if field.name not in there]
        if new:
            with loaded.update_schema() as update:
                for field in new:
                    update.add_column(field.name, field.field_type, doc=field.doc)
        return bool(new)

    def ledger_folder(self) -> Path:
        """Where ledger and batch files lie."""
        return self.root / LEDGER

    def _create(self) -> None:
        root = self.root
        if root.exists() and (not root.is_dir() or not {entry.name for entry in root.iterdir()} <= OWN):
            raise NotALakeError(folder.why_no_lake(root))
        root.mkdir(parents=True, exist_ok=True)
        with _locked(root / LOCK):
            if folder.is_lake(root):
                return  # another process was quicker
            (root / WAREHOUSE).mkdir(exist_ok=True)
            self.ledger_folder().mkdir(exist_ok=True)
            for table in FIRST:
                self._create_table(table)
            folder.mark(root)

    def _create_table(self, table: TableDef) -> None:
        namespace = table.name.partition(".")[0]
        with suppress(NamespaceAlreadyExistsError):  # another table of this namespace made it
            self.catalog.create_namespace(namespace)
        schema = Schema(*_fields(table.columns))
        source = schema.find_field(table.partition_column).field_id
        transform: Any = DayTransform() if table.partition_by == "day" else MonthTransform()
        field = PartitionField(source, 1000, transform, f"{table.partition_column}_{table.partition_by}")
        with suppress(TableAlreadyExistsError):  # an interrupted creation made it; the marker is written last
            self.catalog.create_table(
                table.name, schema, partition_spec=PartitionSpec(field), properties=TABLE_PROPERTIES
            )


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fields(columns: tuple[Column, ...]) -> Iterator[NestedField]:
    types: dict[str, IcebergType] = {
        "string": StringType(),
        "int": IntegerType(),
        "long": LongType(),
        "double": DoubleType(),
        "boolean": BooleanType(),
        "timestamptz": TimestamptzType(),
    }
    map_id = len(columns) + 1
    for number, column in enumerate(columns, start=1):
        kind = types.get(column.kind)
        if kind is None:
            kind = MapType(map_id, StringType(), map_id + 1, StringType(), value_required=False)
            map_id += 2
        yield NestedField(number, column.name, kind, required=column.required, doc=column.meaning)
