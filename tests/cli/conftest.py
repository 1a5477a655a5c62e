"""A lake of the sample logs, made once by the command itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.started import Starter

LOGS = ("access.log", "app.jsonl", "auth.log", "docker-json.log")


@pytest.fixture(scope="session")
def ingested(
    tmp_path_factory: pytest.TempPathFactory, examples: Path, environment: dict[str, str], starter: Starter
) -> subprocess.CompletedProcess[str]:
    """What ``logshed ingest`` of the sample logs came to; its working directory holds the lake."""
    folder = tmp_path_factory.mktemp("sample")
    words = ["ingest", *(str(examples / log) for log in LOGS)]
    done = starter.run(words, folder, {**environment, "LOGSHED_LAKE": str(folder / "lake")}, b"", timeout=120)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(scope="session")
def lake(ingested: subprocess.CompletedProcess[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the sample logs; only read it."""
    assert ingested.returncode == 0, ingested.stderr
    return next(tmp_path_factory.getbasetemp().glob("sample*/lake"))
