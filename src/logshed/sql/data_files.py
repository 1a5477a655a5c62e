"""Writes the statement by which DuckDB reads a table's data files, behind one of its views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logshed.sql.views import DUCKDB_TYPES, literal, named, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.sql.sight import Sight
    from logshed.sql.tables import TableColumn
    from logshed.sql.views import View


def shown(columns: Sequence[TableColumn], files: Sequence[str], sight: Sight | None, view: View) -> str:
    """A view over data files, with the rows that a sight shows; None shows all."""
    source = _parquet(files, columns) if files else _nothing(columns)
    where = "" if sight is None else f" WHERE {sight.condition()}"
    return view.select(named(columns), source + where)


def _parquet(files: Sequence[str], columns: Sequence[TableColumn]) -> str:
    """Data files by their field ids, so that a renamed or added column is read rightly from an old file."""
    fields = ", ".join(
        f"{column.field_id}: {{name: {literal(column.name)}, type: '{DUCKDB_TYPES[column.kind]}', default_value: NULL}}"
        for column in columns
    )
    return f"read_parquet([{', '.join(map(literal, files))}], schema = MAP {{{fields}}}, hive_partitioning = false)"


def _nothing(columns: Sequence[TableColumn]) -> str:
    typed = ", ".join(f"CAST(NULL AS {DUCKDB_TYPES[column.kind]}) AS {quoted(column.name)}" for column in columns)
    return f"(SELECT {typed} WHERE false)"
