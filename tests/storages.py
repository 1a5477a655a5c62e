"""Storages and catalogs that tests start and end, on loopback: real servers, each with what a lake needs to use it."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from tests.ports import free_port
from tests.servers import PATH, found

if TYPE_CHECKING:
    from collections.abc import Mapping

BUCKET = "lakes-of-tests"
KEY, SECRET = "AKIDOFTESTS", "thesecretoftests"
PASSWORD = "pw-of-tests"  # noqa: S105 - of a server that lives for a test
START_S = 90


def as_toml(tables: Mapping[str, Mapping[str, str]]) -> str:
    """A settings file with some tables of texts."""
    lines = [
        f"[{table}]\n" + "".join(f'{key} = "{one}"\n' for key, one in keys.items()) for table, keys in tables.items()
    ]
    return "".join(lines)


class Server:
    """A process that listens.

    Attributes:
        port: Where.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def words(self) -> list[str]:
        """What starts it."""
        raise NotImplementedError

    def ready(self) -> bool:
        """Whether it answers."""
        with socket.socket() as one:
            one.settimeout(1)
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def start(self, **options: Any) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.words(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, **options
            )
        end = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < end:
            if self.ready():
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text(errors="replace")[-3000:])

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class S3(Server):
    """An S3 server (moto), which also answers for Glue."""

    def words(self) -> list[str]:
        """What starts it."""
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, kind: str = "s3") -> Any:
        """A plain client of it."""
        import boto3  # noqa: PLC0415 - a second

        return boto3.client(
            kind, endpoint_url=self.url, aws_access_key_id=KEY, aws_secret_access_key=SECRET, region_name="us-east-1"
        )

    def storage(self, prefix: str) -> dict[str, str]:
        """Settings of a storage on it."""
        return {
            "warehouse": f"s3://{BUCKET}/{prefix}",
            "endpoint": self.url,
            "region": "us-east-1",
            "access_key": KEY,
            "secret_key": SECRET,
        }

    def start(self, **options: Any) -> None:
        """Start it, with a bucket."""
        super().start(**options)
        self.client().create_bucket(Bucket=BUCKET)


class Postgres(Server):
    """A PostgreSQL with one user and a password."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._bin = Path(_postgres_program())
        self._as = _unprivileged(folder)
        (folder / "password").write_text(PASSWORD)
        _made(
            [self._bin.with_name("initdb"), "-D", folder / "data", "-U", "logshed", "-A", "scram-sha-256",
             "--pwfile", folder / "password", "-N", "--no-instructions"],
            **self._as,
        )  # fmt: skip

    def words(self) -> list[str]:
        """What starts it."""
        fast = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
        options = [word for one in fast for word in ("-c", one)]
        data, port = str(self.folder / "data"), str(self.port)
        return [str(self._bin), "-D", data, "-p", port, "-k", str(self.folder), "-h", "127.0.0.1", *options]

    def start(self, **options: Any) -> None:
        """Start it and wait until it takes connections."""
        super().start(**self._as, **options)

    def ready(self) -> bool:
        """Whether it takes connections."""
        import psycopg2  # noqa: PLC0415 - where it is tested alone

        try:
            psycopg2.connect(
                host="127.0.0.1", port=self.port, user="logshed", password=PASSWORD, dbname="postgres"
            ).close()
        except psycopg2.OperationalError:
            return False
        return True

    def catalog(self, name: str) -> dict[str, str]:
        """Settings of a catalog in it."""
        return {
            "type": "sql",
            "uri": f"postgresql+psycopg2://logshed@127.0.0.1:{self.port}/postgres",
            "password": PASSWORD,
            "name": name,
        }


def _postgres_program() -> str:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    return str(installed[-1]) if installed else found("postgres", "postgresql")


def _made(words: list[Any], **options: Any) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def _unprivileged(folder: Path) -> dict[str, Any]:
    """PostgreSQL and MariaDB refuse to run as root: then they run as nobody, in a folder of nobody's."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "env": {"PATH": PATH, "HOME": str(folder), "LC_ALL": "C"}}


class Maria(Server):
    """A MariaDB with one user and a password."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._program = found("mariadbd", "mariadb-server")
        self._as = _unprivileged(folder)
        install = found("mariadb-install-db", "mariadb-server")
        _made(
            [install, "--no-defaults", f"--datadir={folder / 'data'}", "--auth-root-authentication-method=normal",
             "--skip-test-db", f"--tmpdir={folder}"],
            **self._as,
        )  # fmt: skip
        made = [
            "CREATE DATABASE lake",
            f"CREATE USER logshed@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
            "GRANT ALL ON lake.* TO logshed@'127.0.0.1'",
        ]
        (folder / "init.sql").write_text(";\n".join(made) + ";\n")

    def words(self) -> list[str]:
        """What starts it."""
        return [
            self._program, "--no-defaults", f"--datadir={self.folder / 'data'}", f"--socket={self.folder / 's'}",
            f"--pid-file={self.folder / 'pid'}", f"--port={self.port}", "--bind-address=127.0.0.1",
            f"--init-file={self.folder / 'init.sql'}", "--skip-name-resolve=0", "--innodb-buffer-pool-size=16M",
        ]  # fmt: skip

    def start(self, **options: Any) -> None:
        """Start it and wait until it takes connections."""
        super().start(**self._as, **options)

    def ready(self) -> bool:
        """Whether it takes connections."""
        import pymysql  # noqa: PLC0415 - where it is tested alone

        try:
            pymysql.connect(
                host="127.0.0.1", port=self.port, user="logshed", password=PASSWORD, database="lake"
            ).close()
        except pymysql.err.OperationalError:
            return False
        return True

    def catalog(self, name: str) -> dict[str, str]:
        """Settings of a catalog in it."""
        uri = f"mysql+pymysql://logshed@127.0.0.1:{self.port}/lake"
        return {"type": "sql", "uri": uri, "password": PASSWORD, "name": name}


class Azurite(Server):
    """Azure's own emulator of its storage."""

    ACCOUNT = "devstoreaccount1"
    # The key that the emulator's documentation gives to everybody.
    PUBLIC_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

    def words(self) -> list[str]:
        """What starts it."""
        program = shutil.which("azurite-blob", path=PATH)
        if program is None:
            pytest.skip("needs azurite-blob: npm install -g azurite")
        return [
            program, "--inMemoryPersistence", "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "--silent",
            "--skipApiVersionCheck", "--disableTelemetry",
        ]  # fmt: skip

    def start(self, **options: Any) -> None:
        """Start it, with a container."""
        from azure.storage.blob import BlobServiceClient  # noqa: PLC0415 - where it is tested alone

        super().start(**options)
        with BlobServiceClient(f"http://127.0.0.1:{self.port}/{self.ACCOUNT}", credential=self.PUBLIC_KEY) as client:
            client.create_container(BUCKET)

    def storage(self, prefix: str) -> dict[str, str]:
        """Settings of a storage on it."""
        return {
            "warehouse": f"abfss://{BUCKET}@{self.ACCOUNT}.dfs.core.windows.net/{prefix}",
            "endpoint": f"http://127.0.0.1:{self.port}",
            "access_key": self.PUBLIC_KEY,
        }


class Google(Server):
    """An emulator of Google's storage; it keeps no promise about writes that only the first of several can do."""

    def words(self) -> list[str]:
        """What starts it."""
        made = f"create_server('127.0.0.1', {self.port}, in_memory=True, default_bucket='{BUCKET}').run()"
        return [sys.executable, "-c", f"from gcp_storage_emulator.server import create_server; {made}"]

    def storage(self, prefix: str) -> dict[str, Any]:
        """Settings of a storage on it."""
        return {
            "warehouse": f"gs://{BUCKET}/{prefix}",
            "endpoint": f"http://127.0.0.1:{self.port}",
            "anonymous": True,
        }


class Rest(Server):
    """A REST catalog (``tests.rest_catalog``) whose tables lie on an S3 server.

    Args:
        folder: Where its own database lies.
        s3: Where it reads and writes metadata.
    """

    def __init__(self, folder: Path, s3: S3) -> None:
        super().__init__(folder)
        self._s3 = s3

    def words(self) -> list[str]:
        """What starts it."""
        script = Path(__file__).with_name("rest_catalog.py")
        return [sys.executable, str(script), str(self.port), str(self.folder / "catalog.db"), self._s3.url, KEY, SECRET]

    def catalog(self, name: str) -> dict[str, Any]:
        """Settings of the catalog, with a namespace of the test's own."""
        return {
            "type": "rest",
            "uri": f"http://127.0.0.1:{self.port}",
            "namespace": name,
            "properties": {"token": PASSWORD},
        }
