"""``logshed live``, by hand, on a real Redis."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.enrichment import databases
from tests.redis_server import RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Run

LINE = '192.0.2.1 - - [20/May/2026:12:00:{0:02d} +0000] "GET /{0} HTTP/1.1" {1} 5 "-" "x" bob@example.com {2}\n'
LINES = "".join(LINE.format(number, 500 if number % 10 == 0 else 200, 1824 + number % 2) for number in range(60))
TRUTH = Path(__file__).parents[3] / "shared" / "truth" / "files" / "apache_logs" / "apache_logs"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def env(redis: RedisServer) -> dict[str, str]:
    return {"LOGSHED_LIVE_REDIS": redis.url}


def test_piped_lines_come_into_their_collections_redacted(
    logshed: Run, env: dict[str, str], redis: RedisServer
) -> None:
    words = ("live", "import", "--collection-from", " ([0-9]+)$", "--json")
    done = logshed(*words, stdin=LINES + "no id here\n", env=env)
    told = json.loads(done.stdout)
    assert (told["lines"], told["counted"], told["dropped"]) == (61, 60, {"no collection": 1})
    assert told["redacted"] == {"email": 60}
    shown = logshed("live", "show", "1825", "--last", "2", "--raw", env=env).stdout
    assert shown == "".join(LINE.format(number, 200, 1825).replace("bob@example.com", "[EMAIL]") for number in (57, 59))
    assert not any(b"bob@" in one for one in redis.client().zrange("logs:collid:1824", 0, -1))
    known = json.loads(logshed("live", "known", "--json", env=env).stdout)
    assert known == [{"collection": "1824", "hits": 30}, {"collection": "1825", "hits": 30}]


def test_lines_can_be_chosen_and_those_without_an_id_kept(logshed: Run, env: dict[str, str]) -> None:
    words = ("live", "import", "--collection-from", "id=([0-9]+)", "--keep-unmatched", "rest", "--json")
    chosen = ("--match", "GET /[0-4]", "--where", "http_response_status_code >= 500")
    assert json.loads(logshed(*words, *chosen, stdin=LINES, env=env).stdout)["counted"] == 5
    assert "rest" in logshed("live", "known", env=env).stdout


def test_a_file_counts_once_also_as_standard_input_and_a_pipe_is_new_each_time(
    logshed: Run, env: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "a.log"
    log.write_text(LINES)
    counted = [json.loads(logshed("live", "import", log, "--json", env=env).stdout)["counted"]]
    with log.open("a") as file:
        file.write(LINE.format(1, 200, 7))
    counted.append(json.loads(logshed("live", "import", log, "--json", env=env).stdout)["counted"])
    with log.open("rb") as file:
        done = subprocess.run(
            [sys.executable, "-m", "logshed", "live", "import", "--json", "-"],
            stdin=file, capture_output=True, check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **env},
        )  # fmt: skip
    counted.append(json.loads(done.stdout)["counted"])
    counted += [json.loads(logshed("live", "import", "--json", stdin=LINES, env=env).stdout)["counted"] for _ in "12"]
    assert counted == [60, 1, 0, 60, 60]


def test_what_comes_is_followed_filtered_by_its_columns(
    logshed: Run, env: dict[str, str], tmp_path: Path, environment: dict[str, str]
) -> None:
    logshed("live", "import", "--collection", "shop", stdin=LINES, env=env)
    with (tmp_path / "out").open("wb") as out:
        words = ["live", "tail", "shop", "--where", "http_response_status_code >= 500", "--raw"]
        process = subprocess.Popen(
            [sys.executable, "-m", "logshed", *words], stdout=out, env={**environment, **env}, cwd=tmp_path
        )
        try:
            client = RedisServer.client_of(env["LOGSHED_LIVE_REDIS"])
            until(client.pubsub_channels)
            logshed("live", "import", "--collection", "shop", stdin=LINES, env=env)
            until(lambda: (tmp_path / "out").read_text().count("\n") == 6)
        finally:
            process.terminate()
            assert process.wait(60) == 0
    assert [line.split('"')[1] for line in (tmp_path / "out").read_text().splitlines()] == [
        f"GET /{number} HTTP/1.1" for number in range(0, 60, 10)
    ]


def test_countries_places_and_figures_are_shown(logshed: Run, env: dict[str, str], tmp_path: Path) -> None:
    places = databases.written(tmp_path / "city.mmdb", databases.CITY)
    geo = {**env, "LOGSHED_ENRICHMENT_GEOIP": str(places)}
    paris = LINES.replace("192.0.2.1", "198.51.100.1")
    logshed("live", "import", "--collection", "a", stdin=paris, env=geo)
    logshed("live", "import", "--collection", "b", stdin=paris + paris + LINES, env=geo)
    assert "FR-Île-de-France-Paris" in logshed("live", "locations", "b", env=env).stdout
    told = json.loads(logshed("live", "countries", "--collection", "a", "--json", env=env).stdout)
    assert told == [{"country": "FR", "count": 60, "share": 1.0, "share_of_country": 1 / 3}]
    stats = json.loads(logshed("live", "stats", "--json", env=env).stdout)
    assert (stats["hits"], stats["lines"], stats["collections"]) == (240, 240, 2)
    assert logshed("live", "trim", "--share", "50", env=env).stdout.startswith("120 lines trimmed")
    assert "240 records of 2 collections counted, 120 lines kept" in logshed("live", "stats", env=env).stdout


def until(holds: Callable[[], Any]) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it did not come about within a minute"
        time.sleep(0.05)


def importing(folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """An import that reads a pipe, which stays open."""
    words = [sys.executable, "-m", "logshed", "live", "import", "--collection", "x"]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(words, **pipes, env=environment, cwd=folder, text=True)


def write(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None
    process.stdin.write(text)
    process.stdin.flush()


def unread(process: subprocess.Popen[str]) -> int:
    """Bytes of its pipe that it has not read yet."""
    assert process.stdin is not None
    told = fcntl.ioctl(process.stdin, termios.FIONREAD, bytes(4))
    return int.from_bytes(told, sys.byteorder)


def test_stopping_counts_what_came_also_a_line_without_its_end(
    env: dict[str, str], redis: RedisServer, tmp_path: Path, environment: dict[str, str]
) -> None:
    with importing(tmp_path, {**environment, **env}) as process:
        write(process, LINES)
        until(lambda: redis.client().hget("known:", "hits:x") == b"60")
        write(process, "half a line")
        until(lambda: unread(process) == 0)
        process.terminate()
        assert process.wait(60) == 0
    assert redis.client().hget("known:", "hits:x") == b"61"


def test_a_store_that_vanishes_ends_an_import_that_waits_for_lines(
    env: dict[str, str], redis: RedisServer, tmp_path: Path, environment: dict[str, str]
) -> None:
    with importing(tmp_path, {**environment, **env}) as process:
        redis.kill()
        write(process, LINES)
        assert process.wait(60) == 1
        assert process.stderr is not None
        assert "cannot use the hot store at" in process.stderr.read()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("import", "--collection-from", "no group"), 2, "has no group"),
        (("import", "--match", "("), 2, "is no regular expression"),
        (("import", "--where", "nothing > 1"), 2, "cannot use transform"),
        (("import", "--redis", "http://x"), 2, "that is no URL of a Redis"),
        (("import", "--redis", "redis://:hunter22@127.0.0.1:1"), 1, "cannot use the hot store at 127.0.0.1:1: "),
        (("show", "none"), 0, "no lines of none there"),
        (("known",), 0, "no collection has a hit yet"),
    ],
)
def test_bad_input_is_told(logshed: Run, env: dict[str, str], words: tuple[str, ...], code: int, says: str) -> None:
    done = logshed("live", *words, stdin=LINES, env=env)
    assert (done.returncode, says in done.stderr, "hunter22" in done.stderr) == (code, True, False), done.stderr


@pytest.mark.truth
@pytest.mark.skipif(not TRUTH.is_file(), reason="needs ../shared/truth beside the checkout")
def test_a_real_log_comes_whole_in_the_order_of_its_time(logshed: Run, env: dict[str, str], redis: RedisServer) -> None:
    done = logshed("live", "import", TRUTH, "--collection", "web", "--json", env={**env, "LOGSHED_LIVE_HOURS": "8760"})
    assert json.loads(done.stdout)["counted"] == 10_000
    scores = [score for _, score in redis.client().zrange("logs:collid:web", 0, -1, withscores=True)]
    assert (len(scores), scores) == (10_000, sorted(scores))
