"""Says whether a statement of people's keeps to the tables and functions that it may use, as DuckDB itself reads it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from logshed.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import duckdb

LONGEST = 200_000
"""Characters of a statement."""

TABLE_FUNCTIONS = frozenset(
    {"generate_series", "icu_calendar_names", "json_each", "json_tree", "pg_timezone_names", "range", "repeat",
     "repeat_row", "unnest"}
)  # fmt: skip
"""All functions that may stand after FROM; the rest reads files, settings, or what DuckDB keeps of itself."""

REFUSED = re.compile(
    r"current_setting|getvariable|getenv|write_log|sleep_ms|setseed|(curr|next|set)val|current_query(_id)?|stats|"
    r"current_(connection|transaction)_id|txid_current|vector_type|get_block_size|in_search_path|"
    r"pg_(?!typeof$|size_pretty$).*|inet_.*|has_.*_privilege|(col|obj|shobj)_description|format_(pg_)?type|"
    r"map_(type_id_)?to_pg_oid|__internal.*"
)
"""Functions that tell of settings, of the machine or of the database, or that do more than compute."""

LISTS = {("information_schema", "tables"), ("information_schema", "columns"), ("information_schema", "schemata")}
"""Tables of DuckDB's own that show names and types of what the statement sees anyway."""
_SHOWN = {'"tables"', "__show_tables_expanded"}
_RESERVED = re.compile(r"(duckdb|pg|pragma|sqlite)_.*|.*[./\\:*?\[].*|tables|columns|schemata", re.DOTALL)
"""Names that a WITH must not take, as they may mean more outside of it."""

_TABLES = {
    "BASE_TABLE", "TABLE_FUNCTION", "JOIN", "SUBQUERY", "EXPRESSION_LIST", "PIVOT", "EMPTY", "EMPTY_FROM", "SHOW_REF",
}  # fmt: skip
_QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}

_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?(\([^()]*\)\s*)?", re.IGNORECASE)


def reading(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The statement without EXPLAIN before it, once it is known that it only reads.

    Args:
        connection: Any connection; the statement is only read by it.
        sql: The text.

    Raises:
        QueryError: It is none, or several, or does more than read.
        duckdb.Error: It is wrong.
    """
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"cannot run the query: it holds {len(statements)} statements; give exactly one")
    kind, inner = statements[0].type.name, sql
    if kind == "EXPLAIN":
        inner = _EXPLAIN.sub("", sql, count=1)
        kinds = {statement.type.name for statement in connection.extract_statements(inner)}
        kind = "SELECT" if kinds == {"SELECT"} else "EXPLAIN of a statement that writes"
    if kind not in {"SELECT", "MULTI"}:  # MULTI is how DuckDB sees PIVOT
        raise QueryError(f"cannot run the query: {kind} is not allowed, the lake is read only here; write a SELECT")
    return inner


def check(connection: duckdb.DuckDBPyConnection, sql: str, views: Collection[str]) -> None:
    """Look through a statement before anything of it is planned.

    Args:
        connection: Any connection; the statement is only read by it.
        sql: The statement, without EXPLAIN before it.
        views: The paths of the views that there are: ``logs``, ``iceberg.analytics.logs``.

    Raises:
        QueryError: It uses what it may not.
    """
    if len(sql) > LONGEST:
        raise _refused(f"it has {len(sql)} characters", f"{LONGEST} are the most")
    tree = json.loads(connection.execute("SELECT json_serialize_sql($sql)", {"sql": sql}).fetchall()[0][0])
    if tree["error"]:
        raise _refused("more than SELECT", "PIVOT needs its values: SELECT … FROM logs PIVOT (count(*) FOR x IN (…))")
    nodes = list(_nodes(tree))
    own = {str(name).lower() for node in nodes for name in _with_names(node)}
    if bad := sorted(name for name in own if _RESERVED.fullmatch(name)):
        raise _refused(f"WITH {bad[0]}", "take another name")
    known = own | {path.lower() for path in views}
    for node in nodes:
        _check_node(node, known)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every object of the tree; without recursion, as statements may be deep."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            yield node
            left.extend(node.values())
        elif isinstance(node, list):
            left.extend(node)


def _with_names(node: dict[str, Any]) -> list[str]:
    ctes = node.get("cte_map")
    return [one["key"] for one in ctes["map"]] if isinstance(ctes, dict) else []


def _check_node(node: dict[str, Any], known: Collection[str]) -> None:
    kind = str(node.get("type", ""))
    if node.get("class") == "FUNCTION" or (kind == "FUNCTION" and "function_name" in node):
        _check_function(node)
    if "class" in node or "sample" not in node or kind in _QUERIES:
        return
    if kind not in _TABLES:
        raise _refused(f"{kind} after FROM", "take a table")
    if kind == "BASE_TABLE":
        _check_table(_path(node), known)
    elif kind == "TABLE_FUNCTION":
        path = _path(node["function"])
        if len(path) != 1 or path[0] not in TABLE_FUNCTIONS:
            raise _refused(f"{'.'.join(path)}() after FROM", "take a table")
    elif kind == "SHOW_REF" and node.get("query") is None and node.get("table_name") not in _SHOWN:
        raise _refused(f"SHOW {node.get('table_name')}", "take SHOW TABLES, or DESCRIBE a table")


def _check_table(path: list[str], known: Collection[str]) -> None:
    name = ".".join(path).removeprefix("iceberg.main.").removeprefix("main.")
    if name in known or f"iceberg.{name}" in known or tuple(path) in LISTS:
        return
    if len(path) == 1 and not _RESERVED.fullmatch(path[0]):
        return  # there is no such table, which the planning says, with the nearest name
    raise _refused(f"table {'.'.join(path)}", "take SHOW TABLES to see those that there are")


def _check_function(node: dict[str, Any]) -> None:
    name = str(node["function_name"]).lower()
    if REFUSED.fullmatch(name):
        raise _refused(f"{name}()", "leave it out")


def _path(node: dict[str, Any]) -> list[str]:
    return [str(part).lower() for part in node["qualified_name"]["path"]]


def _refused(what: str, advice: str) -> QueryError:
    return QueryError(f"cannot run the query: {what} is not allowed here; {advice}")
