"""A place in a container's log: whatever the times, however it is cut, lines come once and none is missed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.sources.kubernetes_position import Position, Resumed, foreign

START = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


def log(seed: int, count: int, *, zone: str = "Z", coarse: bool = False) -> list[bytes]:
    """A log: several lines of one time, and times that go back by less than a second."""
    chance = random.Random(seed)  # noqa: S311 - a test's data
    moment, lines = START, []
    for number in range(count):
        moment += timedelta(microseconds=chance.choice((0, 0, 1, 900, 40_000, 700_000)))
        shown = moment - timedelta(microseconds=chance.choice((0, 0, 0, 300_000)))
        shown = shown.replace(microsecond=0) if coarse else shown
        if zone != "Z":
            shown += timedelta(hours=2)
        lines.append(f"{shown:%Y-%m-%dT%H:%M:%S.%f}000{zone} line {number}".encode())
    return lines


def answer(lines: list[bytes], position: Position) -> list[bytes]:
    """What the API gives: lines from a whole second on, in the order of the file."""
    if position.since is None:
        return lines
    return [line for line in lines if datetime.fromisoformat(line.split(b" ")[0].decode()) >= position.since]


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(0, 60), min_size=1, max_size=8), st.booleans(), st.booleans())
def test_a_log_that_is_cut_anywhere_is_read_once_and_whole(
    seed: int, cuts: list[int], coarse: bool, zoned: bool
) -> None:
    lines = log(seed, 200, zone="+02:00" if zoned else "Z", coarse=coarse)
    position, got, written = Position(), [], 0
    for cut in [*cuts, 200]:
        written = min(200, written + cut)
        resumed = Resumed(position)
        given_lines = answer(lines[:written], position)
        for begin in range(0, len(given_lines), 7):
            new = resumed.new(given_lines[begin : begin + 7])
            resumed.position = resumed.position.after(new)
            got += new
        position = Position.of(resumed.position.as_dict())
        assert not resumed.shortened
    assert got == lines


def test_the_cursor_of_some_lines_is_that_of_having_got_no_more() -> None:
    lines = log(1, 100)
    for taken in range(100):
        assert Position().after(lines).after([]) == Position().after(lines)
        assert Position().after(lines[:taken]).after(lines[taken:]) == Position().after(lines)


def test_after_the_front_of_a_log_was_cut_off_what_is_later_is_new() -> None:
    lines = [f"2026-01-05T10:00:{number:02d}.000000000Z line {number}".encode() for number in range(60)]
    for front, new_from in ((29, 31), (30, 31), (31, 31), (40, 40)):
        resumed = Resumed(Position().after(lines[:31]))
        assert resumed.new(answer(lines[front:], resumed.position)) == lines[new_from:]
        assert resumed.shortened == (front > 29)


def test_lines_of_the_last_ones_time_are_told_apart_by_their_number() -> None:
    lines = [f"2026-01-05T10:00:00.000000005Z line {number}".encode() for number in range(40)]
    resumed = Resumed(Position().after(lines[:12]))
    assert resumed.new(lines) == lines[12:]


def test_a_cursor_holds_no_word_of_a_line() -> None:
    cursor = Position().after([b"2026-01-05T10:00:00.000000001Z password=hunter2"]).as_dict()
    assert cursor == {
        "seconds": [["2026-01-05T10:00:00", 1, "2026-01-05T10:00:00.000000001Z"]],
        "last": "2026-01-05T10:00:00.000000001Z",
        "same": 1,
    }


def test_what_bears_no_time_is_no_line_of_a_log() -> None:
    assert foreign([b"2026-01-05T10:00:00.0Z fine", b"unable to retrieve container logs for containerd://1"])
    assert not foreign([b"2026-01-05T10:00:00.0Z fine", b"2026-01-05T10:00:00.0Z"])
