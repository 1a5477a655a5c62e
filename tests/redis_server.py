"""A Redis that a test starts and ends: on a socket in its folder, on loopback if asked for, with data that lasts."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Any, Self

import redis
from tests.ports import free_port
from tests.servers import found

from logshed.live.hot import HotStore
from logshed.live_settings import Live

if TYPE_CHECKING:
    from pathlib import Path

START_S = 60


class RedisServer:
    """A Redis.

    Args:
        folder: Where its data, socket and log lie.
        options: Lines of its configuration beside or over those that every one has.
    """

    def __init__(self, folder: Path, **options: str) -> None:
        self._program = found("redis-server", "redis-server")
        folder.mkdir()
        self.folder = folder
        self.port = free_port()
        self.options = {
            "port": str(self.port),
            "bind": "127.0.0.1",
            "dir": str(folder),
            "logfile": str(folder / "log"),
            "maxmemory": "64mb",
            "appendonly": "yes",
            "appendfsync": "always",
            "save": '""',
            **{name.replace("_", "-"): value for name, value in options.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    def live(self, **settings: Any) -> Live:
        """Settings of a hot store on it."""
        return Live.model_validate({"redis": self.url, "hours": 24 * 365, **settings})

    def hot(self, **settings: Any) -> HotStore:
        """A hot store on it."""
        return HotStore.open(self.live(**settings))

    def client(self) -> Any:
        """A plain client, as another tool would use."""
        return redis.Redis(port=self.port, password=self.options.get("requirepass"))

    @staticmethod
    def client_of(url: str) -> Any:
        """A plain client of a server somewhere."""
        return redis.Redis.from_url(url)

    def start(self) -> None:
        """Start it, with the data that it had."""
        words = [f"--{name} {value}" for name, value in self.options.items()]
        self._process = subprocess.Popen([self._program, *" ".join(words).split()], stdout=subprocess.DEVNULL)
        end = time.monotonic() + START_S
        while self._process.poll() is None and time.monotonic() < end:
            try:
                with self.client() as client:
                    client.ping()
            except redis.exceptions.RedisError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.folder / "log").read_text())

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
