"""Says which fields the records of a window have, how many values each, and the most frequent ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from logshed.pipeline.explore import as_text
from logshed.schema import SILVER, UNMAPPED
from logshed.search import sql, statements
from logshed.search.fields import ALIASES, LEVEL, field

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from logshed.pipeline.explore import Query, Window
    from logshed.search.fields import FieldKind

TOP = 10
MOST_VALUES = 100_000
"""A field with more values than this has no frequent ones that are worth counting all for."""
MOST_SETS = 40
MOST_KEYS = 200
UNIQUE = 1_000_000
"""Above so many values the most frequent ones are found by a sketch; their counts are exact all the same."""
_SHORT = {column: short for short, column in reversed(ALIASES.items())}
_UNCOUNTED = {"timestamp", "observed_timestamp", "body", "generation", "offset", "item", "batch", UNMAPPED}
_UNCOUNTED |= {"trace_id", "span_id", "exception_stacktrace"}
"""Columns whose values say nothing by their frequency."""


class Known(NamedTuple):
    """A field that some record of the window has.

    Attributes:
        name: Its name in a search, the short one where there is one.
        column: Its column; None of an attribute.
        kind: How its values are compared.
        meaning: What it holds; empty of an attribute.
        records: How many records have it.
        values: About how many different values it has; None where they were not counted.
    """

    name: str
    column: str | None
    kind: FieldKind
    meaning: str
    records: int
    values: int | None


class Values(NamedTuple):
    """The most frequent values of a field.

    Attributes:
        name: The field.
        records: How many records have it.
        top: The values, each with its number of records, most frequent first.
        exact: Whether no other value can be more frequent.
    """

    name: str
    records: int
    top: list[tuple[str, int]]
    exact: bool = True


def known(query: Query, window: Window) -> tuple[int, list[Known]]:
    """How many records there are, and the fields that they have: columns in one pass, then the keys of attributes.

    Args:
        query: Runs a statement.
        window: Which records.
    """
    columns = [column for column in SILVER if column.name != UNMAPPED]
    counted = [column.name for column in columns if column.name not in _UNCOUNTED]
    parts = [f"count({sql.quoted(column.name)})" for column in columns]
    parts += [f"approx_count_distinct({sql.quoted(name)})" for name in counted]
    (row,) = query(f"SELECT count(*), {', '.join(parts)} FROM logs WHERE {window.seen.where}").rows()
    total, present, distinct = (
        row[0],
        row[1 : 1 + len(columns)],
        dict(zip(counted, row[1 + len(columns) :], strict=True)),
    )
    found = [
        Known(
            short(column.name), column.name, field(column.name).kind, column.meaning, records, distinct.get(column.name)
        )
        for column, records in zip(columns, present, strict=True)
        if records
    ]
    level = next((one for one in found if one.column == "severity_number"), None)
    if level is not None:
        found.insert(
            0, Known(LEVEL, None, "level", "the level, whatever the log calls it", level.records, level.values)
        )
    return total, found + list(_attributes(query, window))


def _attributes(query: Query, window: Window) -> Iterator[Known]:
    where = window.seen.and_(f"{UNMAPPED} IS NOT NULL").where
    keys = f"SELECT unnest(map_keys({UNMAPPED})) AS name FROM logs WHERE {where}"
    rows = query(f"SELECT name, count(*) FROM ({keys}) GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_KEYS}").rows()
    for key, records in rows:
        yield Known(attribute(key), None, "attribute", "", records, None)


def facets(query: Query, window: Window, names: Sequence[str], top: int = TOP) -> list[Values]:
    """The most frequent values of several fields, counted in one pass.

    Args:
        query: Runs a statement.
        window: Which records.
        names: The fields, ``MOST_SETS`` at most; the others are left out.
        top: Values of each.

    Raises:
        UsageError: There is no such field.
    """
    chosen = statements.fields(names[:MOST_SETS])
    if not chosen:
        return []
    inner = ", ".join(f"{as_text(one)} AS f{place}" for place, one in enumerate(chosen))
    labels = [f"f{place}" for place in range(len(chosen))]
    which = " ".join(f"WHEN grouping({label}) = 0 THEN {place}" for place, label in enumerate(labels))
    rows = query(
        f"SELECT CASE {which} END AS which, coalesce({', '.join(labels)}) AS value, count(*) AS n\n"
        f"FROM (SELECT {inner} FROM logs WHERE {window.seen.where})\n"
        f"GROUP BY GROUPING SETS ({', '.join(f'({label})' for label in labels)})\n"
        "QUALIFY value IS NULL OR row_number() OVER (PARTITION BY which, value IS NULL ORDER BY n DESC, value)"
        f" <= {top}\nORDER BY which, n DESC, value"
    ).rows()
    found: list[Values] = []
    totals = query(
        f"SELECT {', '.join(f'count({as_text(one)})' for one in chosen)} FROM logs WHERE {window.seen.where}"
    ).rows()[0]
    for place, name in enumerate(names[:MOST_SETS]):
        listed = [(str(value), count) for which, value, count in rows if which == place and value is not None]
        found.append(Values(name, totals[place], listed))
    return found


def values(query: Query, window: Window, name: str, text: str = "", top: int = TOP) -> Values:
    """The most frequent values of a field.

    Args:
        query: Runs a statement.
        window: Which records.
        name: The field.
        text: Only values with this in them, in small or capital letters.
        top: How many.

    Raises:
        UsageError: There is no such field.
    """
    (one,) = statements.fields([name])
    side = as_text(one)
    scope = window.seen.and_(f"{side} IS NOT NULL")
    records, distinct = query(f"SELECT count(*), approx_count_distinct({side}) FROM logs WHERE {scope.where}").rows()[0]
    if text:
        scope = scope.and_(f"contains(lower({side}), {sql.literal(text.lower())})")
    exact = distinct <= UNIQUE
    if not exact:
        ((likely,),) = query(f"SELECT approx_top_k({side}, {top}) FROM logs WHERE {scope.where}").rows()
        listed = ", ".join(sql.literal(str(value)) for value in likely or [])
        scope = scope.and_(f"{side} IN ({listed})" if listed else "false")
    rows = query(
        f"SELECT {side}, count(*) FROM logs WHERE {scope.where} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {top}"
    ).rows()
    return Values(name, records, [(str(value), count) for value, count in rows], exact)


def short(column: str) -> str:
    """The short name of a column in a search, or its own."""
    return _SHORT.get(column, column)


def names() -> list[str]:
    """The names of the fields whose values are worth counting."""
    return [LEVEL, *(short(column.name) for column in SILVER if column.name not in _UNCOUNTED)]


def attribute(key: str) -> str:
    """The name of an attribute in a search."""
    plain = key.replace("_", "a").replace("-", "a").replace(".", "a")
    if plain.isalnum() and key[:1].isalpha():
        return f"attributes.{key}"
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'attributes."{escaped}"'
