"""A real Hive Metastore for tests, on loopback: it is among the jars that PySpark brings; Derby keeps its tables."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.storages import Server

OPENED = ("java.base/java.lang", "java.base/java.net", "java.base/java.util")


class Hive(Server):
    """A Hive Metastore (Thrift). Its Hive is a 2, which has no type for instants: PyIceberg must be told.

    It looks whether a table's place is there, and has no driver of S3: its lakes lie in a folder.
    """

    def words(self) -> list[str]:
        """What starts it."""
        found, java = find_spec("pyspark"), shutil.which("java")
        if found is None or found.origin is None or java is None:
            pytest.skip("needs Java and PySpark")
        jars = Path(found.origin).parent / "jars"
        return [
            java, *(f"--add-opens={one}=ALL-UNNAMED" for one in OPENED), "-Xmx256m", f"-Djava.io.tmpdir={self.folder}",
            f"-Duser.name=tests{self.port}", "-cp", f"{self.folder}:{jars}/*",
            "org.apache.hadoop.hive.metastore.HiveMetaStore", "-p", str(self.port),
        ]  # fmt: skip

    def start(self, **options: Any) -> None:
        """Start it, with the tables of its locks, which it makes only when it is told that it is tested."""
        from hive_metastore.ttypes import ShowLocksRequest  # noqa: PLC0415 - where it is tested alone
        from pyiceberg.catalog.hive import HiveCatalog  # noqa: PLC0415 - a second

        self._settings(tested=True)
        super().start(**options)
        with HiveCatalog("first", uri=self.uri)._client as client:
            client.show_locks(ShowLocksRequest())
        self.stop()
        # Killed, it could not take them away, and it would not begin beside another.
        for lock in (self.folder / "tables").glob("*.lck"):
            lock.unlink()
        self._settings(tested=False)
        super().start(**options)

    def _settings(self, *, tested: bool) -> None:
        values = {
            "javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={self.folder}/tables;create=true",
            "javax.jdo.option.ConnectionDriverName": "org.apache.derby.jdbc.EmbeddedDriver",
            "datanucleus.schema.autoCreateAll": "true",
            "datanucleus.connectionPoolingType": "HikariCP",
            "hive.metastore.schema.verification": "false",
            "hive.metastore.warehouse.dir": (self.folder / "warehouse").as_uri(),
            "hive.async.log.enabled": "false",
            "hive.in.test": str(tested).lower(),
        }
        lines = (f"<property><name>{name}</name><value>{value}</value></property>" for name, value in values.items())
        (self.folder / "hive-site.xml").write_text(f"<configuration>{''.join(lines)}</configuration>")

    @property
    def uri(self) -> str:
        """Its address."""
        return f"thrift://127.0.0.1:{self.port}"

    def catalog(self, name: str) -> dict[str, Any]:
        """Settings of a catalog in it."""
        return {"type": "hive", "uri": self.uri, "namespace": name, "properties": {"hive.hive2-compatible": "true"}}
