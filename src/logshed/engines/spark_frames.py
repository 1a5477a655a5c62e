"""Frames of Spark whose rows are read, or changed, by work of ours."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Protocol

from logshed.errors import EngineError

try:
    import pyspark  # noqa: F401 - tells early that it is missing
except ImportError as error:
    raise EngineError(f"cannot read on Spark: {error.name} is not installed; pip install 'logshed[spark]'") from error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

OUT_ROWS = 10_000
"""Rows of a batch that goes to Spark, as its own have at most."""


class Step(Protocol):
    """A change of frames."""

    def arrow(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Batches after it."""
        ...

    def schema_of(self, columns: pa.Schema) -> str:
        """What it makes of columns."""
        ...


def frame(
    spark: SparkSession, read: Callable[[Any], Iterable[pa.Table]], pieces: Sequence[Any], schema: str
) -> DataFrame:
    """The rows of some pieces as a frame, a partition each; nothing is read before it is consumed.

    Args:
        spark: The session.
        read: Reads a piece; picklable.
        pieces: The pieces.
        schema: The schema of their tables, as Spark writes it.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    count = max(len(pieces), 1)
    return spark.range(0, len(pieces), 1, count).mapInArrow(_reading(read, list(pieces)), schema)


def _reading(
    read: Callable[[Any], Iterable[pa.Table]], pieces: Sequence[Any]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def rows(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for place in batch.column(0).to_pylist():
                for table in read(pieces[place]):
                    yield from table.combine_chunks().to_batches(max_chunksize=OUT_ROWS)

    return rows


def changed(rows: DataFrame, steps: Sequence[Step]) -> DataFrame:
    """A frame after some steps, each with the schema that it makes of the frame's own."""
    for step in steps:
        rows = rows.mapInArrow(step.arrow, step.schema_of(rows.limit(0).toArrow().schema))
    return rows
