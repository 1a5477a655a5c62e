"""A statement is ended before it gives its first row, by whoever was told that it is begun."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from logshed.api import Lake
from logshed.errors import QueryError
from logshed.sql import ending

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONG = "SELECT count(*) FROM range(100000000000) WHERE range % 7 = 3"


@pytest.mark.parametrize("sandbox", [False, True])
def test_a_statement_that_sums_up_much_is_ended_at_once(tmp_path: Path, *, sandbox: bool) -> None:
    lake = Lake.open(tmp_path / "lake", create=True)
    begun = threading.Event()
    ends: list[Callable[[], None]] = []

    def told(end: Callable[[], None], progress: Callable[[], float | None]) -> None:
        assert progress() is None or 0 <= progress() <= 1  # type: ignore[operator] # it is not None
        ends.append(end)
        begun.set()

    def ask() -> None:
        with ending.telling(told):
            lake.query(LONG, sandbox=sandbox).rows()

    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(ask)
        assert begun.wait(20)
        ends[0]()
        with pytest.raises(QueryError, match="cancelled"):
            asked.result(20)
