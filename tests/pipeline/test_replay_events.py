from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.sql.conftest import record, write_lake

import logshed
from logshed.pipeline.replay import ReplayEvents
from logshed.pipeline.replay_records import LakeRecords
from logshed.pipeline.replay_slices import Wanted
from logshed.pipeline.replay_words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.api import Lake
    from logshed.live.events import Event

DAY = datetime(2026, 11, 20, tzinfo=UTC)
PLACES = [
    {"client_geo_country_iso_code": "DE", "client_geo_region": "BY", "client_geo_locality": "Munich",
     "client_geo_lat": 48.1, "client_geo_lon": 11.6},
    {"client_geo_country_iso_code": "US"},
    {"client_geo_lat": 99.0, "client_geo_lon": 0.0},
    {"client_geo_lat": float("nan"), "client_geo_lon": 0.0},
]  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    root = tmp_path_factory.mktemp("events") / "lake"
    rows = [
        record(
            number,
            DAY + timedelta(minutes=number),
            collection="ab"[number % 2],
            body=f"n{number}",
            **PLACES[number % 4],
        )
        for number in range(1000)
    ]
    write_lake(root, rows, files=2)
    return logshed.open(root)


def played(lake: Lake, duration: str, *, loops: bool = False) -> ReplayEvents:
    records = LakeRecords(lake.query, Wanted(), "json")
    return ReplayEvents(records, Words(duration=duration).window(records), loops)


async def seen(
    source: ReplayEvents, collections: Sequence[str] | None = None, most: int = 10**6
) -> list[tuple[float, Event]]:
    """Events, each with where the replay was when it came."""
    found: list[tuple[float, Event]] = []
    async for batch in source.batches(collections):
        assert 0 < len(batch) <= 1000
        found += [(source.clock.place, event) for event in batch]
        if len(found) >= most:
            break
    return found


def test_records_come_as_events_with_their_places_at_their_times(lake: Lake) -> None:
    found = asyncio.run(seen(played(lake, "2s")))
    assert [event.at for _, event in found] == [(DAY + timedelta(minutes=n)).timestamp() for n in range(1000)]
    assert [event[1:7] for _, event in found[:4]] == [
        ("a", "DE", "BY", "Munich", 48.1, 11.6),
        ("b", "US", "", "", None, None),
        ("a", "", "", "", None, None),
        ("b", "", "", "", None, None),
    ]
    assert '"body":"n7"' in found[7][1].line
    late = [place - 2 * number / 1000 for number, (place, _) in enumerate(found)]
    assert min(late) > -0.01
    assert sorted(late)[len(late) // 2] < 0.5
    assert max(late) < 5  # the machine may be busy


def test_only_events_of_the_collections_come_that_were_asked_for(lake: Lake) -> None:
    found = asyncio.run(seen(played(lake, "1s"), ["b", "none"]))
    assert {event.collection for _, event in found} == {"b"}
    assert len(found) == 500
    assert asyncio.run(seen(played(lake, "1s"), [])) == []


def test_who_comes_later_sees_it_from_where_it_is(lake: Lake) -> None:
    async def both() -> tuple[int, float, float, float]:
        source = played(lake, "3s")
        first = asyncio.create_task(seen(source))
        while source.clock.place < 0.6:  # noqa: ASYNC110 - a clock tells nobody
            await asyncio.sleep(0.01)
        before = source.clock.place
        ((after, event), *_) = await seen(source, most=1)
        return len(await first), before, (event.at - DAY.timestamp()) / 60 * 3 / 1000, after

    events, before, place, after = asyncio.run(both())
    assert events == 1000
    assert before - 0.01 < place < after + 0.01


def test_it_begins_when_somebody_looks(lake: Lake) -> None:
    async def watched() -> tuple[int, int, bool]:
        source, looks = played(lake, "1s"), asyncio.Event()
        source.begins = looks.is_set
        task = asyncio.create_task(seen(source))
        await asyncio.sleep(0.7)
        before = source.clock.place
        looks.set()
        found = await task
        return round(before), len(found), found[-1][0] > 0.98

    assert asyncio.run(watched()) == (0, 1000, True)


def test_a_loop_goes_on_and_a_pause_holds_it(lake: Lake) -> None:
    async def watched() -> tuple[list[tuple[float, Event]], int]:
        source = played(lake, "1s", loops=True)
        found = await seen(source, most=2500)
        source.clock.pause()
        more = asyncio.create_task(seen(source, most=1))
        done, _ = await asyncio.wait([more], timeout=0.5)
        source.clock.start()
        await more
        return found, len(done)

    found, while_paused = asyncio.run(watched())
    assert [event.at for _, event in found[1000:2000]] == [event.at for _, event in found[:1000]]
    assert while_paused == 0
