"""An S3 server (moto) for these tests, and a proxy before it that throttles and cuts connections."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from tests.object_servers import FaultyProxy
from tests.storages import KEY, S3, SECRET

from logshed.api import Lake
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with S3(tmp_path_factory.mktemp("moto")) as one:
        yield one


@pytest.fixture
def s3(server: S3, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of the server, as another tool would use; the bucket ``logs-bucket`` is new in each test."""
    environment = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"{server.url}/moto-api/reset", method="POST")).close()  # noqa: S310
    client = server.client()
    client.create_bucket(Bucket="logs-bucket")
    return client


@pytest.fixture
def proxy(server: S3) -> Iterator[FaultyProxy]:
    with FaultyProxy(server.port) as between:
        yield between


@pytest.fixture
def settings(tmp_path: Path, proxy: FaultyProxy) -> Settings:
    return Settings.load(tmp_path, environ={"LOGSHED_OBJECTS_ENDPOINT": proxy.url})


@pytest.fixture
def lake(tmp_path: Path, settings: Settings) -> Lake:
    return Lake.open(tmp_path / "lake", create=True, settings=settings)
