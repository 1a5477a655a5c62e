"""One contract for the stores of three clouds: what is uploaded is what is listed, read and ingested, exactly once."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest
from tests import storages
from tests.pipeline.samples import accesses

from logshed.api import Lake
from logshed.buckets import Address
from logshed.pipeline.uploading import Uploader, destination
from logshed.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from logshed.pipeline.uploading import Upload


@pytest.fixture(
    params=[storages.S3, storages.Azurite, pytest.param(storages.Google, marks=pytest.mark.soak)],
    ids=lambda kind: kind.__name__,
)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[storages.Server]:
    with request.param(tmp_path / "server") as server:
        yield server


def test_what_is_uploaded_is_read_exactly_once_also_when_it_grows(store: Any, tmp_path: Path) -> None:
    given = store.storage("logs")
    warehouse = given.pop("warehouse")
    settings = Settings.load(tmp_path, environ={f"LOGSHED_STORAGE_{name.upper()}": str(given[name]) for name in given})
    local = tmp_path / "up"
    local.mkdir()
    (local / "a b#.log").write_text(accesses(0, 300))
    (local / "c.log.gz").write_bytes(gzip.compress(accesses(300, 500).encode()))
    (local / "big.log").write_text(accesses(1000, 3000) + "#" * 9_000_000 + "\n")

    def upload(**options: Any) -> list[Upload]:
        done = Uploader(settings, raw=True, **options).run(local, destination(Address.parse(warehouse), local))
        assert not done.problems
        return done.files

    assert [one.status for one in upload()] == ["uploaded"] * 3
    assert [one.status for one in upload()] == ["already there"] * 3
    lake = Lake.open(tmp_path / "lake", create=True, settings=settings)
    assert lake.ingest([warehouse]).totals.read == 2501
    assert {one.status for one in lake.ingest([warehouse]).files} == {"unchanged"}
    (local / "a b#.log").write_text(accesses(0, 310))
    assert [one.status for one in upload(force=True)] == ["uploaded", "already there", "already there"]
    assert lake.ingest([f"{warehouse}/a*"], format="apache_combined").totals.read == 10
    names = lake.query('SELECT DISTINCT "source" FROM lines ORDER BY 1').rows()
    assert names == [(f"{Address.parse(warehouse)}/{name}",) for name in ("a b#.log", "big.log", "c.log.gz")]
    missing = warehouse.replace(storages.BUCKET, "no-such-bucket")
    assert "no such" in lake.ingest([f"{missing}/"]).files[0].error
