"""Attempts of one task do each other no harm, and one that fails leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.pipeline.samples import accesses

from logshed.api import Lake
from logshed.engines.local import LocalEngine
from logshed.errors import LakeError
from logshed.pipeline.ingest import Ingest
from logshed.pipeline.planning import Options
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from logshed.engines import Done


class Speculative(LocalEngine):
    """Begins every task a second time before the first one's outcome is told, and ends it while it writes."""

    def run(self, task: Any, items: Iterable[Any]) -> Iterator[Done[Any, Any]]:
        """Run it."""
        for done in super().run(task, items):
            for piece in task(done.item):
                for file in piece.data_files:
                    Path(file.path).write_bytes(b"PAR1")
            yield done


def test_a_second_attempt_that_is_ended_while_it_writes_spoils_no_file_of_the_first(tmp_path: Path) -> None:
    (tmp_path / "access.log").write_text(accesses(0, 50))
    settings = Settings.model_validate({})
    lake = Lake.open(tmp_path / "lake", create=True, settings=settings)
    Ingest(lake._opened(), settings, Options(), Speculative(1)).run([str(tmp_path / "access.log")])
    for table in ("lines", "logs"):
        assert lake.query(f"SELECT count(*) FROM {table}").rows() == [(50,)]
    assert lake.audit().ok


def test_a_task_that_fails_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "access.log").write_text(accesses(0, 50))
    lake = Lake.open(tmp_path / "lake", create=True, settings=Settings.model_validate({}))
    written: list[Path] = []

    def full(at: str) -> None:
        if at == "before silver file":
            written.extend((tmp_path / "lake").rglob("*.parquet"))
            raise LakeError("cannot write: the disk is full")

    monkeypatch.setattr("logshed.lake.steps.passed", full)
    with pytest.raises(LakeError, match="disk is full"):
        lake.ingest([tmp_path / "access.log"])
    assert written
    assert not [path for path in written if path.exists()]
