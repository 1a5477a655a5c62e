"""An acknowledgement is a promise: receivers and ingests are killed, disks fill up, and each record is there once."""

from __future__ import annotations

import logging
import random
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from tests.pipeline.test_hardship import small_disk  # noqa: F401 - a fixture
from tests.receive.killed import INGEST_STEPS, RECEIVER_STEPS
from tests.receive.promised import KINDS, Lines, Otlp
from tests.receive.shed import Shed, killed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.receive.promises import Client
    from tests.started import Process, Starter

log = logging.getLogger(__name__)

FEW = ("within append", "after fsync")
MANY, STEP_S = 30, 30.0
"""Kills at random, and how long a step is waited for."""


@pytest.fixture
def shed(starter: Starter, tmp_path: Path, environment: dict[str, str]) -> Iterator[Shed]:
    made = Shed(starter, tmp_path, environment)
    yield made
    if made.receiver is not None:
        made.receiver.kill()


@pytest.fixture
def clients(shed: Shed) -> list[Client]:
    return [kind(shed.ports, seed=11).start() for kind in KINDS]


def end_well(shed: Shed, clients: list[Client], *, into_lake: bool = True) -> None:
    """Bring all into the lake by processes that nobody kills, and see that every promise was kept."""
    shed.receive(into_lake=into_lake)
    shed.wait_open()
    for client in clients:
        client.end()
    for client in clients:
        client.afresh()
    shed.stop()
    if not into_lake:
        assert shed.ingest().wait(120) == 0, shed.said()
    shed.found().check(clients)


def test_a_receiver_killed_at_steps_keeps_every_promise(shed: Shed, clients: list[Client]) -> None:
    for step in FEW:
        assert killed(shed.receive(step, 2), step, 120) == step
    end_well(shed, clients)
    assert all(client.acknowledged for client in clients)


@pytest.mark.soak
def test_receivers_and_ingests_killed_at_every_step_and_at_random_keep_every_promise(
    shed: Shed, clients: list[Client]
) -> None:
    chance = random.Random(20261126)  # noqa: S311 - moments, no secrets
    for client in clients:
        client.pause = 0.02
    kills = Counter[str]()
    todo = [(step, together) for step in (*RECEIVER_STEPS, *INGEST_STEPS) for together in (True, False)]
    todo += [("", at % 2 == 0) for at in range(MANY)]
    chance.shuffle(todo)
    for number, (step, together) in enumerate(todo):
        running = begun(shed, step, 1, together=together)
        until = time.monotonic() + (STEP_S if step else chance.uniform(1.0, 5.0))
        for name, process in order(running, step):
            if where := killed(process, step, max(0.0, until - time.monotonic())):
                kills[f"{name} at {where}"] += 1
                until = min(until, time.monotonic() + 1)
        if number % 5 == 0:
            garble(shed, chance)
    end_well(shed, clients)
    figures = {client.name: (len(client.sent), len(client.acknowledged), client.again) for client in clients}
    log.info("kills %s: %s; sent, acknowledged, sent again: %s", kills.total(), dict(kills), figures)
    assert kills.total() >= MANY
    assert {where.partition(" at ")[2] for where in kills} == {*RECEIVER_STEPS, *INGEST_STEPS, "random"}
    assert all(client.acknowledged for client in clients)


def begun(shed: Shed, step: str, times: int, *, together: bool) -> dict[str, Process]:
    """A receiver that empties its spool, or one beside an ingest; one of them is killed at a step."""
    if together:
        return {"receiver": shed.receive(step, times)}
    steps = ("", step) if step in INGEST_STEPS else (step, "")
    return {"receiver": shed.receive(steps[0], times, into_lake=False), "ingest": shed.ingest(steps[1])}


def order(running: dict[str, Process], step: str) -> list[tuple[str, Process]]:
    """Processes, first the one that is killed at a step."""
    return sorted(running.items(), key=lambda one: one[0] != "ingest" if step in INGEST_STEPS else one[0] == "ingest")


def garble(shed: Shed, chance: random.Random) -> None:
    """Let a spool end in what a failing disk may leave behind what was acknowledged, and repair it."""
    last = max(shed.spool.glob("*.seg"))
    data = last.read_bytes()
    with last.open("ab") as file:
        file.write(chance.choice((data[: chance.randint(1, 300)], chance.randbytes(chance.randint(1, 300)))))
    code, said = shed.run("spool", "verify", str(shed.spool))
    assert code == 1, said
    code, said = shed.run("spool", "repair", str(shed.spool))
    assert code == 0, said
    code, said = shed.run("spool", "verify", str(shed.spool))
    assert code == 0, said


@pytest.mark.parametrize(
    "into_lake", [pytest.param(True, id="and emptied", marks=pytest.mark.soak), pytest.param(False, id="by an ingest")]
)
def test_a_full_disk_is_told_and_loses_nothing_and_is_gone_on_with_when_there_is_room(
    into_lake: bool,
    shed: Shed,
    small_disk: Path,  # noqa: F811 - the fixture
) -> None:
    shed.put_spool(small_disk / "spool", "64MB")
    clients: list[Client] = [Lines(shed.ports, 1), Otlp(shed.ports, 1)]
    shed.receive(into_lake=into_lake)
    shed.wait_open()
    for client in clients:
        client.longest = 4_000
        client.start()
    wait(shed, lambda: any(client.full for client in clients))
    before = [len(client.acknowledged) for client in clients]  # the room may be full again when the ingest has ended
    if not into_lake:
        assert shed.ingest().wait(120) == 0, shed.said()
    wait(shed, lambda: all(len(client.acknowledged) > known for client, known in zip(clients, before, strict=True)))
    for client in clients:
        client.longest = 10
        client.end()
        client.afresh()
    shed.stop()
    if not into_lake:
        assert shed.ingest().wait(120) == 0, shed.said()
    shed.found().check(clients)


@pytest.mark.soak
def test_a_lake_whose_disk_is_full_is_told_of_and_waited_for(
    shed: Shed,
    tmp_path: Path,
    small_disk: Path,  # noqa: F811 - the fixture
) -> None:
    (tmp_path / "logshed-lake").symlink_to(small_disk)
    clients: list[Client] = [Lines(shed.ports, 1).start(), Otlp(shed.ports, 1).start()]
    shed.receive()
    shed.wait_open()
    wait(shed, lambda: all(client.acknowledged for client in clients))
    with suppress(OSError), (small_disk / "filler").open("ab", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    wait(shed, lambda: "the disk is full, nothing was committed" in shed.said())
    (small_disk / "filler").unlink()
    wait(shed, lambda: "The lake takes records again." in shed.said())
    for client in clients:
        client.end()
        client.afresh()
    shed.stop()
    shed.found().check(clients)


def wait(shed: Shed, done: Callable[[], bool]) -> None:
    """Wait for something while the receiver lives."""
    assert shed.receiver is not None
    until = time.monotonic() + 180
    while not done():
        assert shed.receiver.poll() is None, shed.said()
        assert time.monotonic() < until, shed.said()
        time.sleep(0.05)
