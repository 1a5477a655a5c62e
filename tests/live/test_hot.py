"""The hot store on a real Redis: every record counts once, lines stay in the order of their time, within bounds."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from tests.redis_server import RedisServer

from logshed.errors import LiveError, LiveFullError
from logshed.live import keys, pieces
from logshed.live.hot import PIECE_ROWS, Origin
from logshed.live.trimming import level

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 4, 5, 6, 7, 250_000, tzinfo=UTC)
ORIGIN = Origin(keys.cursor("file:/a", "g"))


def rows(
    count: int,
    *,
    first: int = 0,
    collections: int = 1,
    text: str = "line {0}",
    place: tuple[str | None, ...] = ("US", "CA", "Davis"),
    begin: datetime = NOW,
) -> pl.DataFrame:
    """Records a second apart, in some collections in turn."""
    numbers = range(first, first + count)
    country, region, city = place
    values = {
        "source": "file:/a",
        "generation": "g",
        "offset": [number * 100 for number in numbers],
        "collection": [str(1824 + number % collections) for number in numbers],
        "timestamp": [begin + timedelta(seconds=number) for number in numbers],
        "text": [text.format(number) for number in numbers],
        "client_geo_country_iso_code": country,
        "client_geo_region": region,
        "client_geo_locality": city,
        "client_geo_lat": 38.5,
        "client_geo_lon": -121.7,
    }
    return pl.DataFrame(values, schema=pieces.SCHEMA)


def test_another_tool_finds_bare_lines_in_the_order_of_their_time(redis: RedisServer) -> None:
    shuffled = rows(50).sample(fraction=1, shuffle=True, seed=3).with_columns(offset=pl.int_range(50))
    redis.hot().put(shuffled, ORIGIN)
    client = redis.client()
    assert client.zrange("logs:collid:1824", 0, -1) == [f"line {number}".encode() for number in range(50)]
    assert client.zscore("logs:collid:1824", "line 1") == NOW.timestamp() + 1
    assert client.hgetall("known:") == {b"hits:1824": b"50"}
    assert client.zrange("location:collid:1824", 0, -1, withscores=True) == [(b"US-CA-Davis", 50.0)]
    assert client.get("requests:country:US") == client.get("requests:country:US:1824") == b"50"


def test_equal_lines_are_as_many_hits_and_lines_and_read_back_bare(redis: RedisServer) -> None:
    hot = redis.hot()
    hot.put(rows(5, text="same"), ORIGIN)
    hot.put(rows(3, first=5, text="same"), ORIGIN)
    assert redis.client().zcard("logs:collid:1824") == 8
    assert [line for _, line in hot.lines("1824")] == ["same"] * 8
    assert sum(b"\xff" in one for one in redis.client().zrange("logs:collid:1824", 0, -1)) == 7
    assert hot.known() == [("1824", 8)]


@pytest.mark.parametrize("place", [(None, None, None), ("US", None, None), ("DE", "BE", "Berlin-Mitte")])
def test_parts_of_a_place_may_be_empty_or_have_dashes(redis: RedisServer, place: tuple[str | None, ...]) -> None:
    hot = redis.hot()
    hot.put(rows(2, place=place), ORIGIN)
    assert hot.locations("1824", 5) == [("-".join(part or "" for part in place), 2)]
    assert hot.countries() == hot.countries("1824") == ([(place[0], 2)] if place[0] else [])


def test_what_is_put_twice_counts_once_wherever_it_is_cut(redis: RedisServer) -> None:
    hot, whole = redis.hot(), rows(3 * PIECE_ROWS, collections=7)
    assert hot.put(whole.head(PIECE_ROWS + 10), ORIGIN) == PIECE_ROWS + 10
    assert hot.put(whole, ORIGIN) == 2 * PIECE_ROWS - 10
    assert hot.put(whole, ORIGIN) == 0
    assert sum(hits for _, hits in hot.known()) == whole.height
    assert sum(count for _, count in hot.sizes()) == whole.height


def test_a_batch_counts_once_and_is_remembered(redis: RedisServer) -> None:
    hot = redis.hot()
    origin = Origin(keys.cursor("lake", "b1"), strict=True, batches=f"{keys.BATCHES}lake", batch="b1")
    assert hot.put(rows(PIECE_ROWS + 5), origin) == PIECE_ROWS + 5
    assert hot.put(rows(PIECE_ROWS + 5), origin) == 0
    empty = Origin(keys.cursor("lake", "b2"), strict=True, batches=f"{keys.BATCHES}lake", batch="b2")
    assert hot.put(rows(0), empty) == 0
    assert hot.counted("lake")[1] == {"b1", "b2"}


def test_a_store_that_lost_its_last_writes_is_sent_them_again(redis: RedisServer) -> None:
    """As after a failover to a replica that was behind."""
    origin = Origin(keys.cursor("lake", "b1"), strict=True, batches=f"{keys.BATCHES}lake", batch="b1")
    whole, hot, client = rows(4 * PIECE_ROWS), redis.hot(), redis.client()
    sent = hot._sent

    def forgetful(piece: pl.DataFrame, start: int, *given: Any, **named: Any) -> int:
        if start == 2 * PIECE_ROWS and not forgotten:
            forgotten.append(start)
            client.flushall()
        return sent(piece, start, *given, **named)

    forgotten: list[int] = []
    hot._sent = forgetful  # type: ignore[method-assign]
    hot.put(whole, origin)
    assert hot.known() == [("1824", whole.height)]


def test_only_the_newest_lines_stay_and_counters_count_all(redis: RedisServer) -> None:
    hot = redis.hot(lines=10)
    hot.put(rows(PIECE_ROWS + 500), ORIGIN)
    assert [line for _, line in hot.lines("1824")] == [f"line {PIECE_ROWS + 490 + one}" for one in range(10)]
    assert hot.known() == [("1824", PIECE_ROWS + 500)]


def test_lines_older_than_the_window_before_the_newest_go(redis: RedisServer) -> None:
    hot = redis.hot(hours=1)
    hot.put(rows(2, begin=NOW), ORIGIN)
    hot.put(rows(2, first=2, begin=NOW + timedelta(hours=1)), ORIGIN)
    assert [line for _, line in hot.lines("1824")] == ["line 2", "line 3"]
    left = redis.client().ttl("logs:collid:1824")
    assert 3_590 <= left <= 3_600
    assert redis.client().ttl("known:") == -1, "counters stay"


def test_a_clock_that_is_a_day_ahead_takes_no_lines_of_others_away(redis: RedisServer) -> None:
    hot, now = redis.hot(hours=24), datetime.now(UTC)
    hot.put(rows(5, begin=now - timedelta(hours=23)), ORIGIN)
    hot.put(rows(1, first=5, begin=now + timedelta(hours=23, minutes=59)), ORIGIN)
    assert len(list(hot.lines("1824"))) == 6


def test_lines_of_a_day_go_at_its_end(redis: RedisServer) -> None:
    redis.hot(expires="day").put(rows(1), ORIGIN)
    expires = datetime.fromtimestamp(redis.client().expiretime("logs:collid:1824"), UTC)
    assert (expires.hour, expires.minute, expires.second) == (0, 0, 0)
    assert timedelta() < expires - datetime.now(UTC) <= timedelta(days=1)


def test_the_whole_store_stays_within_its_bytes_and_counters_are_right(redis: RedisServer) -> None:
    hot = redis.hot(bytes=8 * 2**20, lines=10**6)
    counted: Counter[str] = Counter()
    for first in range(0, 60_000, 3_000):
        hot._looked = 0.0
        part = rows(3_000, first=first, collections=13, text="x" * 200 + "{0}")
        counted.update(part["collection"].to_list())
        hot.put(part, ORIGIN)
    used, _ = hot.memory()
    kept = dict(hot.sizes())
    assert used < 10 * 2**20
    assert dict(hot.known()) == counted
    assert max(kept.values()) - min(kept.values()) <= PIECE_ROWS, "those with most lines lose them first"
    newest = [line for _, line in hot.lines("1824", last=1)]
    assert newest == ["x" * 200 + str(max(number for number in range(60_000) if number % 13 == 0))]


def test_a_full_server_that_evicts_nothing_is_trimmed_and_one_with_no_lines_left_is_told(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "small", maxmemory="6mb", maxmemory_policy="noeviction") as server:
        hot = server.hot(bytes=2**40, lines=10**6)
        for first in range(0, 60_000, 3_000):
            hot.put(rows(3_000, first=first, text="x" * 200 + "{0}"), ORIGIN)
        assert hot.known() == [("1824", 60_000)]
        assert 0 < sum(count for _, count in hot.sizes()) < 30_000
        hot.trim(1.0)
        server.client().config_set("maxmemory", "1mb")
        with pytest.raises(LiveFullError, match="it is full; raise its maxmemory"):
            hot.put(rows(10, first=60_000), ORIGIN)


def test_where_keys_with_an_expiry_are_evicted_lines_go_and_counters_stay(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "evicts", maxmemory="6mb", maxmemory_policy="volatile-ttl") as server:
        hot = server.hot(bytes=2**40, lines=10**6)
        for first in range(0, 60_000, 3_000):
            hot.put(rows(3_000, first=first, collections=20, text="x" * 200 + "{0}"), ORIGIN)
        assert sum(hits for _, hits in hot.known()) == 60_000
        assert sum(count for _, count in hot.sizes()) < 60_000


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"maxmemory": "0"}, "it has no maxmemory"),
        ({"maxmemory_policy": "allkeys-lru"}, r"it evicts any key when it is full \(allkeys-lru\), also counters"),
        ({"requirepass": "hunter22"}, "it wants another user or password"),
    ],
)
def test_a_server_that_is_not_fit_is_refused(tmp_path: Path, options: dict[str, str], says: str) -> None:
    with RedisServer(tmp_path / "unfit", **options) as server:
        with pytest.raises(LiveError, match=says) as caught:
            server.hot()
        assert "hunter22" not in str(caught.value)
        fit = (
            {"redis": server.url.replace("//", "//:hunter22@")}
            if "requirepass" in options
            else {"allow_unbounded": True}
        )
        server.hot(**fit).put(rows(1), ORIGIN)


def test_a_user_with_the_documented_rights_can_write_and_one_without_is_told(redis: RedisServer) -> None:
    client = redis.client()
    rights = "+@read +@write +@scripting +@pubsub +@connection +@transaction +info +time ~* &logshed:*"
    client.execute_command("ACL", "SETUSER", "shed", "on", ">secret", *rights.split())
    client.execute_command("ACL", "SETUSER", "poor", "on", ">secret", "+@read", "+@connection", "+info", "~*")
    url = redis.url.replace("//", "//{}:secret@")
    hot = redis.hot(redis=url.format("shed"))
    hot.put(rows(5), ORIGIN)
    hot.trim(0.5)
    hot.begin_rebuild("lake", "b", ["c"])
    with pytest.raises(LiveError, match="its user may not do "):
        redis.hot(redis=url.format("poor")).put(rows(5), ORIGIN)


def test_no_server_is_told_with_what_to_do(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "none")
    with pytest.raises(LiveError, match=rf"cannot use the hot store at 127.0.0.1:{server.port}: .*; look whether"):
        server.hot()


def test_a_slow_server_is_waited_for(redis: RedisServer) -> None:
    hot = redis.hot()
    redis.client().client_pause(1_500)
    assert hot.put(rows(3_000), ORIGIN) == 3_000


def test_a_restarted_server_goes_on_and_a_killed_one_is_waited_for(redis: RedisServer) -> None:
    hot = redis.hot()
    hot.put(rows(100), ORIGIN)
    redis.kill()
    redis.start()
    hot.put(rows(200), ORIGIN)
    assert hot.known() == [("1824", 200)]


def test_a_replica_that_takes_over_is_written_to_and_nothing_counts_twice(tmp_path: Path) -> None:
    origin = Origin(keys.cursor("lake", "b1"), strict=True, batches=f"{keys.BATCHES}lake", batch="b1")
    with RedisServer(tmp_path / "one") as one, RedisServer(tmp_path / "two") as two:
        replica = two.client()
        replica.replicaof("127.0.0.1", one.port)
        one.hot().put(rows(3_000), ORIGIN)
        one.client().wait(1, 5_000)
        one.kill()
        replica.replicaof("NO", "ONE")
        hot = two.hot()
        hot.put(rows(4_000), ORIGIN)
        hot.put(rows(1_000, first=4_000), origin)
        assert hot.known() == [("1824", 5_000)]


def test_writers_at_the_same_time_lose_and_double_nothing(redis: RedisServer) -> None:
    whole = rows(10_000, collections=3, text="same {0}")

    def write(number: int) -> None:
        hot = redis.hot()
        for _ in range(2):
            hot.put(whole, Origin(keys.cursor("shared")))
        hot.put(whole.with_columns(text=pl.lit("equal")), Origin(keys.cursor("own", str(number))))

    threads = [Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    hot = redis.hot()
    assert sum(hits for _, hits in hot.known()) == 50_000
    assert sum(count for _, count in hot.sizes()) == 50_000 - sum(max(0, n - 10_000) for _, n in hot.known())


def test_a_hundred_thousand_collections_are_counted_listed_and_emptied(redis: RedisServer) -> None:
    hot = redis.hot()
    hot.put(rows(100_000, collections=100_000), ORIGIN)
    assert len(hot.known()) == 100_000
    assert len(hot.sizes()) == 100_000
    redis.client().set("another:tool", 1)
    hot.clear()
    assert redis.client().keys("*") == [b"another:tool"]


def test_the_fewest_lines_go_from_those_that_have_fewest() -> None:
    counts = [one * 7919 % 997 + 1 for one in range(50)]
    for left in (0, 49, 50, 1_000, sum(counts) - 1, sum(counts)):
        most = level(counts, left)
        assert sum(min(one, most) for one in counts) <= left
        assert most == max(counts) or sum(min(one, most + 1) for one in counts) > left


def test_lines_are_taken_away_for_good_also_while_others_go(redis: RedisServer) -> None:
    hot, trimmed = redis.hot(), []
    hot.put(rows(9_000), ORIGIN)

    def holds(_: str, lines: list[str]) -> list[bool]:
        if not trimmed:
            trimmed.append(redis.client().zremrangebyrank("logs:collid:1824", 0, 3_999))  # another has no more room
        return [int(line.split()[1]) % 10 == 0 for line in lines]

    hot.remove(holds)
    left = [int(line.split()[1]) for line in redis.client().zrange("logs:collid:1824", 0, -1)]
    assert trimmed == [4_000]
    assert left == [number for number in range(4_000, 9_000) if number % 10]
