"""What feeds bring comes to rest joined, redacted and once, whatever happens to feeds, spool and lake."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from logshed.engines.local import LocalEngine
from logshed.enrichment import sources
from logshed.errors import LakeError, SourceError
from logshed.pipeline import draining, resting_stream
from logshed.pipeline.collect import Collect
from logshed.pipeline.planning import Options, job_of
from logshed.pipeline.trail import FILE, Trail
from logshed.redaction.naming import Names
from logshed.redaction.policy_files import load_policy
from logshed.settings import Settings
from logshed.sources.feeds import Arrival, Stream
from logshed.sources.spool import SPOOL, SpoolFile, targets
from logshed.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from logshed.api import Lake
    from logshed.sources.feeds import Sink

SHOP = Stream("test:host/shop", resource=(("container.name", "shop"),), target="shop")
OTHER = Stream("test:host/other", collection="elsewhere")
TRACE = ["2026-01-05 10:00:00 ERROR lost", "java.lang.IllegalStateException: x", "\tat a.B.c(B.java:1)"]


class Numbered:
    """A feed of given lines; its cursor is the number of the next line. It may break off, or wait at its end."""

    def __init__(self, stream: Stream, lines: Sequence[str], *, breaks_at: int = -1, stays: bool = False) -> None:
        self.name = stream.source
        self._stream, self._lines, self._breaks_at, self._stays = stream, lines, breaks_at, stays

    async def run(self, sink: Sink) -> None:
        """Bring the lines, seven at a time."""
        number = int(sink.cursor(self._stream).get("line", 0))
        sink.tell(self._stream.target, "following")
        while number < len(self._lines):
            if self._breaks_at >= 0 and number >= self._breaks_at:
                raise SourceError(f"cannot read {self.name}: cut off; try again")
            chunk = [line.encode() for line in self._lines[number : number + 7]]
            at = number
            await sink.put([Arrival(self._stream, chunk, lambda taken, at=at: {"line": at + taken})])
            number += len(chunk)
            await asyncio.sleep(0)
        if self._stays:
            await asyncio.Event().wait()


def collect(root: Path, *, policy: str = "default", **options: Any) -> Collect:
    settings = Settings.load(root, environ={})
    job = job_of(settings, Options(), load_policy(policy), sources.opened(settings.enrichment))
    spool = Spool(root / "spool")
    trail = Trail(spool.root / FILE)
    return Collect(spool, job, Names(job.policy, lambda: b"k" * 32), trail, **options)


def run(collecting: Collect, *feeds: Any, seconds: float = 90) -> Any:
    async def within() -> Any:
        return await asyncio.wait_for(collecting.run(feeds), seconds)

    try:
        return asyncio.run(within())
    finally:
        collecting._spool.close()


def rested(root: Path) -> dict[str, list[str]]:
    found = targets(f"{SPOOL}{root / 'spool'}")
    return {target.source: SpoolFile(target.locator).read(2**30).decode().splitlines() for target in found}


def test_lines_rest_in_order_and_go_on_where_they_were(tmp_path: Path) -> None:
    lines = [f"2026-01-05 10:00:00 INFO line {number}" for number in range(500)]
    for upto in (100, 101, 350, 500):
        report = run(collect(tmp_path), Numbered(SHOP, lines[:upto]))
        assert not report.failed
    assert rested(tmp_path) == {SHOP.source: lines}


def test_secrets_and_keys_over_several_lines_never_rest(tmp_path: Path) -> None:
    key = ["-----BEGIN PRIVATE KEY-----", *(["MIIEvQIBADANBgkqhkiG9w0BAQEFAASC"] * 4), "-----END PRIVATE KEY-----"]
    lines = ["INFO password=hunter2hunter2 and mail bob@example.com", "INFO key", *key, "INFO done"]
    run(collect(tmp_path), Numbered(SHOP, lines))
    written = b"".join(path.read_bytes() for path in (tmp_path / "spool").glob("*.seg"))
    for secret in (b"hunter2", b"bob@example.com", b"MIIEvQIB"):
        assert secret not in written
    assert rested(tmp_path)[SHOP.source][-1] == "INFO done"


def test_a_feed_that_breaks_off_stops_no_other_and_goes_on_the_next_time(tmp_path: Path) -> None:
    lines = [f"INFO line {number}" for number in range(60)]
    report = run(collect(tmp_path), Numbered(SHOP, lines, breaks_at=21), Numbered(OTHER, lines))
    assert report.failed == {SHOP.source: "cannot read test:host/shop: cut off; try again"}
    assert report.ok
    assert rested(tmp_path) == {SHOP.source: lines[:21], OTHER.source: lines}
    assert run(collect(tmp_path), Numbered(SHOP, lines)).lines == 39
    assert rested(tmp_path)[SHOP.source] == lines


def test_nothing_could_be_collected_where_every_feed_failed(tmp_path: Path) -> None:
    assert not run(collect(tmp_path), Numbered(SHOP, ["x"], breaks_at=0), Numbered(OTHER, ["x"], breaks_at=0)).ok


def test_an_open_trace_waits_for_its_lines_and_rests_when_none_come(tmp_path: Path) -> None:
    collecting = collect(tmp_path)
    with pytest.raises(TimeoutError):
        run(collecting, Numbered(SHOP, [*["2026-01-05 10:00:00 INFO fine"] * 250, *TRACE], stays=True), seconds=3)
    assert rested(tmp_path)[SHOP.source][-3:] == TRACE
    assert collecting.report.target(SHOP.source, "shop").rested == 253


def test_stopping_brings_to_rest_what_came(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        run(collect(tmp_path), Numbered(SHOP, ["INFO one", "INFO two"], stays=True), seconds=0.1)
    assert rested(tmp_path)[SHOP.source] == ["INFO one", "INFO two"]


def test_a_full_spool_pauses_and_says_so_and_nothing_is_lost(tmp_path: Path) -> None:
    lines = [f"INFO line {number} {'x' * 100}" for number in range(400)]
    told: list[str] = []
    collecting = collect(tmp_path, progress=lambda report: told.append(report.paused))
    collecting._spool.limit = 9_000
    with pytest.raises(TimeoutError):
        run(collecting, Numbered(SHOP, lines), Numbered(OTHER, ["INFO a"], stays=True), seconds=2)
    assert any("its limit of 9,000 bytes is reached" in text for text in told)
    run(collect(tmp_path), Numbered(SHOP, lines), Numbered(OTHER, ["INFO a"]))
    assert rested(tmp_path) == {SHOP.source: lines, OTHER.source: ["INFO a"]}


def test_lines_come_into_the_lake_once_and_the_spool_is_emptied(lake: Lake, tmp_path: Path) -> None:
    lines = [f"2026-01-05 10:00:{number % 60:02d} INFO line {number}" for number in range(300)]
    store = lake._opened()

    def drain() -> None:
        draining.drain(store, tmp_path / "spool", lake.settings, Options(), LocalEngine(1))

    for upto in (120, 300):
        collecting = collect(tmp_path, drain=drain)
        report = run(collecting, Numbered(SHOP, lines[:upto]), Numbered(OTHER, lines[:upto]))
        assert (report.failed, report.lake) == ({}, "")
    rows = lake.query(
        "SELECT collection, container_name, count(*), count(DISTINCT body) FROM logs GROUP BY 1, 2 ORDER BY 1"
    )
    assert rows.rows() == [("default", "shop", 300, 300), ("elsewhere", None, 300, 300)]
    assert lake.audit().ok
    assert targets(f"{SPOOL}{tmp_path / 'spool'}") == []


def test_a_lake_that_is_down_stops_nothing(tmp_path: Path) -> None:
    def drain() -> None:
        raise LakeError("cannot write the lake: it is away; bring it back")

    report = run(collect(tmp_path, drain=drain), Numbered(SHOP, ["INFO one"]))
    assert report.lake == "cannot write the lake: it is away; bring it back Lines wait in the spool."
    assert rested(tmp_path)[SHOP.source] == ["INFO one"]


def test_the_format_of_streams_that_are_alike_is_found_out_once(tmp_path: Path) -> None:
    first, second = (Stream(f"test:host/replica-{number}", alike="replicas") for number in (1, 2))
    alone = Stream("test:host/alone")
    lines = [f"level=info msg=fine number={number}" for number in range(300)]
    collecting = collect(tmp_path)
    run(collecting, Numbered(first, lines), Numbered(second, ["hi"]), Numbered(alone, ["hi"]))
    found = {source: one.format for (source, _), one in collecting._spool.index.streams.items()}
    assert found[first.source] == found[second.source] == "logfmt"
    assert found[alone.source] != "logfmt"


def test_names_and_attributes_rest_as_the_policy_allows(tmp_path: Path) -> None:
    stream = Stream("test:bob@example.com/x", resource=(("container.label.owner", "ann@example.com"),))
    run(collect(tmp_path), Numbered(stream, ["INFO one"]))
    run(collect(tmp_path), Numbered(stream, ["INFO one", "INFO two"]))
    written = b"".join(path.read_bytes() for path in (tmp_path / "spool").glob("*.seg"))
    assert b"example.com" not in written
    assert list(rested(tmp_path).values()) == [["INFO one", "INFO two"]]


def test_a_stream_that_is_long_silent_is_let_go_of_and_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting_stream, "IDLE_S", 0.5)
    collecting = collect(tmp_path)
    held: list[int] = []

    class Silent:
        name = "test:silent"

        async def run(self, sink: Sink) -> None:
            for number in (0, 1):
                line = f"2026-01-05 10:00:0{number} INFO line {number}".encode()
                await sink.put([Arrival(SHOP, [line], lambda taken, at=number: {"line": at + taken})])
                held.append(len(collecting._streams))
                while collecting._streams:  # noqa: ASYNC110 - nothing tells that they are let go of
                    await asyncio.sleep(0.05)

    run(collecting, Silent())
    assert held == [1, 1]
    assert rested(tmp_path) == {
        "test:host/shop": [f"2026-01-05 10:00:0{number} INFO line {number}" for number in (0, 1)]
    }
    with Spool(tmp_path / "spool") as spool:
        assert spool.cursor("test:host/shop", "default") == {"line": 2}
