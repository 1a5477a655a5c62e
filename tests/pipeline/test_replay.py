from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sql.conftest import record, write_lake

import logshed
from logshed.errors import LogshedError, QueryError, ReplayError, UsageError
from logshed.pipeline import replay_slices
from logshed.pipeline.replay import TICK, Replay
from logshed.pipeline.replay_ahead import PORTION_BYTES
from logshed.pipeline.replay_clock import MICROSECONDS, Clock, Window
from logshed.pipeline.replay_records import LakeRecords, microseconds
from logshed.pipeline.replay_slices import Wanted, condition
from logshed.pipeline.replay_words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from logshed.api import Lake
    from logshed.pipeline.replay import Command, State
    from logshed.pipeline.replay_records import Form

DAY = datetime(2026, 11, 20, tzinfo=UTC)
NEXT = DAY + timedelta(days=1)
NOON = microseconds(DAY + timedelta(hours=12))


SLEEPER = """
import json, select, sys, time
begun, late = time.monotonic(), []
while not select.select([sys.stdin], [], [], 0)[0]:
    time.sleep(0.004)
    now = time.monotonic()
    late += [now - begun - due / 1000 for due in range(len(late), int(1000 * (now - begun)))]
late.sort()
print(json.dumps({"worst": late[-1], "p99": late[int(0.99 * len(late))]}))
"""
"""What is due each millisecond, looked at each four."""


class Taken:
    """A sink that notes the time of each record and when it came."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.got: list[tuple[float, int, str]] = []
        self.calls = 0

    def make(self, records: pl.DataFrame) -> Any:
        """Keep them."""
        return list(zip(records["at"], records["text"], strict=True))

    def send(self, payload: Any, first: int, last: int) -> None:
        """Note them."""
        moment = self.now()
        self.calls += 1
        self.got += [(moment, at, text) for at, text in payload[first:last]]

    def close(self) -> None:
        """Nothing waits."""

    @property
    def texts(self) -> list[str]:
        """What came."""
        return [text for _, _, text in self.got]


class Script:
    """Controls whose clock runs only while the replay waits for a time, and that command at times of their own.

    Attributes:
        replay: Whose; no time passes while it waits for its reader.
    """

    def __init__(self, *commands: tuple[float, Command]) -> None:
        self.replay: Replay | None = None
        self._left = list(commands)
        self._present = 1000.0
        self.begun = 0.0

    def now(self) -> float:
        """The present."""
        return self._present

    def wait(self, seconds: float) -> list[Command]:
        """Let time pass."""
        while self.replay is not None and reads(self.replay):
            time.sleep(0.001)
        self.begun = self.begun or self._present
        self._present += seconds
        due = [command for at, command in self._left if self._present - self.begun >= at]
        self._left = self._left[len(due) :]
        return due


def reads(replay: Replay) -> bool:
    """Whether it has nothing to emit until its reader hands over something."""
    ahead = replay._ahead
    return replay._portion is None and not ahead.ended and ahead._ready.empty()


class Few:
    """Records of a day: one every ten minutes, each with its number as text."""

    def extent(self) -> tuple[int, int]:
        """The day."""
        return microseconds(DAY), microseconds(NEXT)

    def frames(self, since: int) -> Iterator[pl.DataFrame]:
        """Of half a day at a time."""
        for half in (range(72), range(72, 144)):
            at = [microseconds(DAY + timedelta(minutes=10 * number)) for number in half]
            frame = pl.DataFrame({"at": at, "text": [str(number) for number in half]})
            yield frame.filter(pl.col("at") >= since)


def numbers(sink: Taken) -> list[int]:
    return [int(text) for text in sink.texts]


def played(*commands: tuple[float, Command], **options: Any) -> tuple[Taken, Replay, Script]:
    script = Script(*commands)
    sink = Taken(script.now)
    window = Words(duration="144s").window(Few())
    script.replay = replay = Replay(Few(), window, sink, controls=script, **options)
    replay.run()
    return sink, replay, script


def lines(count: int) -> list[str]:
    """An access log of a day, more in the evening than in the morning, so that gaps differ."""
    found = []
    for number in range(count):
        when = DAY + timedelta(days=(number / count) ** 0.7)
        found.append(
            f'192.0.2.1 - - [{when:%d/%b/%Y:%H:%M:%S} +0000] "GET /{number} HTTP/1.1" 200 5 "-" "curl/8.5.0"\n'
        )
    return found


@contextmanager
def oversleeping() -> Iterator[dict[str, float]]:
    """By how much a program that only sleeps is late meanwhile, in seconds: 4 ms on a quiet machine."""
    found: dict[str, float] = {}
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield found
        told, _ = process.communicate(b"enough")
    found.update(json.loads(told))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("replay")
    (folder / "access.log").write_text("".join(lines(3000)))
    lake = logshed.open(folder / "lake", create=True)
    assert lake.ingest([folder / "access.log"]).totals.stored == 3000
    return lake


def test_noon_of_a_day_is_in_the_middle_of_five_minutes() -> None:
    window = Words(since="2026-11-20", until="2026-11-21", duration="5m").window(Few())
    at = pl.Series([microseconds(DAY), NOON, microseconds(NEXT)]).to_numpy()
    assert window.places(at).tolist() == [0, 150, 300]
    assert window.speed == 288
    assert window.moment(0.5) == NOON
    assert Words(speed=288).window(Few()) == window


def test_every_record_comes_at_its_time(day: Lake) -> None:
    sink = Taken()
    records = LakeRecords(day.query, Words(since="2026-11-20", until="2026-11-21").wanted)
    window = Words(duration="10s").window(records)
    begun = [float("inf")]

    def noted(state: State) -> None:
        if 0 < state.share < 1:  # each is a little later than it began; the earliest is the nearest
            begun[0] = min(begun[0], time.monotonic() - state.share * window.length)

    gc.freeze()  # as the command does
    with oversleeping() as machine:
        report = Replay(records, window, sink, progress=noted).run()
    assert sink.texts == [line.rstrip("\n") for line in lines(3000)]
    late = sorted(
        moment - begun[0] - (at - microseconds(DAY)) / MICROSECONDS / window.speed for moment, at, _ in sink.got
    )
    assert late[0] > -0.002
    busy = machine["worst"] >= 0.02  # then whatever sleeps is late, and this is measured by how much
    assert late[int(0.99 * len(late))] <= (0.5 + 10 * machine["p99"] if busy else 0.02)
    assert late[-1] <= (1 + 10 * machine["worst"] if busy else 0.05)
    assert report.latest == pytest.approx(late[-1], abs=0.5 + machine["worst"] if busy else 0.05)
    assert report.records == 3000
    assert 9.99 <= report.seconds <= 10.2 + late[-1]
    assert sink.calls <= 10 / TICK


@given(
    st.lists(st.tuples(st.sampled_from(["pause", "start", "wait"]), st.floats(0, 1e6)), max_size=50),
)
def test_the_place_is_the_time_that_it_ran(acts: list[tuple[str, float]]) -> None:
    present, ran, runs = 5.0, 0.0, False
    clock = Clock(lambda: present)
    for act, seconds in acts:
        if act == "wait":
            present += seconds
            ran += seconds if runs else 0
        elif act == "start":
            clock.start()
            runs = True
        else:
            clock.pause()
            runs = False
        assert clock.place == pytest.approx(ran, abs=1e-6)
        assert clock.paused is not runs


def test_a_replay_that_stands_emits_nothing_and_goes_on_where_it_was() -> None:
    sink, replay, script = played((10, "pause"), (500, "pause"))
    assert numbers(sink) == list(range(144))
    gaps = [after[0] - before[0] for before, after in pairwise(sink.got)]
    assert max(gaps) == pytest.approx(491, abs=0.2)
    assert sorted(gaps)[-2] == pytest.approx(1, abs=0.2)
    assert replay.report.finished
    assert script.now() - script.begun == pytest.approx(144 + 490, abs=0.3)


def test_it_goes_forward_back_and_to_its_beginning() -> None:
    sink, *_ = played((10.5, "forward"), (12.5, "forward"), (20.5, "back"), (30.5, "start"), (31.2, "quit"))
    got = numbers(sink)
    first, second = 10.5 + 7.2, 12.5 + 14.4  # 5 % of 144 s
    assert got[:11] == list(range(11))
    assert got[11] == int(first) + 1
    after = got[got.index(int(first) + 1) :]
    assert int(second) + 1 in after
    back = got.index(max(got[: got.index(0, 1)])) + 1
    assert got[back] < got[back - 1]
    assert got[-1] == 0
    assert got.count(0) == 2


def test_it_goes_no_further_than_its_ends() -> None:
    sink, replay, script = played((1.5, "back"), (3, "forward"), *[(3.0, "forward")] * 30)
    assert numbers(sink)[:2] == [0, 1]
    assert script.now() - script.begun < 5
    assert replay.report.finished


def test_laps_follow_each_other_without_a_gap() -> None:
    sink, *_ = played((144 * 3 + 10.5, "loop"), loops=True)
    assert numbers(sink) == list(range(144)) * 4
    begins = [moment for moment, _, text in sink.got if text == "0"]
    assert [round(after - before, 1) for before, after in pairwise(begins)] == [144, 144, 144]


def test_a_loop_that_is_asked_for_in_the_last_moment_begins_anew() -> None:
    sink, *_ = played((143.9, "loop"), (144 + 5.5, "quit"))
    assert numbers(sink) == [*range(144), *range(6)]


def test_it_begins_where_it_is_told_to() -> None:
    words = Words(duration="144s")
    window = words.window(Few())
    assert words.share("50%", window) == words.share("2026-11-20T12:00", window) == 0.5
    sink, _, script = played(share=0.5)
    assert numbers(sink) == list(range(72, 144))
    assert script.now() - script.begun == pytest.approx(72, abs=0.2)
    for wrong in ("100%", "-1%", "nan%", "%", "2026-11-19", "soon"):
        with pytest.raises(UsageError, match=r"cannot (start at|read the time)"):
            words.share(wrong, window)


def test_what_is_late_is_caught_up_with_and_told() -> None:
    class Slow(Taken):
        def send(self, payload: Any, first: int, last: int) -> None:
            super().send(payload, first, last)
            if len(self.got) == 10:
                script._present += 20  # its reader slept

    script = Script()
    sink = Slow(script.now)
    states: list[State] = []
    window = Words(duration="144s").window(Few())
    script.replay = replay = Replay(Few(), window, sink, controls=script, progress=states.append)
    report = replay.run()
    assert numbers(sink) == list(range(144))
    assert report.latest == pytest.approx(19, abs=0.2)
    assert max(state.late for state in states) == report.latest
    assert states[-1].late < 0.2
    assert script.now() - script.begun == pytest.approx(144, abs=0.3)


def test_errors_of_reading_reach_the_caller() -> None:
    class Broken(Few):
        def frames(self, since: int) -> Iterator[pl.DataFrame]:
            yield from list(super().frames(since))[:1]
            raise QueryError("cannot read the lake: it burns; put it out")

    sink = Taken()
    with pytest.raises(QueryError, match="it burns"):
        Replay(Broken(), Words(duration="1s").window(Few()), sink).run()
    assert len(sink.got) == 72
    assert [thread.name for thread in threading.enumerate() if thread.name == "logshed-replay"] == []


def test_what_does_not_take_records_ends_it_and_says_how_to_go_on() -> None:
    class Full(Taken):
        def send(self, payload: Any, first: int, last: int) -> None:
            super().send(payload, first, last)
            if len(self.got) >= 36:
                raise ReplayError("cannot write to x: no room; make some")

    script = Script()
    script.replay = replay = Replay(Few(), Words(duration="144s").window(Few()), Full(), controls=script)
    with pytest.raises(ReplayError, match=r"no room; make some; then go on with --start-at 24\.3%"):
        replay.run()


def rows(records: LakeRecords, since: int = 0) -> list[tuple[Any, ...]]:
    return [row for frame in records.frames(since) for row in frame.select("at", "text").rows()]


@pytest.mark.parametrize("size", [20, 100_000])
def test_slices_give_what_one_statement_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Years without records, hours with few, and a second with more than a slice."""
    times = [DAY - timedelta(days=3000 - 700 * number) for number in range(5)]
    times += [DAY + timedelta(minutes=7 * number) for number in range(60)] + [DAY] * 30
    found = [record(number, when, body=f"n{number}") for number, when in enumerate(times)]
    write_lake(tmp_path / "lake", found, files=3)
    lake = logshed.open(tmp_path / "lake")
    monkeypatch.setattr(replay_slices, "SLICE_ROWS", size)
    records = LakeRecords(lake.query, Wanted(), "json")
    want = lake.query('SELECT epoch_us("timestamp"), body FROM logs ORDER BY "timestamp", "offset"').rows()
    got = rows(records)
    assert [(at, json.loads(text)["body"]) for at, text in got] == want
    assert records.extent() == (want[0][0], want[-1][0] + 1)
    assert all(one.rows <= size for one in records.slices if one.first != one.last)
    assert rows(records, want[70][0]) == [one for one in got if one[0] >= want[70][0]]


def test_lines_that_rest_no_more_come_as_json(tmp_path: Path) -> None:
    lake = logshed.open(tmp_path / "lake", create=True)
    (tmp_path / "a.log").write_text("".join(lines(20)))
    lake.ingest([tmp_path / "a.log"])
    write_lake(tmp_path / "lake", [record(n, DAY + timedelta(hours=n), body=f"old {n}") for n in range(5)], files=1)
    records = LakeRecords(lake.query, Wanted())
    got = rows(records)
    assert len(got) == 25
    assert got == sorted(got, key=lambda row: row[0])
    assert [text for _, text in got if text.startswith("192.")] == [line.rstrip("\n") for line in lines(20)]
    assert [json.loads(text)["body"] for _, text in got if text.startswith("{")] == [f"old {n}" for n in range(5)]
    assert records.without_line == 5


@pytest.mark.parametrize("form", ["line", "json"])
def test_nothing_comes_that_the_policy_forbids(tmp_path: Path, form: Form) -> None:
    secrets = ("hunter2-secret", "4111111111111111", "jane.roe@example.org")
    texts = [
        f"2026-11-20 10:00:0{n} ERROR [main] com.example.A - login {secret} failed" for n, secret in enumerate(secrets)
    ]
    texts += ['{"ts":"2026-11-20T10:00:05Z","level":"info","password":"hunter2-secret","msg":"x\\u0000\\u001b[2J"}']
    (tmp_path / "a.log").write_text("".join(f"{text.replace('login h', 'password=h')}\n" for text in texts))
    lake = logshed.open(tmp_path / "lake", create=True)
    lake.ingest([tmp_path / "a.log"])
    got = "\n".join(text for _, text in rows(LakeRecords(lake.query, Wanted(), form)))
    assert got.count("failed") == 3
    assert [secret for secret in secrets if secret in got] == []


def test_portions_are_small_however_large_the_records_are() -> None:
    class Large(Few):
        def frames(self, since: int) -> Iterator[pl.DataFrame]:
            at = [since + 1_000_000 * number for number in range(1000)]
            yield pl.DataFrame({"at": at, "text": [f"{number} " + "x" * 100_000 for number in range(1000)]})

    sizes: list[int] = []

    class Measured(Taken):
        def make(self, records: pl.DataFrame) -> Any:
            sizes.append(records["text"].str.len_bytes().sum())
            return super().make(records)

    sink = Measured()
    Replay(Large(), Words(duration="1s").window(Few()), sink).run()
    assert [int(text.split()[0]) for text in sink.texts] == list(range(1000))
    assert max(sizes) < 1.1 * PORTION_BYTES


def test_a_line_with_several_records_comes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def event(minute: int) -> dict[str, Any]:
        return {
            "eventVersion": "1.08", "eventTime": f"2026-11-20T10:{minute:02d}:00Z", "eventSource": "s3.amazonaws.com",
            "eventName": "GetObject", "awsRegion": "eu-west-1", "sourceIPAddress": "192.0.2.7", "eventID": str(minute),
            "userIdentity": {"type": "IAMUser", "userName": "a"}, "eventType": "AwsApiCall",
        }  # fmt: skip

    texts = [json.dumps({"Records": [event(minute) for minute in (first, first + 20, first + 10)]}) for first in (1, 5)]
    (tmp_path / "trail.json").write_text("\n".join(texts) + "\n")
    lake = logshed.open(tmp_path / "lake", create=True)
    lake.ingest([tmp_path / "trail.json"])
    assert lake.query("SELECT count(*), max(item) FROM logs").rows() == [(6, 2)]
    kept = [text for (text,) in lake.query('SELECT text FROM lines ORDER BY "offset"').rows()]
    monkeypatch.setattr(replay_slices, "SLICE_ROWS", 2)
    records = LakeRecords(lake.query, Wanted())
    assert [text for _, text in rows(records)] == kept
    later = microseconds(datetime(2026, 11, 20, 10, 12, tzinfo=UTC))
    assert sorted(text for _, text in rows(records, later)) == sorted(kept)
    assert len(rows(LakeRecords(lake.query, Wanted(), "json"))) == 6


def test_only_the_wanted_collections_and_records_come(tmp_path: Path) -> None:
    write_lake(
        tmp_path / "lake",
        [record(n, DAY + timedelta(hours=n), collection="abc'"[n % 4], body=f"n{n}") for n in range(24)],
        files=1,
    )
    lake = logshed.open(tmp_path / "lake")

    def bodies(*collections: str, where: str | None = None) -> list[str]:
        records = LakeRecords(lake.query, Wanted(None, None, collections, where), "json")
        return [json.loads(text)["body"] for _, text in rows(records)]

    assert bodies("a", "'") == [f"n{n}" for n in range(24) if n % 4 in {0, 3}]
    assert bodies("b", where="body LIKE '%1' -- or so") == ["n1", "n21"]
    for hostile in ("true) OR (true", "true) --", "1; DROP TABLE logs", "true UNION SELECT 1", "", "body =", "'"):
        with pytest.raises(UsageError, match="cannot use the condition"):
            condition(hostile)
    with pytest.raises(QueryError, match="boddy"):
        bodies("a", where="boddy = 'x'")


def test_a_window_without_records_says_where_they_are(tmp_path: Path, day: Lake) -> None:
    with pytest.raises(ReplayError, match="the lake holds 2026-11-20 00:00 to 2026-11-20 23:59 UTC"):
        LakeRecords(day.query, Words(since="2027-01-01").wanted).extent()
    empty = logshed.open(tmp_path / "empty", create=True)
    with pytest.raises(ReplayError, match="the lake is empty; fill it"):
        LakeRecords(empty.query, Wanted()).extent()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (Words(), "nothing says how quickly; give either --duration 5m or --speed 60"),
        (Words(duration="5m", speed=60), "--duration and --speed say two things"),
        (Words(speed=0), "cannot replay at speed 0"),
        (Words(speed=float("nan")), "cannot replay at speed nan"),
        (Words(duration="soon"), "cannot replay in 'soon'"),
        (Words(duration="0s"), "cannot replay in '0s'"),
    ],
)
def test_words_that_say_no_pace_are_told(words: Words, told: str) -> None:
    with pytest.raises(LogshedError, match=told):
        words.window(Few())


def test_a_window_that_ends_before_it_begins_is_told() -> None:
    for since, until in (("2026-11-21", "2026-11-20"), ("2026-11-20", "2026-11-20")):
        with pytest.raises(UsageError, match=f"cannot replay from {since} until {until}: that ends before it begins"):
            _ = Words(since=since, until=until).wanted
    assert Words(since="all").wanted == Wanted()
    berlin = Words(since="2026-11-20", timezone="Europe/Berlin").wanted
    assert berlin.since == DAY - timedelta(hours=1)


def test_a_line_without_a_time_does_not_stretch_the_window(tmp_path: Path) -> None:
    told = [record(n, DAY + timedelta(hours=n), body=f"n{n}") for n in range(24)]
    read = datetime(2027, 5, 1, tzinfo=UTC)
    write_lake(tmp_path / "lake", [*told, record(99, read, body="what?", timestamp_source="observed")], files=1)
    lake = logshed.open(tmp_path / "lake")

    def played_of(words: Words) -> tuple[tuple[int, int], int, int]:
        records = LakeRecords(lake.query, words.wanted, "json")
        sink = Taken()
        report = Replay(records, words.window(records), sink).run()
        return records.extent(), report.records, records.outside()

    hours_23 = microseconds(DAY + timedelta(hours=23))
    assert played_of(Words(speed=1e9)) == ((microseconds(DAY), hours_23 + 1), 24, 1)
    everything = Words(speed=1e9, since="2026-11-20", until="2027-06-01")
    assert played_of(everything) == ((microseconds(DAY), microseconds(datetime(2027, 6, 1, tzinfo=UTC))), 25, 0)
    alone = Words(speed=1e9, since="2027-01-01")
    assert played_of(alone) == ((microseconds(datetime(2027, 1, 1, tzinfo=UTC)), microseconds(read) + 1), 1, 0)


def test_a_window_of_one_record_is_played(tmp_path: Path) -> None:
    write_lake(tmp_path / "lake", [record(0, DAY, body="alone")], files=1)
    records = LakeRecords(logshed.open(tmp_path / "lake").query, Wanted(), "json")
    window = Words(duration="1s").window(records)
    assert window == Window(microseconds(DAY), microseconds(DAY) + 1, 1e-6)
    sink = Taken()
    assert Replay(records, window, sink).run().records == len(sink.got) == 1
