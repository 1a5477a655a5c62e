"""What the SQL engines need to know of a lake; lake/ implements it, so that sql/ never imports lake/."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.schema import Kind


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column as the table has it now.

    Attributes:
        field_id: The Iceberg field id, by which data files are read after a rename.
        name: The column's name.
        kind: Its type.
        key_id: Field id of a map's keys, else None.
        value_id: Field id of a map's values, else None.
        attribute: The attribute that it is made of in files without it; None of a column that all have.
    """

    field_id: int
    name: str
    kind: Kind
    key_id: int | None = None
    value_id: int | None = None
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A table as it lies.

    Attributes:
        name: Its namespace and name, such as ``silver.logs``.
        location: The address of its folder.
        columns: Its columns.
        metadata: The address of the file that says its state.
    """

    name: str
    location: str
    columns: Sequence[TableColumn]
    metadata: str = ""


class Tables(Protocol):
    """A lake's tables at one moment. All calls of one query should see one snapshot."""

    def names(self) -> Sequence[str]:
        """The tables' short names, such as ``logs`` and ``lines``. Cheap: called for every statement with a FROM."""
        ...

    def closed(self) -> Sequence[str]:
        """Those of them that only who sees all collections may see: they tell of people and of the whole lake."""
        ...

    def columns(self, table: str) -> Sequence[TableColumn]:
        """The columns of a table, in order."""
        ...

    def files(self, table: str, where: str | None) -> Sequence[str]:
        """The data files of the current snapshot.

        Args:
            table: Its short name.
            where: A PyIceberg row filter; a file may be left out where no row of it can pass. None asks for all.

        Returns:
            Paths of this machine or ``file://`` URLs; addresses where ``filesystem`` gives something.
        """
        ...

    def filesystem(self) -> Any | None:
        """What opens the addresses of files that lie elsewhere, an fsspec filesystem; None where none do."""
        ...

    def renamed(self, table: str) -> bool:
        """Whether data files may call columns otherwise than the table does, or other columns as it calls one."""
        ...
