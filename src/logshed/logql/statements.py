"""The statements that a LogQL query runs: lines with their labels, series over time, lists of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logshed.logql import labels, ranges, rows, series
from logshed.logql.line import size
from logshed.logql.ranges import column
from logshed.search import sql
from logshed.search.model import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.logql.model import Log, Matcher, Metric
    from logshed.logql.ranges import Steps
    from logshed.logql.rows import Row

LINE, TIME, REST = "line", "ts", "rest"


@dataclass(frozen=True, slots=True)
class Lines:
    """What lines a query lists, and what of them is told.

    Attributes:
        condition: The condition on records.
        selected: What stands behind SELECT: the time in microseconds as ``ts``, ``line``, a column a label, one a
            column of metadata, and ``rest``, the attributes.
        streams: Labels of the streams, in the order of their columns.
        made: Labels that the pipeline made.
        metadata: Labels of the columns of metadata.
        row: What the pipeline made of a record.
    """

    condition: str
    selected: str
    streams: tuple[str, ...]
    made: tuple[str, ...]
    metadata: tuple[str, ...]
    row: Row


def lines(of: Log, text: str) -> Lines:
    """The lines that a query selects.

    Args:
        of: The query.
        text: Its text, for the error.

    Raises:
        logshed.errors.QueryError: Something in it is not supported.
    """
    try:
        row = rows.row(of)
    except Mistake as mistake:
        raise mistake.told(text) from None
    names = row.names()
    more = tuple(name for name in labels.metadata() if row.shows(name) and name not in row.made)
    shown = [f'epoch_us("timestamp") AS {TIME}', f"{row.line} AS {LINE}"]
    shown += [f"{row.label(name).text} AS {column(name)}" for name in names]
    shown += [f"CAST({sql.quoted(name)} AS VARCHAR) AS {sql.name('m:' + name)}" for name in more]
    shown.append(f"attributes AS {REST}")
    streams = tuple(name for name in names if name not in row.made)
    return Lines(row.where, ", ".join(shown), streams, tuple(row.made), more, row)


def metric(of: Metric, steps: Steps, text: str) -> tuple[str, tuple[str, ...]]:
    """The statement of a metric query, ordered by labels and steps, and the names of its labels.

    Raises:
        logshed.errors.QueryError: Something in it is not supported.
    """
    try:
        found = series.metric(of, steps)
    except Mistake as mistake:
        raise mistake.told(text) from None
    listed = "".join(f", nullif({column(name)}, '') AS {column(name)}" for name in found.labels)
    order = ", ".join([*(column(name) for name in found.labels), "k"])
    return f"SELECT k{listed}, v\nFROM ({found.sql})\nORDER BY {order}", found.labels


def window(matchers: Sequence[Matcher], since: int, until: int) -> str:
    """The condition that a time, in microseconds, and a selector make."""
    begin, end = (sql.time(ranges.moment(one)) for one in (since, until))
    parts = [f'"timestamp" >= {begin}', f'"timestamp" <= {end}']
    return " AND ".join([*parts, *(rows.matched(one) for one in matchers)])


def names_there(where: str) -> str:
    """Of each label of streams whether any record has it."""
    shown = ", ".join(f"count({labels.found(name).text}) > 0 AS {sql.name(name)}" for name in labels.streams())
    return f"SELECT {shown} FROM logs WHERE {where}"


def values_of(name: str, where: str, most: int) -> str:
    """The values of a label, in their order."""
    text = labels.found(name).text
    return f"SELECT DISTINCT {text} AS value FROM logs WHERE {where} AND {text} <> '' ORDER BY 1 LIMIT {most}"


def streams_there(where: str, most: int) -> str:
    """The streams that there are."""
    shown = ", ".join(f"{labels.found(name).text} AS {column(name)}" for name in labels.streams())
    return f"SELECT DISTINCT {shown} FROM logs WHERE {where} ORDER BY ALL LIMIT {most}"


def fields_there(where: str, sample: int, most: int) -> str:
    """The labels beside those of streams in some records: how many values each has, and whether all are numbers."""
    columns = ", ".join(
        f"{{'label': {sql.literal(name)}, 'value': CAST({sql.quoted(name)} AS VARCHAR)}}" for name in labels.metadata()
    )
    chosen = ", ".join(map(sql.quoted, labels.metadata()))
    return (
        f"WITH sample AS (SELECT {chosen}, attributes FROM logs WHERE {where} LIMIT {sample}),\n"
        f"fields AS (SELECT unnest([{columns}], recursive := true) FROM sample\n"
        "UNION ALL SELECT e.key AS label, e.value FROM (SELECT unnest(map_entries(attributes)) AS e FROM sample))\n"
        "SELECT label, count(DISTINCT value) AS n, bool_and(TRY_CAST(value AS DOUBLE) IS NOT NULL) AS number\n"
        f"FROM fields WHERE value <> '' GROUP BY label ORDER BY label LIMIT {most}"
    )


def sizes_of_streams(where: str) -> str:
    """Of each label of streams how many values it has."""
    shown = ", ".join(f"count(DISTINCT {labels.found(name).text}) AS {sql.name(name)}" for name in labels.streams())
    return f"SELECT {shown} FROM logs WHERE {where}"


def volume(names: Sequence[str], where: str, most: int) -> str:
    """About how many bytes of lines each value of some labels has, most first."""
    shown = "".join(f"{labels.found(name).text} AS {column(name)}, " for name in names)
    order = ", ".join(["v DESC", *map(column, names)])
    return f"SELECT {shown}sum({size()}) AS v FROM logs WHERE {where} GROUP BY ALL ORDER BY {order} LIMIT {most}"


def figures(where: str) -> str:
    """Streams, records and about the bytes of lines."""
    shown = ", ".join(labels.found(name).text for name in labels.streams())
    return (
        f"SELECT count(DISTINCT row({shown})) AS streams, count(*) AS entries, "
        f"coalesce(sum({size()}), 0) AS size FROM logs WHERE {where}"
    )
