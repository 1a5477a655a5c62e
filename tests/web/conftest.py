"""One lake of the sample logs and one server a process for these tests; whoever changes a lake makes their own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser import launched
from tests.web_server import web_server

from logshed.api import Lake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The sample logs: access.log in the collection ``web``, the others in ``app``."""
    lake = Lake.open(tmp_path_factory.mktemp("web") / "lake", create=True)
    lake.ingest([EXAMPLES / "access.log"], collection="web")
    lake.ingest([EXAMPLES / name for name in ("app.jsonl", "auth.log", "docker-json.log")], collection="app")
    return lake


@pytest.fixture(scope="session")
def served(sample_lake: Lake) -> Iterator[str]:
    """The address of a server that lets in whoever is on this machine."""
    with web_server(sample_lake) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser."""
    with launched() as opened:
        yield opened
