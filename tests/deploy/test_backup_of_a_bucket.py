"""A lake on S3 with a catalog in PostgreSQL is backed up as docs/operations.md says, destroyed, and restored."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.deploy.test_backup import BATCH, grown, numbers, page, written_between
from tests.storages import BUCKET, KEY, PASSWORD, S3, SECRET, Postgres, as_toml

from logshed.api import Lake
from logshed.settings import Settings

BACKUP = "backups-of-tests"
TOOLS = ("aws", "pg_dump", "psql")


def opened(folder: Path, root: str) -> Lake:
    return Lake.open(folder / root, create=True, settings=Settings.load(folder, environ={}))


def as_the_page_says(name: str, folder: Path, s3: S3, postgres: Postgres, before: str = "") -> None:
    """Run a block of commands of the page."""
    environment = {
        "PATH": f"{before}{folder / 'bin'}:{os.environ['PATH']}",
        "WAREHOUSE": f"s3://{BUCKET}/lake",
        "BACKUP": f"s3://{BACKUP}/lake",
        "DATABASE": f"postgresql://logshed@127.0.0.1:{postgres.port}/postgres",
        "PGPASSWORD": PASSWORD,
        "AWS_ENDPOINT_URL": s3.url,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    words = ["bash", "-euo", "pipefail", "-c", page(name)]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.soak
def test_a_lake_in_a_bucket_is_restored_and_goes_on_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for tool in ("pg_dump", "psql"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}, which is not installed")
    (tmp_path / "bin").mkdir()
    aws = tmp_path / "bin" / "aws"
    aws.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("aws.py")} "$@"\n')
    aws.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with ExitStack() as stack:
        open_to_all = Path(stack.enter_context(TemporaryDirectory()))
        s3 = stack.enter_context(S3(tmp_path / "s3"))
        open_to_all.chmod(0o755)
        postgres = stack.enter_context(Postgres(open_to_all / "postgres"))
        s3.client().create_bucket(Bucket=BACKUP)
        (tmp_path / "logshed.toml").write_text(
            as_toml({"storage": s3.storage("lake"), "catalog": postgres.catalog("logshed")})
        )
        lake = opened(tmp_path, "here")

        def write() -> None:
            grown(tmp_path, 1)
            lake.ingest([tmp_path / "app.log"], format="json")

        write()
        with written_between(tmp_path, write, TOOLS) as tools:
            as_the_page_says("backup of a bucket", tmp_path, s3, postgres, tools)
        assert numbers(lake) == list(range(4 * BATCH)), "something was written before each of three steps"

        bucket = s3.client("s3")
        for one in bucket.list_objects_v2(Bucket=BUCKET)["Contents"]:
            bucket.delete_object(Bucket=BUCKET, Key=one["Key"])
        monkeypatch.setenv("PGPASSWORD", PASSWORD)
        drop = "DROP TABLE iceberg_tables, iceberg_namespace_properties"
        address = f"postgresql://logshed@127.0.0.1:{postgres.port}/postgres"
        subprocess.run(["psql", "-q", "-c", drop, address], check=True)
        as_the_page_says("restore of a bucket", tmp_path, s3, postgres)

        lake = opened(tmp_path, "another machine")
        assert numbers(lake) == list(range(3 * BATCH)), "the moment of the dump"
        write()
        lake.maintain(grace="0h", alone=True)
        lake = opened(tmp_path, "another machine")
        assert lake.audit().ok
        assert lake.verify().problems == ()
        assert numbers(lake) == list(range(5 * BATCH))
        assert lake.query("SELECT count(*) FROM logs").rows() == [(5 * BATCH,)]
