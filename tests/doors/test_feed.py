"""What happens is gathered, handed on and caught up with, within bounds."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from logshed.doors import feed as module
from logshed.doors.feed import QUEUED, Feed
from logshed.doors.tally import MOST_COLLECTIONS, MOST_PLACES, Tally
from logshed.doors.ticks import LONGEST_LINE, MOST_PARTS, MOST_SPOTS, Gathering
from logshed.errors import LogshedError
from logshed.live.events import Event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from logshed.doors.ticks import Tick


def event(number: int, collection: str = "shop", country: str = "FR", city: str = "Paris", **more: Any) -> Event:
    made = Event(float(number), collection, country, "IDF", city, 48.861, 2.352, f"line {number}")
    return made._replace(**more)


def tick_of(events: Sequence[Event], number: int = 1) -> Tick:
    gathering = Gathering()
    gathering.add(events)
    return gathering.tick(number)


def told(tick: Tick, *names: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(tick.told(lambda name: not names or name in names) or b"{}")
    return found


def test_a_tick_counts_every_record_by_country_and_place() -> None:
    chance = random.Random(3)  # noqa: S311 - a test's
    events = [
        event(number, chance.choice("ab"), chance.choice(["FR", "DE", ""]), chance.choice(["x", "y", ""]))
        for number in range(1000)
    ]
    parts = told(tick_of(events))["by"]
    for name in "ab":
        own = [one for one in events if one.collection == name]
        assert parts[name]["n"] == len(own)
        assert parts[name]["c"] == Counter(one.country for one in own)
        assert {(spot[0], spot[2]): spot[5] for spot in parts[name]["p"]} == Counter(
            (one.country, one.city) for one in own
        )
        assert parts[name]["p"][0][3:5] == [48.86, 2.35]
        assert parts[name]["l"] == [[own[-1].at, own[-1].line]]


def test_a_tick_is_small_whatever_happens() -> None:
    many = [event(number, city=f"city {number}") for number in range(2_000)]
    part = told(tick_of([*many, event(1, city="c" * 5_000, line="x" * 100_000)]))["by"]["shop"]
    assert len(part["p"]) == MOST_SPOTS[0][1]
    assert part["c"] == {"FR": 2_001}
    assert len(part["l"][0][1]) == LONGEST_LINE
    tick = tick_of([event(1, f"collection {number}") for number in range(MOST_PARTS + 50)])
    assert len(told(tick)["by"]) == MOST_PARTS
    assert told(tick)["more"] == 50
    wide = tick_of([event(1, f"collection {number % 200}", city=f"city {number}") for number in range(20_000)])
    assert sum(len(part["p"]) for part in told(wide)["by"].values()) <= 1_500
    assert sum(part["c"]["FR"] for part in told(wide)["by"].values()) == 20_000
    assert len(told(wide, "collection 7")["by"]["collection 7"]["p"]) == 100


def test_one_sees_their_collections_and_is_told_nothing_of_others() -> None:
    tick = tick_of([event(1, "shop"), event(2, "secret"), event(3, "secret")])
    assert list(told(tick, "shop")["by"]) == ["shop"]
    assert b"secret" not in tick.told(lambda name: name == "shop")
    assert tick.told(lambda name: name == "other") == b""


def test_what_no_text_can_hold_is_replaced() -> None:
    odd = event(1, "sh\udc80p", "\ud800", "\udfff", latitude=float("nan"), longitude=float("inf"), line="\udc80 line")
    (name, part), = told(tick_of([odd]))["by"].items()  # fmt: skip
    assert (name, part["c"]) == ("sh?p", {"?": 1})
    assert part["p"] == [["?", "IDF", "?", None, None, 1]]
    assert part["l"] == [[1.0, "? line"]]


def test_the_tally_counts_as_a_recount_does() -> None:
    chance = random.Random(5)  # noqa: S311 - a test's
    tally, seen = Tally(), []
    for number in range(50):
        batch = [event(one, chance.choice("ab"), chance.choice("FDI"), chance.choice("xyz")) for one in range(40)]
        seen += batch
        tally.add(tick_of(batch, number))
    assert dict(tally.known()) == Counter(one.collection for one in seen)
    assert dict(tally.countries(None)) == Counter(one.country for one in seen)
    assert dict(tally.countries("a")) == Counter(one.country for one in seen if one.collection == "a")
    places = Counter(f"{one.country}-IDF-{one.city}" for one in seen if one.collection == "b")
    assert tally.locations("b", 3) == sorted(places.items(), key=lambda one: -one[1])[:3]
    assert len(tally.lines("a", last=7)) == 7
    assert (tally.lines("c"), tally.locations("c", 5), tally.countries("c")) == ([], [], [])
    assert len(tally.known()) == 2


def test_the_tally_is_bounded() -> None:
    tally = Tally()
    tally.add(tick_of([event(1, f"collection {number}") for number in range(MOST_COLLECTIONS + 10)]))
    assert len(tally.known()) == MOST_COLLECTIONS
    tally.add(tick_of([event(1, "collection 0", city=f"city {number}") for number in range(MOST_PLACES + 10)]))
    assert len(tally.locations("collection 0", 10**6)) <= MOST_PLACES


class Played:
    """Batches one after another; an error among them is raised, and what follows comes when it is asked again."""

    def __init__(self, *batches: Sequence[Event] | Exception, pause: float = 0.0) -> None:
        self.batches_left, self.pause, self.asked = list(batches), pause, 0

    async def batches(self, collections: Sequence[str] | None) -> AsyncIterator[Sequence[Event]]:
        """What is left of them."""
        assert collections is None
        self.asked += 1
        while self.batches_left:
            batch = self.batches_left.pop(0)
            if isinstance(batch, Exception):
                raise batch
            yield batch
            await asyncio.sleep(self.pause)


async def until(there: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not there():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.01)


def flowing(feed: Feed, work: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        flow = asyncio.ensure_future(feed.flow())
        try:
            await work()
        finally:
            flow.cancel()
            await asyncio.gather(flow, return_exceptions=True)

    asyncio.run(run())


def test_one_who_was_cut_off_gets_what_was_missed_and_nothing_twice() -> None:
    feed = Feed(Played(*([event(number)] for number in range(12)), pause=0.08))

    async def work() -> None:
        first = feed.join(lambda _: True)
        got = [await first.ticks.get() for _ in range(3)]
        feed.leave(first)
        await until(lambda: dict(feed.tally.known()) == {"shop": 12})
        second = feed.join(lambda _: True, f"{feed.run}-{got[-1].number}")
        assert not second.gap
        got += second.missed
        while not second.ticks.empty():
            got.append(second.ticks.get_nowait())
        assert [one.number for one in got] == list(range(1, feed.number + 1))
        assert sum(part.hits for one in got for part in one.parts.values()) == 12

    flowing(feed, work)


@pytest.mark.parametrize("last", ["other-1", "nonsense", "-", "{run}-x", "{run}-", "{run}-99999999999999999999999"])
def test_one_whose_last_tick_is_not_known_is_told_of_a_gap(last: str) -> None:
    feed = Feed(Played([event(1)]))

    async def work() -> None:
        await until(lambda: feed.number)
        watcher = feed.join(lambda _: True, last.format(run=feed.run))
        assert (watcher.gap, watcher.missed) == (True, [])

    flowing(feed, work)


def test_one_who_missed_more_than_is_kept_is_told_of_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_TICKS", 3)
    monkeypatch.setattr(module, "TICK_SECONDS", 0.005)
    feed = Feed(Played(*([event(number)] for number in range(30)), pause=0.02))

    async def work() -> None:
        await until(lambda: feed.number > 6)
        assert feed.join(lambda _: True, f"{feed.run}-1").gap
        assert not feed.join(lambda _: True, f"{feed.run}-{feed.number - 1}").gap
        assert len(feed._kept) == 3

    flowing(feed, work)


def test_one_who_is_too_slow_is_dropped_and_the_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_SECONDS", 0.002)
    feed = Feed(Played(*([event(number)] for number in range(3 * QUEUED)), pause=0.006))

    async def work() -> None:
        slow, quick = feed.join(lambda _: True), feed.join(lambda _: True)
        hits = 0
        while hits < 3 * QUEUED:
            tick = await asyncio.wait_for(quick.ticks.get(), 5)
            hits += tick.parts["shop"].hits
        assert slow.over.is_set()
        assert slow.ticks.qsize() == QUEUED
        assert not quick.over.is_set()
        assert feed.watching == 1

    flowing(feed, work)


def test_a_source_that_fails_is_asked_again_and_says_so_meanwhile(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "FIRST_WAIT", 0.3)
    events = Played([event(1)], LogshedError("cannot read events: gone; start it"), [event(2)])
    feed = Feed(events)

    async def work() -> None:
        await until(lambda: feed.state == "waiting")
        assert feed.number <= 1
        await until(lambda: feed.state == "ended")
        await until(lambda: dict(feed.tally.known()) == {"shop": 2})
        assert events.asked == 2

    flowing(feed, work)
    assert "cannot read events: gone; start it; trying again in 0 s" in caplog.text


def test_a_fault_of_ours_ends_the_feed() -> None:
    feed = Feed(Played(ZeroDivisionError()))
    with pytest.raises(ExceptionGroup):
        asyncio.run(asyncio.wait_for(feed.flow(), 5))
