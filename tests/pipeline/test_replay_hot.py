from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from tests.redis_server import RedisServer

from logshed.errors import ReplayError, UsageError
from logshed.live import keys
from logshed.live.hot import HotStore
from logshed.live_settings import Live
from logshed.pipeline import replay_hot
from logshed.pipeline.replay_hot import HotRecords
from logshed.pipeline.replay_slices import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Run

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis with two collections: a has a line each second, b one each two seconds, a quarter later, some equal."""
    with RedisServer(tmp_path_factory.mktemp("replay") / "redis", appendonly="no") as server:
        client = server.client()
        client.zadd(f"{keys.LINES}a", {f"a{number}": NOON + number for number in range(60)})
        equal = {b"same" + (b"\xff%d" % number if number else b""): NOON + 2 * number + 0.25 for number in range(30)}
        client.zadd(f"{keys.LINES}b", equal)
        client.hset(keys.KNOWN, mapping={f"{keys.HITS}a": 60, f"{keys.HITS}b": 30})
        client.close()
        yield server.url


@pytest.fixture
def hot(url: str) -> Iterator[HotStore]:
    store = HotStore.open(Live(redis=SecretStr(url)))
    yield store
    store.close()


def rows(records: HotRecords, since: float = 0) -> list[tuple[float, str, str]]:
    frames = list(records.frames(round(since * 1e6)))
    found = [row for frame in frames for row in frame.select("at", "collection", "text").rows()]
    return [(at / 1e6 - NOON, name, text) for at, name, text in found]


@pytest.mark.parametrize("size", [7, 5000])
def test_lines_of_all_collections_come_in_the_order_of_their_times(
    hot: HotStore, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(replay_hot, "ROWS", size)
    records = HotRecords(hot, Wanted())
    want = sorted([(n, "a", f"a{n}") for n in range(60)] + [(2 * n + 0.25, "b", "same") for n in range(30)])
    assert rows(records) == want
    assert rows(records, NOON + 30.1) == [row for row in want if row[0] >= 30.1]
    assert records.extent() == (round(NOON * 1e6), round((NOON + 59) * 1e6) + 1)


def test_only_the_collections_and_the_time_that_are_wanted_come(hot: HotStore) -> None:
    since, until = (datetime.fromtimestamp(NOON + second, UTC) for second in (10, 20))
    records = HotRecords(hot, Wanted(since, until, ("b",)), "json")
    assert records.extent() == (round((NOON + 10) * 1e6), round((NOON + 20) * 1e6))
    first = {"timestamp": "2026-11-20T12:00:10.250+00:00", "collection": "b", "line": "same"}
    assert json.loads(rows(records)[0][2]) == first
    assert [at for at, _, _ in rows(records)] == [10.25, 12.25, 14.25, 16.25, 18.25]


def test_what_the_hot_store_cannot_tell_is_told(hot: HotStore) -> None:
    with pytest.raises(UsageError, match="cannot use --where with --from live: the hot store holds lines"):
        HotRecords(hot, Wanted(where="true"))
    for wanted in (Wanted(collections=("none",)), Wanted(since=datetime.fromtimestamp(NOON + 99, UTC))):
        with pytest.raises(ReplayError, match="cannot replay: the hot store has no line in the window"):
            HotRecords(hot, wanted).extent()


def test_the_command_replays_from_the_hot_store(logshed: Run, url: str) -> None:
    done = logshed("replay", "--from", "live", "--redis", url, "--collection", "a", "--duration", "1s")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"a{number}" for number in range(60)]
