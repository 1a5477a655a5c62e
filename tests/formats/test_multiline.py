"""Joining does not depend on where a source is cut."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logshed.formats.choice import Choice
from logshed.formats.multiline import Joiner, splittable
from logshed.work import Split

if TYPE_CHECKING:
    from collections.abc import Sequence

TRACE = [
    "2024-05-01 10:00:00,123 [main] INFO  com.example.App - Started",
    "2024-05-01 10:00:01,123 [main] ERROR com.example.App - Böse",
    "java.lang.IllegalStateException: no stock",
    "\tat com.example.Orders.place(Orders.java:42)",
    "Caused by: java.net.ConnectException",
    "\t... 12 more",
    "",
    "2024-05-01 10:00:02,123 [main] INFO  com.example.App - End",
]
KEY = ["-----BEGIN RSA PRIVATE KEY-----", *[f"MIIE{n:060d}" for n in range(2)], "-----END RSA PRIVATE KEY-----"]
ACCESS = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1'


SCHEMA = {"text": pl.String(), "offset": pl.Int64(), "cut_bytes": pl.Int64(), "escaped": pl.Boolean()}


def frame_of(lines: list[str]) -> pl.DataFrame:
    """Lines as the sources give them."""
    offsets, position = [], 0
    for line in lines:
        offsets.append(position)
        position += len(line.encode()) + 1
    columns = {"text": lines, "offset": offsets, "cut_bytes": [None] * len(lines), "escaped": [False] * len(lines)}
    return pl.DataFrame(columns, schema=SCHEMA)


def whole(lines: list[str], choice: str, chunks: Sequence[int] = ()) -> list[tuple[str, int, int]]:
    joiner = Joiner(Choice.parse(choice))
    frame = frame_of(lines)
    bounds = sorted({0, *(min(cut, len(lines)) for cut in chunks), len(lines)})
    found = [joiner.push(frame[first:last]) for first, last in itertools.pairwise(bounds)]
    return rows(pl.concat([*found, joiner.finish()])) if found else rows(joiner.finish())


def split(lines: list[str], choice: str, cuts: Sequence[int], chunk: int) -> list[tuple[str, int, int]]:
    """Read the file in byte ranges as the sources do."""
    text = "".join(line + "\n" for line in lines).encode()
    frame = frame_of(lines)
    bounds = sorted({0, *(cut % (len(text) + 1) for cut in cuts), len(text)})
    found = []
    for start, end in itertools.pairwise(bounds):
        mine = frame.filter(pl.col("offset") >= start)
        first = mine["offset"][0] if mine.height else len(text)
        lookback = text[max(0, first - 32_768) : first] if start else b""
        part = Split("file:/x", "/x", "g", start, end, follows=start > 0, continues=end < len(text))
        joiner = Joiner(Choice.parse(choice), part, lookback=lookback)
        for at in range(0, mine.height, chunk):
            found.append(joiner.push(mine[at : at + chunk]))
            if joiner.done:
                break
        found.append(joiner.finish())
    return rows(pl.concat(found))


def rows(frame: pl.DataFrame) -> list[tuple[str, int, int]]:
    return list(frame.select("text", "offset", "line_count").iter_rows())


LINES = st.lists(st.sampled_from([*TRACE, *KEY, ACCESS, "loose text", ""]), min_size=1, max_size=40)


@settings(max_examples=150, deadline=None)
@given(lines=LINES, cuts=st.lists(st.integers(0, 5000), max_size=5), chunk=st.integers(1, 9))
@pytest.mark.parametrize("choice", ["java", "apache_common", ""])
def test_cutting_a_file_anywhere_yields_the_records_of_the_whole(
    choice: str, lines: list[str], cuts: list[int], chunk: int
) -> None:
    assert split(lines, choice, cuts, chunk) == whole(lines, choice)


@settings(max_examples=100, deadline=None)
@given(lines=LINES, chunks=st.lists(st.integers(0, 40), max_size=6))
@pytest.mark.parametrize("choice", ["java", "java,apache_common", "nginx_error,java,json"])
def test_chunks_do_not_change_records(choice: str, lines: list[str], chunks: list[int]) -> None:
    assert whole(lines, choice, chunks) == whole(lines, choice)


def test_every_byte_of_a_stack_trace_may_be_a_boundary() -> None:
    lines = [*TRACE, *KEY, *TRACE[:3]]
    expected = whole(lines, "java")
    size = sum(len(line.encode()) + 1 for line in lines)
    for cut in range(size):
        assert split(lines, "java", [cut], 50) == expected


def test_a_stack_trace_is_one_record_with_its_first_lines_offset() -> None:
    found = whole(TRACE, "java")
    assert [count for _, _, count in found] == [1, 6, 1]
    assert found[1][0] == "\n".join(TRACE[1:7])
    assert found[1][1] == len(TRACE[0].encode()) + 1


def test_lines_before_the_first_record_of_a_file_are_a_record_of_their_own() -> None:
    assert [count for _, _, count in whole(TRACE[2:], "java")] == [5, 1]


@pytest.mark.parametrize("choice", ["apache_common", "json", ""])
def test_a_private_key_is_one_record_in_any_format(choice: str) -> None:
    found = whole([ACCESS, *KEY, ACCESS], choice)
    assert [count for _, _, count in found] == [1, len(KEY), 1]


def test_a_private_key_without_an_end_closes_after_500_lines() -> None:
    found = whole([KEY[0], *["x"] * 600, ACCESS], "apache_common")
    assert found[0][2] == 500
    assert len(found) == 103


def test_a_private_key_without_an_end_closes_after_32_kib_wherever_the_file_is_cut() -> None:
    lines = [KEY[0], *["y" * 1000] * 40, ACCESS]
    expected = whole(lines, "apache_common")
    assert expected[0][2] == 34
    for cut in range(0, 41_000, 501):
        assert split(lines, "apache_common", [cut], 7) == expected


def test_a_record_longer_than_5000_lines_is_closed_and_no_line_is_lost_at_any_cut() -> None:
    lines = [TRACE[0], *["\tat a.b(C.java:1)"] * 12_000, TRACE[-1]]
    expected = whole(lines, "java")
    assert [count for _, _, count in expected] == [5000, 5000, 2001, 1]
    for cut in (10, 70_000, 95_000, 200_000):
        assert split(lines, "java", [cut], 997) == expected


def test_a_record_longer_than_a_mebibyte_is_closed() -> None:
    lines = [TRACE[0], *["\tat " + "x" * 400_000] * 5, TRACE[-1]]
    assert [count for _, _, count in whole(lines, "java", [3])] == [3, 2, 1, 1]


def docker(lines: list[str], stream: str = "stdout", end: str = "\n") -> list[str]:
    return [json.dumps({"log": line + end, "stream": stream, "time": "2024-05-01T10:00:00.5Z"}) for line in lines]


def test_interleaved_streams_are_joined_each_on_its_own() -> None:
    out, err = docker(TRACE[1:6]), docker(TRACE[1:4], "stderr")
    mixed = [line for pair in zip(out, err, strict=False) for line in pair] + out[3:]
    found = whole(mixed, "docker_json/java")
    assert found == [("\n".join(out), 0, 5), ("\n".join(err), len(out[0].encode()) + 1, 3)]


@settings(max_examples=80, deadline=None)
@given(
    picks=st.lists(st.tuples(st.sampled_from([*TRACE, *KEY]), st.booleans(), st.booleans()), min_size=1, max_size=30),
    chunks=st.lists(st.integers(0, 30), max_size=6),
)
@pytest.mark.parametrize("choice", ["docker_json/java", "docker_json/", "docker_json/java,json"])
def test_chunks_do_not_change_enveloped_records(
    choice: str, picks: list[tuple[str, bool, bool]], chunks: list[int]
) -> None:
    lines = [
        docker([text], "stderr" if error else "stdout", "" if partial else "\n")[0] for text, error, partial in picks
    ]
    expected = whole(lines, choice)
    found = whole(lines, choice, chunks)
    assert found == expected
    assert sorted(line for text, _, _ in found for line in text.split("\n")) == sorted(lines)
    assert [offset for _, offset, _ in found] == sorted(offset for _, offset, _ in found)


def test_partial_pieces_of_cri_are_joined_though_another_stream_lies_between() -> None:
    lines = [
        "2024-05-01T10:00:00Z stdout P one, ",
        "2024-05-01T10:00:00Z stderr F other",
        "2024-05-01T10:00:00Z stdout P two, ",
        "2024-05-01T10:00:00Z stdout F three",
    ]
    assert [count for _, _, count in whole(lines, "cri/", [1, 3])] == [3, 1]


def test_a_private_key_in_an_envelope_is_one_record() -> None:
    lines = [*docker([TRACE[0]]), *docker(KEY), *docker([TRACE[0]])]
    assert [count for _, _, count in whole(lines, "docker_json/", [4])] == [1, len(KEY), 1]


def test_a_line_with_escaped_bytes_keeps_its_place_in_its_stream() -> None:
    lines = docker(TRACE[1:5])
    frame = frame_of(lines)
    escaped = lines[1].replace("\\", "\\\\").replace("stock", "\\xE9")
    frame = frame.with_columns(
        text=pl.Series([lines[0], escaped, *lines[2:]]), escaped=pl.Series([False, True, False, False])
    )
    joiner = Joiner(Choice.parse("docker_json/java"))
    found = pl.concat([joiner.push(frame), joiner.finish()])
    assert found["line_count"].to_list() == [4]
    assert found["escaped"].to_list() == [True]
    assert escaped in found["text"][0]


def test_only_one_format_without_an_envelope_may_be_split() -> None:
    assert splittable(Choice.parse("java"))
    assert splittable(Choice())
    assert not splittable(Choice.parse("java,json"))
    assert not splittable(Choice.parse("docker_json/"))
