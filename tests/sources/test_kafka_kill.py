"""A follower of topics that is killed again and again has every message in the lake once."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.kafka_servers import Broker

from logshed.api import Lake

if TYPE_CHECKING:
    from pathlib import Path

    from tests.started import Starter

KILLS = 12
MESSAGES = 40_000


@pytest.mark.soak
def test_a_follower_that_is_killed_at_any_moment_loses_and_doubles_nothing(
    tmp_path: Path, starter: Starter, environment: dict[str, str]
) -> None:
    chance = random.Random(20261126)  # noqa: S311 - the same moments each time
    with Broker(tmp_path / "broker") as broker:
        broker.create("numbers", 3)

        def write() -> None:
            for start in range(0, MESSAGES, 200):
                values = [b"number=%d" % number for number in range(start, start + 200)]
                broker.send("numbers", values, partition=start // 200 % 3)
                time.sleep(0.15)

        writer = threading.Thread(target=write)
        writer.start()
        for _ in range(KILLS):
            words = ["ingest", "--follow", "--every", "0.1", broker.url("numbers")]
            process = starter.open(words, tmp_path, environment)
            time.sleep(chance.uniform(0.5, 4))
            os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
        writer.join()
        lake = Lake.open(tmp_path / "logshed-lake")
        lake.ingest([broker.url("numbers")])
        found = lake.query("SELECT count(*), count(DISTINCT body), count(DISTINCT batch) FROM logs").rows()
    assert found[0][:2] == (MESSAGES, MESSAGES)
    assert found[0][2] > KILLS // 2
    assert lake.audit().ok
