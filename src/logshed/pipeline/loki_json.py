"""Puts answers into the forms of Loki's API: streams of lines, a matrix of series, a vector."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from logshed.errors import QueryError
from logshed.logql.labels import canonical

if TYPE_CHECKING:
    import pyarrow as pa

    from logshed.logql import Steps
    from logshed.logql.statements import Lines
    from logshed.sql.result import Result

MOST_POINTS = 1_000_000
"""Points of all series of an answer: more is read by nobody, and takes the memory of those who ask for less."""
MOST_SERIES = 2_000
"""Series of an answer; a panel with more shows nothing to anybody."""
_MICROSECONDS = 1_000_000


def streams(result: Result, asked: Lines, *, apart: bool) -> list[dict[str, Any]]:
    """Lines by their streams.

    Args:
        result: The lines, in their order.
        asked: What they were asked by.
        apart: Whether metadata stands with each line; else it is a part of its stream.
    """
    found: dict[tuple[tuple[str, str], ...], list[list[Any]]] = {}
    begin = 2
    ends = [begin + len(asked.streams), begin + len(asked.streams) + len(asked.made)]
    for batch in result.batches():
        columns = [column.to_pylist() for column in batch.columns]
        for row in zip(*columns, strict=True):
            stream = _there(asked.streams, row[begin : ends[0]])
            made = _there(asked.made, row[ends[0] : ends[1]])
            more = _there(asked.metadata, row[ends[1] : -1]) | _attributes(row[-1] or [], asked, {**stream, **made})
            value: list[Any] = [str(row[0] * 1000), row[1]]
            if apart:
                own = {name: part for name, part in (("structuredMetadata", more), ("parsed", made)) if part}
                value.append(own)
            else:
                stream = {**stream, **more, **made}
            found.setdefault(tuple(stream.items()), []).append(value)
    return [{"stream": dict(labels), "values": values} for labels, values in found.items()]


def _there(names: tuple[str, ...], values: tuple[Any, ...]) -> dict[str, str]:
    return {name: value for name, value in zip(names, values, strict=True) if value}


def _attributes(pairs: list[tuple[str, str | None]], asked: Lines, taken: dict[str, str]) -> dict[str, str]:
    """Attributes under names that LogQL can write; what the pipeline dropped is not told."""
    found = {}
    for key, value in pairs:
        name = label_of(key)
        if value and name not in taken and canonical(name) not in taken and asked.row.shows(name):
            found[name] = value
    return found


def label_of(key: str) -> str:
    """The label of an attribute's key: what a label cannot have is an underscore."""
    name = "".join(sign if sign.isascii() and (sign.isalnum() or sign == "_") else "_" for sign in key)
    return f"_{name}" if name[:1].isdigit() else name or "_"


def series(result: Result, names: tuple[str, ...]) -> list[tuple[dict[str, str], list[int], list[float]]]:
    """Each series: its labels, the numbers of its steps, its figures.

    Raises:
        QueryError: There are too many.
    """
    import polars as pl  # noqa: PLC0415 - heavy

    frame = pl.DataFrame(pl.from_arrow(_bounded(result), rechunk=False))
    keys = frame.columns[1:-1]
    if frame.is_empty():
        return []
    if keys:
        grouped = frame.group_by(keys, maintain_order=True).agg(pl.col("k"), pl.col("v"))
    else:
        grouped = frame.select(pl.col("k").implode(), pl.col("v").implode())
    if grouped.height > MOST_SERIES:
        raise QueryError(
            f"cannot tell {grouped.height:,} series: {MOST_SERIES:,} are the most; sum them by fewer labels"
        )
    return [(_there(names, tuple(row[:-2])), row[-2], row[-1]) for row in grouped.iter_rows()]


def _bounded(result: Result) -> pa.Table:
    """The points of all series; what is too much is not read to its end."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    parts: list[pa.RecordBatch] = []
    count = 0
    with result:
        for part in result.batches():
            count += part.num_rows
            if count > MOST_POINTS:
                raise QueryError(
                    f"cannot tell more than {MOST_POINTS:,} points; take a longer step, or sum by fewer labels"
                )
            parts.append(part)
    return pa.Table.from_batches(parts, result.schema)


def matrix(result: Result, names: tuple[str, ...], steps: Steps) -> list[dict[str, Any]]:
    """Series with a figure at each step that has one."""
    return [
        {"metric": labels, "values": [[_seconds(steps.at(k)), figure(v)] for k, v in zip(places, values, strict=True)]}
        for labels, places, values in series(result, names)
    ]


def vector(result: Result, names: tuple[str, ...], steps: Steps) -> list[dict[str, Any]]:
    """Series at one moment, the greatest first."""
    found = sorted(series(result, names), key=lambda one: math.inf if math.isnan(one[2][0]) else -one[2][0])
    return [{"metric": labels, "value": [_seconds(steps.start), figure(values[0])]} for labels, _, values in found]


def figure(value: float) -> str:
    """A figure as Loki writes it: never with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else f"{Decimal(repr(value)):f}"


def _seconds(microseconds: int) -> float:
    whole, rest = divmod(microseconds, _MICROSECONDS)
    return whole if not rest else microseconds / _MICROSECONDS
