"""Reads splits to rows of ``logs`` in any process, as an ingest does."""

from __future__ import annotations

import pickle
from functools import lru_cache
from typing import TYPE_CHECKING, cast

import polars as pl

from logshed import buckets
from logshed.engines.parcel import assert_same, versions
from logshed.errors import SourceError
from logshed.formats import registry
from logshed.pipeline.stages import Stages
from logshed.pipeline.together import alike, joiner_of, opened, read_whole, records, refined
from logshed.schema import SILVER, polars_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from logshed.buckets import Access
    from logshed.pipeline.job import Job
    from logshed.pipeline.together import Read
    from logshed.work import Split


class Rows:
    """Reads pieces to rows of ``logs``; picklable.

    Args:
        job: The policy, formats, sizes.
        access: How object stores are reached.
        columns: The columns, in order.
        names: What files may be called in errors, by their locators.
    """

    def __init__(self, job: Job, access: Access, columns: Sequence[str], names: Mapping[str, str]) -> None:
        # packed once: each piece travels with it, and a process that knows the bytes has it open already
        self._packed = pickle.dumps((job, access))
        self._versions = versions()
        self._columns = list(columns)
        self._names = dict(names)

    @property
    def schema(self) -> pa.Schema:
        """The schema of the tables."""
        schema = polars_schema(SILVER)
        return pl.DataFrame(schema={name: schema[name] for name in self._columns}).to_arrow().schema

    def __call__(self, piece: Sequence[Split]) -> Iterator[pa.Table]:
        """The rows of a piece, a table of at most ``batch_bytes`` of text in hand at a time.

        Raises:
            SourceError: A file cannot be read, or not to its end.
            EngineError: The driver has another version of Python or Logshed.
        """
        assert_same(*self._versions)
        job, access = _unpacked(self._packed)
        buckets.use(access)
        try:
            for group in alike(job, piece):
                for logs in _together(job, group) if len(group) > 1 else _alone(job, group[0]):
                    yield logs.select(self._columns).to_arrow()
        except SourceError as error:
            raise SourceError(self._told(str(error))) from None

    def _told(self, text: str) -> str:
        for locator, name in self._names.items():
            text = text.replace(locator, name)
        return text


@lru_cache(maxsize=4)
def _unpacked(packed: bytes) -> tuple[Job, Access]:
    return cast("tuple[Job, Access]", pickle.loads(packed))  # noqa: S301 - from our own driver


def _together(job: Job, group: Sequence[Split]) -> Iterator[pl.DataFrame]:
    read = [read_whole(job, split) for split in group]
    for one in read:
        _assert_whole(one)
    for _, _, found in refined(job, read):
        yield found.logs


def _alone(job: Job, split: Split) -> Iterator[pl.DataFrame]:
    stages = Stages(job, split)
    with opened(job, split) as reading:
        for frame in records(reading, split, joiner_of(reading, split, registry.load(job.plugins))):
            yield stages.refine(frame).logs
    if reading.problem:
        raise SourceError(reading.problem)


def _assert_whole(read: Read) -> None:
    if read.reading.problem:
        raise SourceError(read.reading.problem)
