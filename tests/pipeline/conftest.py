"""Fixtures: a lake through its Python interface, and files to put into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from logshed.api import Lake
from logshed.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(tmp_path, environ={})


@pytest.fixture
def lake(tmp_path: Path, settings: Settings) -> Lake:
    return Lake.open(tmp_path / "lake", create=True, settings=settings)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder
