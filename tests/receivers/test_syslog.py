"""Messages of syslog come out of streams and datagrams whole, however the network cut them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import orjson
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from logshed.formats.detect import detect
from logshed.formats.parse import parse
from logshed.receivers import syslog
from logshed.receivers.syslog import Syslog

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from logshed.receivers.streaming import Step

NOW = datetime(2026, 11, 26, 12, 0, 0, 250_000, UTC)
PEER = "192.0.2.7"
BSD = b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8"
NEW = b'<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [x@32473 a="1"] An entry'


def counted(message: bytes) -> bytes:
    return b"%d %s" % (len(message), message)


def lines_of(steps: Iterable[Step]) -> list[bytes]:
    """The messages of steps, those with line feeds among them."""
    found = []
    for step in steps:
        for part in step.decoded.parts:
            lines = part.lines.removesuffix(b"\n").split(b"\n")
            assert len(lines) == part.records
            assert part.stream in (PEER, PEER + syslog.SEVERAL_LINES)
            found += [orjson.loads(one)["body"].encode() if part.stream != PEER else one for one in lines]
    return found


def heard(pieces: Iterable[bytes], longest: int = syslog.LONGEST) -> tuple[list[bytes], int]:
    """Messages of a connection, and how many were cut."""
    talk = Syslog(PEER, longest)
    steps = [talk.feed(piece, NOW) for piece in pieces]
    steps.append(talk.end(NOW))
    assert not any(step.answer or step.over for step in steps)
    return lines_of(steps), sum(step.cut for step in steps)


def cut_at(data: bytes, places: Sequence[int]) -> list[bytes]:
    ends = [0, *sorted(places), len(data)]
    return [data[begin:end] for begin, end in pairwise(ends)]


MIXED = b"".join(
    [
        BSD, b"\n", counted(NEW), counted(BSD), b"\n", BSD, b"\r\n", NEW, b"\0", counted(b"<13>two\nlines"), b"\r\n\n",
        b"12 apples in a line\n", b"2026-01-01 no syslog\n", counted(b"<14>ends\n"), NEW,
    ]
)  # fmt: skip
MESSAGES = [
    BSD,
    NEW,
    BSD,
    BSD,
    NEW,
    b"<13>two\nlines",
    b"12 apples in a line",
    b"2026-01-01 no syslog",
    b"<14>ends",
    NEW,
]


def test_counted_and_line_framed_messages_mix_in_a_stream() -> None:
    found, cut = heard([MIXED])
    assert (sorted(found), cut) == (sorted(MESSAGES), 0)


def test_a_stream_says_the_same_wherever_it_is_cut_in_two_and_byte_by_byte() -> None:
    for place in range(len(MIXED) + 1):
        assert sorted(heard(cut_at(MIXED, [place]))[0]) == sorted(MESSAGES), place
    assert heard(MIXED[at : at + 1] for at in range(len(MIXED)))[0] == MESSAGES


def test_a_message_with_line_feeds_keeps_them_in_a_stream_of_its_own() -> None:
    step = Syslog(PEER).feed(counted(b"<13>a\n\tb \xff") + counted(BSD), NOW)
    plain, several = step.decoded.parts
    assert (plain.stream, plain.lines, plain.records) == (PEER, BSD + b"\n", 1)
    assert several.stream == PEER + "/lines"
    assert orjson.loads(several.lines) == {
        "observed_time_unix_nano": 1_795_694_400_250_000_000,
        "body": "<13>a\n\tb \\xff",
    }


def test_bytes_that_are_no_utf_8_stay_as_they_are() -> None:
    assert heard([b"<13>caf\xe9\n"])[0] == [b"<13>caf\xe9"]


def test_a_longer_message_is_cut_and_the_next_one_is_whole() -> None:
    long = b"<13>" + b"x" * 96
    for stream in (long + b"\n" + BSD[:50] + b"\n", counted(long) + counted(BSD[:50])):
        for pieces in ([stream], cut_at(stream, range(len(stream))), cut_at(stream, [60]), cut_at(stream, [99])):
            assert heard(pieces, 50) == ([long[:50], BSD[:50]], 1)


def test_no_more_than_the_longest_message_is_held() -> None:
    talk = Syslog(PEER, 1000)
    for piece in [b"<13>"] + [b"y" * 300] * 50:
        talk.feed(piece, NOW)
        assert talk.held <= 1000
    assert talk.held == 1
    step = talk.feed(b"\n" + counted(b"<13>after"), NOW)
    assert lines_of([step]) == [b"<13>after"]
    assert talk.held == 0


def test_a_count_that_is_too_large_to_be_one_is_a_line() -> None:
    assert heard([b"99999999 <13>a\n<13>b\n"])[0] == [b"99999999 <13>a", b"<13>b"]


def test_a_last_message_without_an_end_is_kept_and_empty_ones_are_none() -> None:
    assert heard([b"\n\r\n\0\n<13>last"])[0] == [b"<13>last"]
    assert heard([b"40 <13>half of it"])[0] == [b"<13>half of it"]
    assert heard([b""]) == ([], 0)
    assert not Syslog(PEER).hello()


messages = st.binary(min_size=1, max_size=40).map(lambda body: b"<13>" + body.replace(b"\0", b"_"))


@given(st.lists(st.tuples(messages, st.booleans()), max_size=12), st.lists(st.integers(1, 30), max_size=40))
def test_what_is_framed_is_what_comes(sent: list[tuple[bytes, bool]], sizes: list[int]) -> None:
    one_line = [(message if counts else message.replace(b"\n", b"_"), counts) for message, counts in sent]
    stream = b"".join(counted(message) if counts else message + b"\n" for message, counts in one_line)
    expected = [message.rstrip(b"\r\n\0") for message, _ in one_line]
    pieces = cut_at(stream, [place for place in accumulate(sizes) if place < len(stream)])
    found = heard(pieces)[0]
    several = [one.decode("utf-8", "backslashreplace").encode() for one in expected if b"\n" in one]
    plain = [one for one in expected if b"\n" not in one]
    assert [one for one in found if b"\n" in one] == several
    assert [one for one in found if b"\n" not in one] == plain


bits = st.one_of(st.binary(max_size=12), st.sampled_from([b"<", b"\n", b"\0", b"\r", b" ", b"3 <", b"12", b"999 <1>"]))


@given(st.lists(bits, max_size=30).map(b"".join), st.lists(st.integers(1, 9), max_size=60), st.integers(1, 30))
def test_any_bytes_give_the_same_messages_however_they_are_cut(data: bytes, sizes: list[int], longest: int) -> None:
    whole, cut = heard([data], longest)
    pieces = cut_at(data, [place for place in accumulate(sizes) if place < len(data)])
    again, cut_again = heard(pieces, longest)
    assert (sorted(whole), cut) == (sorted(again), cut_again)
    assert all(len(one.rstrip(b"\r\n\0")) <= 4 * longest for one in whole)


def test_datagrams_are_messages_by_sender() -> None:
    step = syslog.datagrams(
        {"192.0.2.7": [BSD + b"\0", NEW + b"\n"], "2001:db8::1": [b"<13>a\nb", b"", b"z" * 70]}, NOW, 60
    )
    streams = [(part.stream, part.records) for part in step.decoded.parts]
    assert streams == [("192.0.2.7", 2), ("2001:db8::1", 1), ("2001:db8::1/lines", 1)]
    assert step.decoded.parts[0].lines == BSD[:60] + b"\n" + NEW[:60] + b"\n"
    assert step.decoded.parts[1].lines == b"z" * 60 + b"\n"
    assert step.cut == 3


def test_messages_are_read_by_the_formats_of_files() -> None:
    stream = BSD + b"\n" + counted(NEW) + b"<14>worker[12]: started\0<13>no name here\n"
    lines = pl.Series([line.decode() for line in heard([stream])[0]])
    names = ["syslog_rfc3164", "syslog_rfc5424", "syslog_priority"]
    frame = parse(lines, detect(lines, names=names).choice, observed=NOW)
    assert frame["severity_text"].to_list() == ["CRIT", "NOTICE", "INFO", "NOTICE"]
    assert frame["service_name"].to_list() == ["su", "evntslog", "worker", None]
    assert frame["parse_error"].null_count() == 4
