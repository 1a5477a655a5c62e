"""A column of JSON objects and the questions asked of it, answered by DuckDB in one pass each.

Paths are JSON pointers (``/http/status``), the root is the empty text.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import polars as pl

from logshed.formats.columns import where

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

    import duckdb

_local = threading.local()


class NotJsonError(Exception):
    """A row is no JSON; ``Documents.valid`` tells which."""


class Documents:
    """A column of valid JSON objects, open to queries within a ``with`` block."""

    def __init__(self, text: pl.Series) -> None:
        self._text = text
        self._connection = _connection()

    def __enter__(self) -> Self:
        self._connection.register("documents", pl.DataFrame({"t": self._text}).to_arrow())
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.unregister("documents")

    def _query(self, sql: str) -> pl.DataFrame:
        import duckdb  # noqa: PLC0415 - heavy, and text logs never need it

        try:
            found: pl.DataFrame = self._connection.sql(sql).pl()
        except (duckdb.InvalidInputException, UnicodeDecodeError) as error:
            # DuckDB quotes the bad row in its message and may cut it inside a character, which Python cannot decode
            raise NotJsonError from error
        return found

    def valid(self) -> pl.Series:
        """Whether each row is JSON; the one question that may be asked of rows that are not."""
        return self._query("SELECT coalesce(json_valid(t), false) AS v FROM documents")["v"]

    def shapes(self, objects: list[str]) -> list[tuple[frozenset[str], ...]]:
        """The different sets of keys that these objects have together, one tuple a shape, in the objects' order.

        Raises:
            NotJsonError: A row is no JSON.
        """
        keys = f"json_keys(t, [{_quoted(path or '$' for path in objects)}])"
        sql = f"SELECT any_value(k) AS k FROM (SELECT {keys} AS k FROM documents) GROUP BY hash(k)"
        return [tuple(frozenset(keys or ()) for keys in row) for row in self._query(sql)["k"].to_list()]

    def kinds(self, paths: list[str]) -> dict[str, set[str]]:
        """The JSON types that each path has in any row."""
        found: dict[str, set[str]] = {path: set() for path in paths}
        if paths:
            sql = f"SELECT DISTINCT json_type(t, [{_quoted(paths)}]) AS k FROM documents"
            for row in self._query(sql)["k"].to_list():
                for path, kind in zip(paths, row, strict=True):
                    if kind is not None:
                        found[path].add(kind)
        return found

    def values(self, paths: list[str], mixed: Iterable[str] = ()) -> dict[str, pl.Series]:
        """Scalars and arrays as text, null where a row has none; ``mixed`` paths are null where they are objects."""
        if not paths:
            return {}
        lists = f"SELECT json_extract_string(t, [{_quoted(paths)}]) AS v FROM documents"
        columns = ", ".join(f"v[{index + 1}] AS c{index}" for index in range(len(paths)))
        found = self._query(f"SELECT {columns} FROM ({lists})")
        values = dict(zip(paths, found.get_columns(), strict=True))
        wanted = list(mixed)
        if wanted:
            kinds = self._query(f"SELECT json_type(t, [{_quoted(wanted)}]) AS k FROM documents")["k"]
            for index, path in enumerate(wanted):
                is_object = (kinds.list.get(index, null_on_oob=True) == "OBJECT").fill_null(value=False)
                values[path] = where(~is_object, values[path])
        return values

    def items(self, path: str, patch: str) -> tuple[pl.Series, pl.Series]:
        """The elements of the list at a path as a list of texts (null where the first is no object), and the rest.

        Args:
            path: Pointer to the list; empty where the row is the list.
            patch: A merge patch that takes the list out of the object.
        """
        steps = "".join(f'."{key}"' for key in path.split("/")[1:])
        first = f"json_type(t, {_quoted([f'{path}/0'])}) = 'OBJECT'"
        found = f"CASE WHEN {first} THEN json_extract(t, {_quoted([f'${steps}[*]'])}) END"
        bare = f"json_merge_patch(t, {_quoted([patch])})" if path else "NULL"
        sql = f"SELECT CAST({found} AS VARCHAR[]) AS i, CAST({bare} AS VARCHAR) AS b FROM documents"
        rows = self._query(sql)
        return rows["i"], rows["b"]


def _connection() -> duckdb.DuckDBPyConnection:
    """This thread's DuckDB; threads work side by side, each query on one."""
    import duckdb  # noqa: PLC0415 - heavy, and text logs never need it

    if not hasattr(_local, "connection"):
        _local.connection = duckdb.connect(":memory:", config={"threads": 1})
    connection: duckdb.DuckDBPyConnection = _local.connection
    return connection


def _quoted(paths: Iterable[str]) -> str:
    return ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
