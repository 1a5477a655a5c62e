"""Lines are gathered for those who read along, and very many of them stay a small message."""

from __future__ import annotations

import orjson
import pytest

from logshed.doors.line_ticks import LONGEST_LINE, MOST_LINES, Lines
from logshed.live.events import Event


def event(number: int, collection: str, line: str = "line {}") -> Event:
    return Event(float(number), collection, "", "", "", None, None, line.format(number))


def test_each_sees_the_lines_of_their_collections_and_all_are_counted() -> None:
    gathering = Lines()
    gathering.add([event(number, "ab"[number % 2]) for number in range(10)])
    tick = gathering.tick(7)
    told = orjson.loads(tick.told("a".__eq__))
    assert told == {"by": {"a": {"n": 5, "l": [[float(one), f"line {one}"] for one in range(0, 10, 2)]}}}
    assert orjson.loads(tick.told(lambda _: True))["by"].keys() == {"a", "b"}
    assert tick.told(lambda _: False) == b""
    assert not gathering


@pytest.mark.parametrize("line", ["x" * 100_000, "broken \ud800 text {}"])
def test_of_very_many_and_very_long_lines_the_newest_come_cut(line: str) -> None:
    gathering = Lines()
    gathering.add([event(number, "a", line) for number in range(5_000)])
    tick = gathering.tick(1)
    part = orjson.loads(tick.told(lambda _: True))["by"]["a"]
    assert part["n"] == 5_000
    assert [at for at, _ in part["l"]] == [float(one) for one in range(5_000 - MOST_LINES, 5_000)]
    assert max(len(text) for _, text in part["l"]) <= LONGEST_LINE
