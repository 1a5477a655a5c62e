"""Data sets of Ray whose rows are read by tasks of ours."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from logshed.errors import EngineError

try:
    import ray
    from ray.data import Dataset, Datasource, ReadTask
    from ray.data.block import BlockMetadata
except ImportError as error:
    raise EngineError(f"cannot read on Ray: {error.name} is not installed; pip install 'logshed[ray]'") from error

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa
    from ray.data import DataContext


class Pieces(Protocol):
    """Work that can be had in fewer pieces."""

    @property
    def pieces(self) -> Sequence[Any]:
        """All of it."""
        ...

    @property
    def sizes(self) -> Sequence[int]:
        """Bytes of each on disk, about."""
        ...

    @property
    def read(self) -> Any:
        """Reads a piece; ``schema`` is that of its tables."""
        ...

    @property
    def bytes(self) -> int:
        """Bytes of all in memory, about."""
        ...

    def at_most(self, count: int) -> Pieces:
        """The same in at most so many pieces."""
        ...


class LogsDatasource(Datasource):
    """One read task a piece; Ray cuts what it gives into blocks of ``target_max_block_size``.

    Args:
        work: The pieces.
    """

    def __init__(self, work: Pieces) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._work = work

    def get_name(self) -> str:
        """What its tasks are called in progress bars."""
        return "Logs"

    def estimate_inmemory_data_size(self) -> int:
        """Bytes in memory, about."""
        return self._work.bytes

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: DataContext | None = None
    ) -> list[ReadTask]:
        """The tasks, at most as many as are asked for."""
        del data_context
        work = self._work.at_most(parallelism)
        share = work.bytes / max(sum(work.sizes), 1)
        read = ray.put(work.read)  # policy and formats are half a megabyte, and there may be thousands of tasks
        return [
            ReadTask(
                partial(_read, read, piece),
                BlockMetadata(num_rows=None, size_bytes=int(size * share), exec_stats=None),
                schema=work.read.schema,
                per_task_row_limit=per_task_row_limit,
            )
            for piece, size in zip(work.pieces, work.sizes, strict=True)
        ]


def _read(read: Any, piece: Any) -> Iterable[pa.Table]:
    """Read a piece in a worker."""
    rows: Iterable[pa.Table] = ray.get(read)(piece)
    return rows


def dataset(work: Pieces, **reading: Any) -> Dataset:
    """The rows of some pieces as a data set; nothing is read before it is consumed.

    Args:
        work: The pieces.
        reading: ``override_num_blocks``, ``concurrency``, ``num_cpus``, ``memory`` and what else
            ``ray.data.read_datasource`` takes.
    """
    found: Dataset = ray.data.read_datasource(LogsDatasource(work), **reading)
    return found
