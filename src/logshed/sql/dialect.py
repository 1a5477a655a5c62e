"""Rewrites a statement from DuckDB's dialect into ClickHouse's: what SQLGlot leaves undone, and our views."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from logshed.errors import QueryError
from logshed.sql.views import named, views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from logshed.sql.tables import TableColumn
    from logshed.sql.views import View


_RENAMED = {
    "map_values": "mapValues",
    "map_keys": "mapKeys",
    "strlen": "length",
    "epoch_us": "toUnixTimestamp64Micro",
    "hash": "sipHash64",
    "url_decode": "decodeURLComponent",
}
"""Functions of DuckDB that SQLGlot hands on as they are."""
_TYPED: dict[type[exp.Expr], str] = {exp.Lower: "lowerUTF8", exp.MapKeys: "mapKeys"}
"""Those of one argument that it writes in another way than ClickHouse means."""


def parsed(sql: str) -> exp.Query:
    """The statement's tree.

    Raises:
        logshed.errors.QueryError: It is no statement, or it does more than read.
    """
    try:
        statements = [tree for tree in sqlglot.parse(sql, read="duckdb") if tree is not None]
    except SqlglotError as error:
        raise QueryError(f"cannot run the query: {_first_line(error)}; mend the statement") from error
    if len(statements) != 1:
        raise QueryError(f"cannot run the query: it holds {len(statements)} statements; give exactly one")
    if not isinstance(statements[0], exp.Query):
        kind = statements[0].key.upper()
        raise QueryError(f"cannot run the query: {kind} is not allowed on ClickHouse here; write a SELECT")
    return statements[0]


def tables_of(tree: exp.Query) -> set[str]:
    """Names of the lake's views that a statement reads, as ``View.path`` has them."""
    return {_path(table) for table in _real_tables(tree)}


def to_clickhouse(
    tree: exp.Query,
    values: Mapping[str, object],
    columns: Mapping[str, Sequence[TableColumn]],
    place: Callable[[str], str],
    zone: str = "UTC",
) -> str:
    """The statement in ClickHouse's dialect.

    Args:
        tree: The statement; it is changed.
        values: The parameters' values.
        columns: The columns of every table that it reads, by short name.
        place: What follows FROM in ClickHouse for a table, by short name.
        zone: The zone of times that name none.

    Raises:
        logshed.errors.QueryError: A parameter has no value.
    """
    known = {view.path: view for table in columns for view in views(table)}
    for table in list(_real_tables(tree)):
        view = known.get(_path(table))
        if view is not None:
            name = table.alias or table.name
            inner = _view(view, columns[view.table], place(view.table))
            replacement = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
            replacement.set("joins", table.args.get("joins"))
            table.replace(replacement)
    for select in tree.find_all(exp.Select):
        _order_by_place(select)
    _bind(tree, values)
    rewritten = tree.transform(_rewritten, zone, copy=False).transform(_renamed, copy=False)
    return str(rewritten.sql(dialect="clickhouse", copy=False))


def _real_tables(tree: exp.Query) -> Iterator[exp.Table]:
    """The tables that a statement reads; names that a WITH gives are none."""
    seen: set[int] = set()
    for scope in traverse_scope(tree):
        for source in scope.sources.values():
            if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier) and id(source) not in seen:
                seen.add(id(source))
                yield source


def _path(table: exp.Table) -> str:
    if table.db.lower() == "analytics" and table.catalog.lower() in {"", "iceberg"}:
        return f"iceberg.analytics.{table.name.lower()}"
    return table.name.lower()


def _view(view: View, columns: Sequence[TableColumn], place: str) -> exp.Expr:
    text = view.select(named(columns), place)
    return sqlglot.parse_one(text, read="duckdb")


def _bind(tree: exp.Query, values: Mapping[str, object]) -> None:
    for node in list(tree.find_all(exp.Placeholder, exp.Parameter)):
        name = node.name
        if name not in values:
            raise QueryError(f"cannot run the query: ${name} has no value; give it one")
        node.replace(_literal(values[name]))


def _literal(value: object) -> exp.Expr:
    if isinstance(value, datetime):
        return _moment(value)
    return exp.convert(value)


def _moment(value: datetime, zone: str = "UTC") -> exp.Expr:
    moment = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    text = exp.Literal.string(moment.strftime("%Y-%m-%d %H:%M:%S.%f"))
    found = _func("toDateTime64", text, exp.Literal.number(6), exp.Literal.string("UTC"))
    return found if zone == "UTC" else _func("toTimeZone", found, exp.Literal.string(zone))


def _order_by_place(select: exp.Select) -> None:
    """ORDER BY means what the statement shows, before a column of the same name; ClickHouse is told the place."""
    order = select.args.get("order")
    if order is None or select.is_star:
        return
    places = {shown.alias.lower(): place for place, shown in enumerate(select.expressions, 1) if shown.alias}
    for ordered in order.expressions:
        wanted = ordered.this
        if isinstance(wanted, exp.Column) and not wanted.table and wanted.name.lower() in places:
            wanted.replace(exp.Literal.number(places[wanted.name.lower()]))


def _renamed(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Anonymous) and node.name.lower() in _RENAMED:
        return _func(_RENAMED[node.name.lower()], *node.expressions)
    if isinstance(node, exp.TryCast) and node.to.is_type(exp.DType.DOUBLE):
        return _func("accurateCastOrNull", node.this.transform(_renamed, copy=False), exp.Literal.string("Float64"))
    if type(node) in _TYPED:
        return _func(_TYPED[type(node)], node.this.transform(_renamed, copy=False))
    if isinstance(node, exp.DateBin) and isinstance(node.this, exp.Anonymous):
        return _func("toStartOfInterval", node.expression, _func("toIntervalSecond", node.this.expressions[0]))
    if isinstance(node, exp.ArrayToString):
        return _func("arrayStringConcat", node.this.transform(_renamed, copy=False), node.expression)
    return node


def _rewritten(node: exp.Expr, zone: str) -> exp.Expr:
    if isinstance(node, exp.AtTimeZone):
        return _func("toTimeZone", node.this, node.args["zone"])
    if isinstance(node, exp.CTE):
        node.set("materialized", None)  # a hint to DuckDB; here a WITH is always inline
        return node
    if isinstance(node, exp.RegexpReplace):
        return _replaced(node, zone)
    if isinstance(node, exp.TryCast) and node.to.is_type(exp.DType.TIMESTAMPTZ):
        text = node.this.transform(_rewritten, zone, copy=False)
        return _func("parseDateTime64BestEffortOrNull", text, exp.Literal.number(6), exp.Literal.string(zone))
    if isinstance(node, exp.Cast) and node.to.is_type(exp.DType.TIMESTAMPTZ, exp.DType.TIMESTAMP):
        return _to_moment(node.this, zone)
    return _percentile(node) or node


def _percentile(node: exp.Expr) -> exp.Expr | None:
    if isinstance(node, exp.WithinGroup) and isinstance(node.this, exp.PercentileCont):
        return _quantile(node.this.this, node.expression.expressions[0].this)
    if isinstance(node, exp.PercentileCont) and node.expression is not None:
        return _quantile(node.expression, node.this)
    if isinstance(node, exp.Median):
        return _quantile(exp.Literal.number("0.5"), node.this)
    return None


def _replaced(node: exp.RegexpReplace, zone: str) -> exp.Expr:
    """DuckDB replaces the first match, and all of them where its options hold a g."""
    options = node.args.get("modifiers")
    name = "replaceRegexpAll" if options is not None and "g" in options.name else "replaceRegexpOne"
    return _func(name, node.this.transform(_rewritten, zone, copy=False), node.expression, node.args["replacement"])


def _quantile(share: exp.Expr, of: exp.Expr) -> exp.Expr:
    """ClickHouse's own ``quantile`` samples; this one is exact and interpolates as DuckDB's does."""
    return exp.ParameterizedAgg(this="quantileExactInclusive", expressions=[share], params=[of])


def _to_moment(of: exp.Expr, zone: str) -> exp.Expr:
    if isinstance(of, exp.Literal) and of.is_string:
        try:
            found = datetime.fromisoformat(of.this)
            return _moment(found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone)), zone)
        except ValueError:
            pass  # ClickHouse says what is wrong with it
    return _func("toDateTime64", of, exp.Literal.number(6), exp.Literal.string(zone))


def _func(name: str, *of: exp.Expr) -> exp.Expr:
    """A call that takes its arguments' place in the tree: copying them at each level costs most of a translation."""
    return exp.func(name, *of, copy=False)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", maxsplit=1)[0].rstrip(".")
