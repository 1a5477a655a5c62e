"""Random requests of several senders on a real spool: what is acknowledged is there once, and nobody waits long."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from tests.pipeline.random_requests import FAULTS, POISON, SENDERS, STREAMS, TURNS, Request, Run, Turn

from logshed.doors.guard import EVERYTHING
from logshed.errors import SpoolError
from logshed.receivers.model import RECEIVED, Came, Decoded, Part, Refused
from logshed.spool import Spool


def check(run: Run) -> None:
    """See that what was acknowledged is there once, in order, and nothing else is."""
    once = Counter(text for _, text in run.lake)
    maybe: set[str] = set()
    for one in run.tried:
        found = [once[text] for text in one.request.texts]
        if one.taken:
            assert found == [1] * one.request.records, (one, found)
        elif one.gone:
            assert set(found) <= {0, 1}, (one, found)
            maybe.update(one.request.texts)
        else:
            assert not any(found), (one, found)
    for sender in SENDERS:
        for stream in STREAMS:
            own = [one for one in run.tried if (one.request.sender, one.request.stream) == (sender, stream)]
            said = sorted((one for one in own if one.taken and not one.gone), key=lambda one: one.taken)
            expected = [text for one in said for text in one.request.texts]
            wanted = set(expected)
            assert [text for source, text in run.lake if source == f"otlp:{stream}" and text in wanted] == expected


def receives(turns: list[Turn]) -> None:
    with TemporaryDirectory() as folder:
        run = Run(Path(folder) / "spool")
        asyncio.run(run.through(turns))
        check(run)


RELAXED: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow],
}


SOME = [Request(one, "shop", 2, named, 0) for one in SENDERS[:2] for named in ("request", "records", "")]
COMES_AGAIN = [Turn(SOME, [], set(), "", 0), *(Turn([], [0, 1, 2, 3], set(), fault, 0) for fault in FAULTS[2:])]
BREAKS = [
    Turn([*SOME, Request("ann", POISON, 1, "request", 0), *SOME], [0, 1], {0}, "", 0),
    Turn(SOME, [0, 1, 2], set(), "no room in a file", 500),
    Turn(SOME, [0, 1, 2, 3, 4, 5], {3}, "", 0),
]


@settings(max_examples=6, **RELAXED)
@given(turns=TURNS)
@example(turns=COMES_AGAIN)
@example(turns=BREAKS)
def test_what_is_acknowledged_is_in_the_spool_once_and_in_order(turns: list[Turn]) -> None:
    receives(turns)


@pytest.mark.soak
@settings(max_examples=1_500, **RELAXED)
@given(turns=TURNS)
def test_what_is_acknowledged_is_in_the_spool_once_and_in_order_for_long(turns: list[Turn]) -> None:
    receives(turns)


def test_what_could_not_be_decoded_and_kept_is_kept_when_it_comes_again(tmp_path: Path) -> None:
    root = tmp_path / "spool"
    part = Part("shop", b'{"body":"good"}\n', 1, RECEIVED)
    came = Came("otlp", Decoded((part,), (Refused(1, "it is no JSON", b"bad"),)), EVERYTHING, request_id="one")

    async def again() -> None:
        with Spool(root) as spool:
            run = Run(root)
            receiving = run.receiving(spool)
            writing = asyncio.create_task(receiving.run())
            (root / "dead").write_bytes(b"")  # no folder: nothing can be kept there
            with pytest.raises(SpoolError):
                await receiving.take(came)
            (root / "dead").unlink()
            for _ in range(2):
                await receiving.take(came)
            receiving.close()
            await writing
            assert run.unread() == [("otlp:shop", "good")]

    asyncio.run(again())
    (letters,) = (root / "dead").glob("*.jsonl")
    assert [orjson.loads(line)["text"] for line in letters.read_bytes().splitlines()] == ["bad"]
