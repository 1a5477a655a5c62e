"""Long checks: one at a time, told how far they are, ended by those who began them, and kept for a while."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from logshed.errors import BusyError, LakeError
from logshed.web.checking import MOST_KEPT, MOST_WAITING, Checks
from logshed.web.running import Running
from logshed.web.who import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from logshed.api import Lake
    from logshed.web.checking import Check, Tell

WAIT = 20.0


def _endless(tell: Tell) -> dict[str, Any]:
    """Goes on until it is ended."""
    while True:
        tell(3, 12, "lines")
        time.sleep(0.005)


async def _begun(check: Check) -> None:
    for _ in range(2000):
        if check.total:
            return
        await asyncio.sleep(0.005)
    pytest.fail("it does not begin")


def _checks(test: Callable[[Checks, Running], Any]) -> None:
    async def run() -> None:
        running = Running()
        checks = Checks(running, asyncio.Event())
        try:
            await test(checks, running)
        finally:
            await checks.close()

    asyncio.run(run())


def test_a_check_tells_how_far_it_is_and_ends_when_it_is_told_to(sample_lake: Lake) -> None:
    async def test(checks: Checks, running: Running) -> None:
        check = checks.begin(sample_lake, LOCAL, "integrity", {"share": 0.5}, _endless)
        waits = checks.begin(sample_lake, LOCAL, "redaction", {}, _endless)
        await _begun(check)
        told = check.told()
        assert (told["state"], told["progress"]) == ("running", {"place": "lines", "done": 3, "total": 12})
        first, second = running.seen_by(LOCAL)
        assert (first.id, first.what, first.progress) == (check.id, "check of integrity: share 0.5", 0.25)
        assert (second.id, waits.state) == (waits.id, "waiting")
        for one in (waits, check):
            assert checks.end(one.id)
            await checks.wait(one, 0.01)
            assert one.state in {"ending", "ended"}
        for one in (check, waits):
            await checks.wait(one, WAIT)
            assert (one.state, one.result) == ("ended", None)
            assert not checks.end(one.id)
        assert running.seen_by(LOCAL) == []

    _checks(test)


def test_results_of_the_newest_are_kept_and_what_fails_says_why(sample_lake: Lake) -> None:
    def fails(tell: Tell) -> dict[str, Any]:
        tell(0, 1)
        raise LakeError("cannot read the file: it is gone; look for it")

    async def test(checks: Checks, _: Running) -> None:
        for _number in range(MOST_KEPT + 3):
            check = checks.begin(sample_lake, LOCAL, "integrity", {}, lambda _: {"ok": True})
            await checks.wait(check, WAIT)
            assert (check.state, check.told()["result"]) == ("done", {"ok": True})
        failed = checks.begin(sample_lake, LOCAL, "integrity", {}, fails)
        await checks.wait(failed, WAIT)
        assert (failed.state, failed.detail) == ("failed", "cannot read the file: it is gone; look for it")
        assert [len(checks.all()), checks.all()[0]] == [MOST_KEPT, failed]

    _checks(test)


def test_only_so_many_wait_and_closing_ends_them_all(sample_lake: Lake) -> None:
    begun = threading.active_count()

    async def test(checks: Checks, _: Running) -> None:
        for _number in range(MOST_WAITING):
            checks.begin(sample_lake, LOCAL, "integrity", {}, _endless)
        with pytest.raises(BusyError, match="wait for their end"):
            checks.begin(sample_lake, LOCAL, "integrity", {}, _endless)

    _checks(test)
    until = time.monotonic() + WAIT
    while threading.active_count() > begun:
        assert time.monotonic() < until
        time.sleep(0.01)
