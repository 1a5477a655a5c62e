"""What the tests of sources share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from logshed.sources import files
from logshed.sources.lines import SCHEMA
from logshed.work import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from logshed.sources.model import Identity, Target
    from logshed.sources.reading import Reading
    from logshed.work import Split


class Reader:
    """Reads files as an ingest does, remembering how far it came."""

    def __init__(self) -> None:
        self.ledger: list[Checkpoint] = []

    def target(self, path: Path) -> Target:
        """What discovery says of a file."""
        found = files.discover([str(path)])
        assert not found.problems
        return found.targets[0]

    def identify(self, path: Path) -> Identity:
        """What a file is by what was read so far."""
        return files.identify(self.target(path), self.ledger)

    def lines(self, split: Split, **sizes: int) -> tuple[list[tuple[object, ...]], Reading]:
        """The lines that begin in a split."""
        with files.read(split, **sizes) as reading:
            frames = []
            for frame in reading:
                frames.append(frame)
                if frame["offset"][-1] >= split.end:
                    break
        frame = pl.concat([pl.DataFrame(schema=SCHEMA), *frames]).filter(pl.col("offset") < split.end)
        return frame.rows(), reading

    def ingest(self, *paths: Path, final: bool = False, meanwhile: Callable[[], object] | None = None) -> list[str]:
        """The new lines of some files; the ledger moves on. ``meanwhile`` happens once the files were looked at."""
        found = files.discover([str(path) for path in paths])
        if meanwhile is not None:
            meanwhile()
        texts = []
        for target, identity in files.identify_all(found.targets, self.ledger):
            for split in files.plan(target, identity, format="x", final=final):
                rows, reading = self.lines(split)
                texts += [str(row[0]) for row in rows]
                self._remember(split, reading)
        return texts

    def _remember(self, split: Split, reading: Reading) -> None:
        key = (split.source, split.generation)
        self.ledger = [one for one in self.ledger if (one.source, one.generation) != key]
        head = (split.head_size, split.head_hash)
        tail = (reading.tail_size, reading.tail_hash)
        self.ledger.append(Checkpoint(*key, reading.end, *head, *tail, split.inode))


@pytest.fixture(scope="session")
def new_reader() -> type[Reader]:
    """For tests that need one an example."""
    return Reader


@pytest.fixture
def reader() -> Reader:
    return Reader()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes | Sequence[str]], Path]:
    """Writes a file below the test's folder: bytes, or lines."""

    def written(name: str, content: bytes | Sequence[str]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else "".join(f"{line}\n" for line in content).encode())
        return path

    return written


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder for logs."""
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder
