"""The columns of a table as Iceberg has them; a table of an older lake gets those that came since."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

from logshed.errors import CommitConflictError, LakeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.table import Table

    from logshed.lake.names import TableDef
    from logshed.lake.store import Store
    from logshed.schema import Column


def fits(table: Table, definition: TableDef) -> bool:
    """Whether a table has every column of its definition."""
    there = {field.name for field in table.schema().fields}
    return all(column.name in there for column in definition.columns)


def fit(store: Store, definition: TableDef) -> bool:
    """Give a table the columns that its definition has more than it; what it has beyond that stays.

    A column that came later may be left out by a row, whatever its definition says: older rows have none.

    Returns:
        Whether it lacked any.

    Raises:
        LakeError: A column of it holds another type.
        CommitConflictError: Others changed it each time.
    """
    from logshed.lake.commit import ATTEMPTS, LOST, back_off  # noqa: PLC0415 - who only reads needs it not

    for attempt in range(ATTEMPTS):
        loaded = store.table(definition)
        new = _missing(loaded, definition)
        if not new:
            return attempt > 0
        try:
            with loaded.update_schema() as update:
                for field in new:
                    update.add_column(field.name, field.field_type, doc=field.doc)
        except LOST as error:
            back_off(attempt, error)
            continue
        return True
    raise CommitConflictError(f"cannot change {definition.short}: {ATTEMPTS} attempts met other writers; run it again")


def _missing(table: Table, definition: TableDef) -> list[NestedField]:
    there = {field.name: field for field in table.schema().fields}
    wanted = list(fields(definition.columns))
    for field in wanted:
        if field.name in there and str(there[field.name].field_type) != str(field.field_type):
            raise LakeError(
                f"cannot change {definition.short}: its column {field.name} is {there[field.name].field_type} "
                f"in the lake and {field.field_type} in its file; give the new one another name"
            )
    return [field for field in wanted if field.name not in there]


def fields(columns: tuple[Column, ...]) -> Iterator[NestedField]:
    """Columns as Iceberg has them."""
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
