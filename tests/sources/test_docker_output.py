"""What Docker prints becomes lines, wherever it is cut, and goes on behind the last one without loss or repetition."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from logshed.sources.docker_output import PIECE_BYTES, SAME, Output, Place, fixed

KEY = b"key"
START = "2026-01-05T10:00:00.{:09d}Z"
TEXTS = st.text(st.characters(exclude_characters="\n", exclude_categories=("Cs",)), max_size=20)
LINES = st.lists(st.tuples(st.integers(0, 2), TEXTS), max_size=30)


def printed(lines: list[tuple[int, str]]) -> list[bytes]:
    """Lines as Docker prints them; their times go on by the numbers, so that several may have one."""
    now, found = 0, []
    for step, text in lines:
        now += step
        found.append(f"{START.format(now)} {text}\n".encode())
    return found


def read(data: bytes, place: Place = Place(), started: str = "", size: int = 7) -> list[bytes]:  # noqa: B008 - frozen
    output = Output("stdout", place, KEY, started)
    lines = [line for at in range(0, len(data), size) for line in output.feed(data[at : at + size])]
    return [*lines, *output.finish()]


@given(LINES, st.integers(1, 200))
def test_lines_are_the_same_wherever_the_bytes_are_cut(lines: list[tuple[int, str]], size: int) -> None:
    whole = printed(lines)
    assert read(b"".join(whole), size=size) == [one[:31] + b"stdout F " + one[31:-1] for one in whole]


@given(LINES, st.data())
def test_going_on_anywhere_repeats_and_misses_nothing(lines: list[tuple[int, str]], data: st.DataObject) -> None:
    whole = printed(lines)
    every = read(b"".join(whole))
    place, came, cuts = Place(), 0, data.draw(st.lists(st.integers(0, len(whole)), max_size=4))
    for cut in [*sorted(cuts), len(whole)]:
        kept = [one for one in whole[:cut] if one[:30].decode() >= place.time]  # `--since` takes that time too
        new = read(b"".join(kept), Place.of(place.cursor()))
        assert new == every[came:cut]
        half = data.draw(st.integers(0, len(new)))
        place, came = place.after(new[:half], KEY).after(new[half:], KEY), cut


def test_a_cursor_holds_nothing_of_a_line_and_does_not_grow_without_end() -> None:
    lines = read(b"".join(printed([(0, f"secret {number}") for number in range(3 * SAME)])))
    place = Place().after(lines, KEY)
    assert (len(place.same), place.before) == (SAME, 2 * SAME)
    assert "secret" not in str(place.cursor())
    assert place == Place().after(lines[:10], KEY).after(lines[10:], KEY)
    assert Place().after(lines[:1], KEY).same != Place().after(lines[:1], b"other").same
    assert read(b"".join(printed([(0, f"secret {number}") for number in range(3 * SAME + 1)])), place, size=4096) == [
        f"{START.format(0)} stdout F secret {3 * SAME}".encode()
    ]


def test_a_long_line_comes_in_pieces_with_marks() -> None:
    head, text = START.format(1).encode() + b" ", b"x" * PIECE_BYTES
    data = head + text + head + text + head + b"end\n" + head + b"next\n"
    marks = [(line[31:40], len(line) - 40) for line in read(data, size=9_999)]
    assert marks == [(b"stdout P ", PIECE_BYTES), (b"stdout P ", PIECE_BYTES), (b"stdout F ", 3), (b"stdout F ", 4)]
    replaced = "\N{REPLACEMENT CHARACTER}".encode() * PIECE_BYTES  # each was one byte that is no UTF-8
    assert [line[38:39] for line in read(head + replaced + head + b"end\n", size=50_000)] == [b"P", b"F"]


def test_memory_does_not_grow_with_a_line_that_does_not_end() -> None:
    head = START.format(1).encode() + b" "
    output, came = Output("stderr", Place(), KEY), 0
    for _ in range(500):
        came += len(output.feed(head + b"x" * PIECE_BYTES))
        assert len(output._rest) < 6 * (PIECE_BYTES + len(head))
    assert came > 490


def test_a_time_that_a_line_speaks_of_does_not_cut_it() -> None:
    said = START.format(2)
    line = f"{START.format(1)} next run at {said} or later\n".encode()
    assert read(line, started="2026-01-05T09:00:00.5Z") == [line[:31] + b"stdout F " + line[31:-1]]


def test_the_last_line_of_a_run_without_a_line_feed_is_a_line_of_its_own() -> None:
    first, second = START.format(1), "2026-01-05T10:00:09.000000001Z"
    data = f"{first} no end{second} begun\n{second} more\n".encode()
    lines = read(data, started="2026-01-05T10:00:09.25Z")
    assert [line[40:] for line in lines] == [b"no end", b"begun", b"more"]
    known = Place().after(lines[:1], KEY)
    assert [line[40:] for line in read(data, known)] == [b"begun", b"more"]  # even where no start is known


def test_what_docker_itself_says_is_no_line_of_the_container() -> None:
    output = Output("stderr", Place(), KEY)
    assert output.feed(b"Error response from daemon: no\n" + printed([(0, "x")])[0]) == [
        f"{START.format(0)} stderr F x".encode()
    ]
    assert output.words == b"Error response from daemon: no\n"


def test_times_of_the_state_are_as_those_of_the_lines() -> None:
    assert fixed("2026-01-05T10:00:00.12Z") == b"2026-01-05T10:00:00.120000000Z"
    assert fixed("2026-01-05T10:00:00Z", -1) == b"2026-01-05T09:59:59.000000000Z"
    assert fixed("0001-01-01T00:00:00Z") == b""


def test_a_million_lines_take_few_seconds() -> None:
    data = b"".join(f"{START.format(number)} INFO line {number}\n".encode() for number in range(200_000)) * 5
    output, begun, came = Output("stdout", Place(), KEY), time.process_time(), 0
    for at in range(0, len(data), 2**16):
        came += len(output.feed(data[at : at + 2**16]))
    assert came == 1_000_000
    assert time.process_time() - begun < 10
