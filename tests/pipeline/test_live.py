"""What comes into a lake comes into the hot store, once; the lake is the truth from which it is rebuilt."""

from __future__ import annotations

import random
import time
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from tests.enrichment import databases
from tests.redis_server import RedisServer

from logshed.api import Lake
from logshed.errors import LiveError
from logshed.live import keys
from logshed.pipeline.live_import import Choosing, LiveImport
from logshed.pipeline.live_lake import LiveLake
from logshed.pipeline.planning import Options
from logshed.settings import Settings
from logshed.spool import Piece, Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.started import Starter

ADDRESSES = ("198.51.100.7", "203.0.113.9", "2001:db8::1", "192.0.2.3", "10.0.0.1", "-")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def places(tmp_path: Path) -> Path:
    return databases.written(tmp_path / "city.mmdb", databases.CITY)


def accesses(first: int, count: int) -> str:
    return "".join(
        f"{ADDRESSES[number % len(ADDRESSES)]} - - [20/May/2026:12:{number // 60 % 60:02d}:{number % 60:02d} +0000] "
        f'"GET /a/{number % 5} HTTP/1.1" 200 5 "-" "x" {1800 + number % 3}\n'
        if number % 50
        else f"nothing that any format knows {number}\n"
        for number in range(first, first + count)
    )


def settings(server: RedisServer, places: Path, **live: Any) -> Settings:
    given = {"enabled": True, "redis": server.url, "hours": 24 * 365, "lines": 10**6, **live}
    return Settings.model_validate({"live": given, "enrichment": {"geoip": [str(places)]}})


def counted(server: RedisServer) -> dict[str, Any]:
    """Everything in the hot store but what is Logshed's own."""
    client = server.client()
    found: dict[str, Any] = {}
    for key in sorted(client.keys("*")):
        name = key.decode()
        if name.startswith(keys.OWN):
            continue
        kind = client.type(key)
        if kind == b"zset":
            members = [(one.partition(b"\xff")[0], score) for one, score in client.zrange(key, 0, -1, withscores=True)]
            found[name] = sorted(members)
        else:
            found[name] = client.hgetall(key) if kind == b"hash" else client.get(key)
    return found


def recounted(lake: Lake) -> dict[tuple[str, str, str, str], int]:
    """Records by collection and place, as the lake has them."""
    rows = lake.query(
        "SELECT collection, coalesce(client_geo_country_iso_code, ''), coalesce(client_geo_region, ''), "
        "coalesce(client_geo_locality, ''), count(*) FROM logs WHERE coalesce(item, 0) = 0 GROUP BY ALL"
    ).rows()
    return {(str(row[0]), *map(str, row[1:4])): int(row[4]) for row in rows}  # type: ignore[misc]


def assert_counts(server: RedisServer, lake: Lake) -> None:
    """The counters are what the lake says."""
    client, places = server.client(), recounted(lake)
    hits: dict[str, int] = {}
    countries: dict[str, int] = {}
    for (collection, country, region, city), count in places.items():
        hits[collection] = hits.get(collection, 0) + count
        assert client.zscore(f"location:collid:{collection}", f"{country}-{region}-{city}") == count
        if country:
            for name in (country, f"{country}:{collection}"):
                countries[name] = countries.get(name, 0) + count
    assert client.hgetall("known:") == {f"hits:{name}".encode(): str(count).encode() for name, count in hits.items()}
    found = {key.decode(): int(client.get(key)) for key in client.keys("requests:country:*")}
    assert found == {f"requests:country:{name}": count for name, count in countries.items()}
    assert sum(client.zcard(key) for key in client.keys("logs:collid:*")) == sum(hits.values())


def test_an_ingest_comes_into_the_hot_store_and_a_rebuild_makes_the_same(
    tmp_path: Path, redis: RedisServer, places: Path
) -> None:
    (tmp_path / "a.log").write_text(accesses(0, 500))
    lake = Lake.open(tmp_path / "lake", create=True, settings=settings(redis, places))
    assert lake.ingest([tmp_path / "a.log"], collection="shop").live == ""
    with (tmp_path / "a.log").open("a") as file:
        file.write(accesses(500, 300))
    lake.ingest([tmp_path / "a.log"], collection="shop")
    with Spool(tmp_path / "spool") as spool:
        spool.append([Piece("docker:web1/a", "other", accesses(800, 100).encode(), {}, format="access_extended")])
    lake.ingest([f"spool:{tmp_path}/spool"])
    assert_counts(redis, lake)
    before = counted(redis)
    assert before["location:collid:other"]
    done = lake.rebuild_live(None)
    assert (done.records, done.collections) == (900, 2)
    assert counted(redis) == before
    lake.ingest([tmp_path / "a.log"], collection="shop")
    assert counted(redis) == before, "nothing is new"


def test_what_was_imported_counts_once_when_it_is_ingested_and_the_other_way_round(
    tmp_path: Path, redis: RedisServer, places: Path
) -> None:
    own, log, other = settings(redis, places), tmp_path / "a.log", tmp_path / "b.log"
    log.write_text(accesses(0, 100))
    other.write_text(accesses(1000, 70))
    choosing, stop = Choosing(), Event()

    def imported(path: Path) -> int:
        return LiveImport(redis.hot(lines=10**6), own, Options(), choosing).run([str(path)], stop).counted

    assert imported(log) == 100
    lake = Lake.open(tmp_path / "lake", create=True, settings=own)
    lake.ingest([log, other])
    assert redis.hot().known() == [("default", 170)]
    with log.open("a") as file:
        file.write(accesses(100, 30))
    assert (imported(log), imported(other)) == (30, 0)
    lake.ingest([log])
    assert_counts(redis, lake)
    lake.rebuild_live(None)
    assert (imported(log), imported(other)) == (0, 0)


def test_a_lake_that_is_compacted_counts_nothing_twice_and_is_rebuilt_from(
    tmp_path: Path, redis: RedisServer, places: Path
) -> None:
    lake, log = Lake.open(tmp_path / "lake", create=True, settings=settings(redis, places)), tmp_path / "a.log"
    for number in range(6):
        with log.open("a") as file:
            file.write(accesses(number * 50, 50))
        lake.ingest([log])
    before = counted(redis)
    assert any(one.commits for one in lake.maintain(["compact"]))
    (tmp_path / "b.log").write_text(accesses(1000, 20))
    lake.ingest([tmp_path / "b.log"])
    assert_counts(redis, lake)
    (tmp_path / "b.log").unlink()
    assert lake.rebuild_live(None).records == 320
    assert counted(redis)["known:"] == {b"hits:default": b"320"}
    assert before["known:"] == {b"hits:default": b"300"}
    assert_counts(redis, lake)


def test_lines_of_no_time_stand_where_they_stood(tmp_path: Path, redis: RedisServer, places: Path) -> None:
    (tmp_path / "a.log").write_text(accesses(1, 60))
    lake = Lake.open(tmp_path / "lake", create=True, settings=settings(redis, places))
    lake.ingest([tmp_path / "a.log"], collection="shop")
    lines = [line for _, line in redis.hot().lines("shop")]
    assert lines.index("nothing that any format knows 50") == 49


def test_a_store_that_is_down_stops_no_ingest_and_gets_all_once_it_is_back(
    tmp_path: Path, redis: RedisServer, places: Path
) -> None:
    (tmp_path / "a.log").write_text(accesses(0, 100))
    lake = Lake.open(tmp_path / "lake", create=True, settings=settings(redis, places))
    lake.ingest([tmp_path / "a.log"])
    redis.kill()
    (tmp_path / "b.log").write_text(accesses(100, 100))
    report = lake.ingest([tmp_path / "b.log"])
    assert report.totals.read == 100
    assert report.live.startswith(f"cannot use the hot store at 127.0.0.1:{redis.port}: connection refused; ")
    redis.start()
    (tmp_path / "c.log").write_text(accesses(200, 100))
    assert lake.ingest([tmp_path / "c.log"]).live == ""
    assert_counts(redis, lake)


def test_a_rebuild_that_was_killed_is_told_and_done_again_is_whole(
    tmp_path: Path, redis: RedisServer, places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.log").write_text(accesses(0, 300))
    lake = Lake.open(tmp_path / "lake", create=True, settings=settings(redis, places))
    lake.ingest([tmp_path / "a.log"])
    before = counted(redis)
    hot = redis.hot()
    monkeypatch.setattr(hot, "put", lambda *_: (_ for _ in ()).throw(LiveError("killed")))
    with pytest.raises(LiveError, match="killed"):
        LiveLake(lake._opened(), hot).rebuild(None)
    assert redis.hot().rebuilding()
    assert counted(redis) == {}
    lake.rebuild_live(None)
    assert (redis.hot().rebuilding(), counted(redis)) == ("", before)


def test_only_records_of_a_time_and_later_are_rebuilt(tmp_path: Path, redis: RedisServer, places: Path) -> None:
    (tmp_path / "a.log").write_text(accesses(1, 40))
    lake = Lake.open(tmp_path / "lake", create=True, settings=settings(redis, places))
    lake.ingest([tmp_path / "a.log"])
    since = lake.query("SELECT max(timestamp) - INTERVAL 9 SECOND FROM logs").rows()[0][0]
    assert lake.rebuild_live(since).records == 10  # type: ignore[arg-type]
    assert redis.hot().known() == [("default", 10)]


@pytest.mark.slow
def test_ingests_killed_at_random_moments_count_everything_once(
    tmp_path: Path, redis: RedisServer, places: Path, starter: Starter, environment: dict[str, str]
) -> None:
    chance = random.Random(20261126)  # noqa: S311 - moments, no secrets
    log, written = tmp_path / "a.log", 0
    environment = {
        **environment,
        "LOGSHED_LIVE_ENABLED": "true",
        "LOGSHED_LIVE_REDIS": redis.url,
        "LOGSHED_LIVE_HOURS": "8760",
        "LOGSHED_LIVE_LINES": "1000000",
        "LOGSHED_ENRICHMENT_GEOIP": str(places),
        "LOGSHED_SPLIT_BYTES": "65536",
    }
    words = ["ingest", str(log), "--lake", str(tmp_path / "lake")]
    for kills in range(8):
        with log.open("a") as file:
            file.write(accesses(written, 4_000))
        written += 4_000
        process = starter.open(words, tmp_path, environment)
        if kills % 4 == 3:
            redis.kill()
            redis.start()
        if kills < 7:
            time.sleep(chance.uniform(0.1, 1.5))
            process.kill()
        assert process.wait(60) in (0, -9)
    lake = Lake.open(tmp_path / "lake", settings=settings(redis, places))
    assert lake.query("SELECT count(*) FROM logs").rows() == [(written,)]
    (tmp_path / "b.log").write_text(accesses(0, 10))
    lake.ingest([tmp_path / "b.log"])
    assert_counts(redis, lake)


@pytest.mark.slow
def test_imports_killed_at_random_moments_count_everything_once(
    tmp_path: Path, redis: RedisServer, starter: Starter, environment: dict[str, str]
) -> None:
    chance = random.Random(20261127)  # noqa: S311 - moments, no secrets
    log = tmp_path / "a.log"
    log.write_text(accesses(1, 40_000))
    environment = {
        **environment,
        "LOGSHED_LIVE_REDIS": redis.url,
        "LOGSHED_LIVE_HOURS": "8760",
        "LOGSHED_LIVE_LINES": "1000000",
        "LOGSHED_BATCH_BYTES": "262144",
    }
    words = ["live", "import", str(log), "--collection", "x"]
    counts = []
    while not counts or (counts[-1] < 40_000 and len(counts) < 30):
        process = starter.open(words, tmp_path, environment)
        if len(counts) < 6:
            time.sleep(chance.uniform(0.1, 1.5))
            process.kill()
        process.wait(120)
        counts.append(int(redis.client().hget("known:", "hits:x") or 0))
    assert counts[-1] == 40_000, counts
    assert redis.client().zcard("logs:collid:x") == 40_000
