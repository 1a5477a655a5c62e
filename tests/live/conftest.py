"""A real Redis for each test that asks for one, and hot stores on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, with 64 MB."""
    with RedisServer(tmp_path / "redis") as server:
        yield server
