"""Fixtures: an empty lake, and a writer that puts rows into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.lake.writer import Writer

from logshed.lake.batch import new_batch
from logshed.lake.store import Store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "lake", create=True)


@pytest.fixture
def writer(store: Store) -> Writer:
    return Writer(store)


@pytest.fixture
def batch() -> str:
    return new_batch()
