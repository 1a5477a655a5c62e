"""Fluentd's forward protocol: every mode, every time, acknowledgements, the handshake, and whatever else may come."""

from __future__ import annotations

import gzip
import struct
from datetime import UTC, datetime
from hashlib import sha512
from typing import TYPE_CHECKING, Any

import msgpack
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logshed.receivers import forward
from logshed.receivers.common.inflate import inflated, zstd
from logshed.receivers.forward import Forward, Secrets
from logshed.receivers.model import MOST_RECORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from logshed.receivers.model import Decoded
    from logshed.receivers.streaming import Step

NOW = datetime(2026, 11, 26, 12, 0, 0, 250_000, UTC)
SECONDS = 1_795_694_400
OBSERVED = SECONDS * 10**9 + 250_000_000
TAG = "shop.web"


def event_time(seconds: int, nanoseconds: int) -> msgpack.ExtType:
    return msgpack.ExtType(0, struct.pack(">II", seconds, nanoseconds))


def event(number: int) -> list[Any]:
    return [event_time(SECONDS, number), {"log": f"line {number}\n", "stream": "stdout"}]


def packs(*values: Any) -> bytes:
    return b"".join(msgpack.packb(one) for one in values)


EVENTS = [event(number) for number in range(3)]
TOGETHER = packs(*EVENTS)
MODES = {
    "message": packs([TAG, *EVENTS[0]], [TAG, *EVENTS[1], {}], [TAG, *EVENTS[2], {"size": 1}]),
    "forward": packs([TAG, EVENTS, {"size": 3}]),
    "packed": packs([TAG, TOGETHER, {"size": 3}]),
    "packed as text": msgpack.packb([TAG.encode(), TOGETHER, {b"size": 3}], use_bin_type=False),
    "gzip": packs([TAG, gzip.compress(TOGETHER), {"compressed": "gzip"}]),
    "gzip in two": packs(
        [TAG, gzip.compress(TOGETHER[:20]) + gzip.compress(TOGETHER[20:]), {"compressed": "gzip", "size": 3}]
    ),
    "zstd": packs([TAG, zstd.compress(TOGETHER), {"compressed": "zstd"}]),
}


def fed(*pieces: bytes, talk: Forward | None = None) -> list[Step]:
    talk = talk or Forward()
    return [talk.feed(piece, NOW) for piece in pieces]


def records(*decoded: Decoded) -> list[dict[str, Any]]:
    found = []
    for one in decoded:
        for part in one.parts:
            lines = part.lines.splitlines()
            assert len(lines) == part.records
            found += [orjson.loads(line) for line in lines]
    return found


def record_of(record: Any, time: Any = SECONDS, **options: Any) -> dict[str, Any]:
    [step] = fed(packs([TAG, time, record, options]))
    assert not step.over
    [found] = records(step.decoded)
    return found


def expected(number: int) -> dict[str, Any]:
    return {
        "observed_time_unix_nano": OBSERVED,
        "time_unix_nano": SECONDS * 10**9 + number,
        "body": f"line {number}",
        "attributes": {"fluent.tag": TAG, "log.iostream": "stdout"},
    }


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_gives_the_same_records(mode: str) -> None:
    [step] = fed(MODES[mode])
    [part] = step.decoded.parts
    assert part.stream == TAG
    assert records(step.decoded) == [expected(number) for number in range(3)]
    assert (step.answer, step.over, step.decoded.refused, step.decoded.ids) == (b"", "", (), ())


@pytest.mark.parametrize("mode", MODES)
def test_a_stream_says_the_same_wherever_it_is_cut(mode: str) -> None:
    data = MODES[mode] + packs(None)
    whole = records(fed(data)[0].decoded)
    for place in range(len(data)):
        talk = Forward()
        steps = fed(data[:place], data[place:], talk=talk)
        assert records(*(step.decoded for step in steps)) == whole
        assert talk.held == 0
    assert records(*(step.decoded for step in fed(*(data[at : at + 1] for at in range(len(data)))))) == whole


def test_a_chunk_is_acknowledged_and_names_its_records() -> None:
    [step] = fed(packs([TAG, TOGETHER, {"chunk": "p8n9gmxTQVC8/nh2wlKKeQ=="}], ["other", SECONDS, {"a": 1}]))
    assert msgpack.unpackb(step.answer) == {"ack": "p8n9gmxTQVC8/nh2wlKKeQ=="}
    assert step.decoded.ids == (*(f"p8n9gmxTQVC8/nh2wlKKeQ==:{number}" for number in (1, 2, 3)), "")
    assert [part.stream for part in step.decoded.parts] == [TAG, "other"]


def test_times_are_seconds_event_times_or_none() -> None:
    assert record_of({"log": "x"}, SECONDS)["time_unix_nano"] == SECONDS * 10**9
    assert record_of({"log": "x"}, SECONDS + 0.5)["time_unix_nano"] == SECONDS * 10**9 + 500_000_000
    assert record_of({"log": "x"}, msgpack.Timestamp(SECONDS, 7))["time_unix_nano"] == SECONDS * 10**9 + 7
    for none in (0, None):
        assert "time_unix_nano" not in record_of({"log": "x"}, none)
    for odd, told in ((-5, "-5"), (2**63, str(2**63)), (float("nan"), "null"), (1e300, "1e+300"), (True, "true")):
        assert record_of({"log": "x"}, odd)["attributes"]["fluent.time"] == told


def test_what_says_where_an_event_came_from_goes_to_opentelemetrys_names() -> None:
    found = record_of({
        "log": '192.0.2.1 - - [01/May/2024:10:00:00 +0000] "GET / HTTP/1.1" 200 5\n', "stream": "stderr", "logtag": "F",
        "docker": {"container_id": "c0ffee"},
        "kubernetes": {
            "pod_name": "web-1", "namespace_name": "shop", "host": "node-3", "docker_id": "c0ffee",
            "container_name": "nginx", "labels": {"app.kubernetes.io/name": "web", "tier": "front"},
            "annotations": {"a": "b"}, "owner": {"kind": "x"},
        },
    })  # fmt: skip
    assert found["body"] == '192.0.2.1 - - [01/May/2024:10:00:00 +0000] "GET / HTTP/1.1" 200 5'
    assert found["attributes"] == {"fluent.tag": TAG, "log.iostream": "stderr", "logtag": "F"}
    assert found["resource"] == {
        "container.id": "c0ffee", "container.name": "nginx", "k8s.pod.name": "web-1", "k8s.namespace.name": "shop",
        "k8s.node.name": "node-3", "k8s.pod.label.app.kubernetes.io/name": "web", "k8s.pod.label.tier": "front",
        "k8s.pod.annotation.a": "b", "kubernetes.owner": '{"kind":"x"}',
    }  # fmt: skip


def test_docker_s_driver_names_its_container() -> None:
    found = record_of({"container_id": "c0", "container_name": "/web", "source": "stdout", "log": "hi"})
    assert found["resource"] == {"container.id": "c0", "container.name": "/web"}
    assert (found["body"], found["attributes"]["log.iostream"]) == ("hi", "stdout")


def test_a_structured_event_is_whole_in_the_body_with_its_types() -> None:
    event = {"message": "paid", "level": "info", "amount": 1.5, "ids": [1, 2**63], "user": {"id": None, "ok": True}}
    assert orjson.loads(record_of(event | {"stream": "stdout"})["body"]) == event
    assert orjson.loads(record_of({"source": "https://example.com"})["body"]) == {"source": "https://example.com"}
    assert record_of({})["body"] == "{}"


def test_two_names_of_one_thing_that_differ_are_both_kept() -> None:
    found = record_of({"container_name": "a", "kubernetes": {"container_name": "b"}, "log": ""})
    assert found["resource"] == {"container.name": "a", "kubernetes.container_name": "b"}


def test_fluent_bits_metadata_and_groups_are_kept() -> None:
    assert record_of({"log": "x"}, metadata={"a": 1})["attributes"]["fluent.metadata"] == '{"a":1}'
    start = [[event_time(2**32 - 1, 0), {"schema": "otlp"}], {"resource": {"attributes": {"service.name": "pay"}}}]
    inside, end = [[event_time(SECONDS, 0), {"b": 2}], {"log": "in"}], [[event_time(2**32 - 2, 0), {}], {}]
    [step] = fed(packs([TAG, packs(start, inside, end, event(1)), {"fluent_signal": 0}]))
    first, second = records(step.decoded)
    assert first["attributes"]["fluent.metadata"] == '{"b":2}'
    assert orjson.loads(first["attributes"]["fluent.group"]) == {
        "record": {"resource": {"attributes": {"service.name": "pay"}}},
        "metadata": {"schema": "otlp"},
    }
    assert second == expected(1)


def test_metrics_and_traces_are_refused_and_acknowledged() -> None:
    [step] = fed(packs([TAG, b"\x80", {"fluent_signal": 1, "chunk": "c"}]))
    assert msgpack.unpackb(step.answer) == {"ack": "c"}
    assert [(one.index, one.reason) for one in step.decoded.refused] == [(0, "its records are no logs")]


def test_a_tag_that_is_too_long_to_name_a_stream_is_refused() -> None:
    [step] = fed(packs(["t" * 1000, SECONDS, {}], ["t" * 1001, SECONDS, {}]))
    assert [(one.index, one.reason) for one in step.decoded.refused] == [(1, "a tag of more than 1,000 bytes")]
    assert step.decoded.parts[0].stream == "t" * 200
    assert records(step.decoded)[0]["attributes"]["fluent.tag"] == "t" * 1000


def test_a_stream_is_named_by_what_can_be_printed_of_a_tag() -> None:
    [step] = fed(packs(["shop\n\x1b[2J", SECONDS, {}], ["shop[2J", SECONDS, {}]))
    assert [(part.stream, part.records) for part in step.decoded.parts] == [("shop[2J", 2)]
    assert [one["attributes"]["fluent.tag"] for one in records(step.decoded)] == ["shop\n\x1b[2J", "shop[2J"]


@pytest.mark.parametrize("begin", [b"\x81", b"\x91", b"\x81\x91"])
def test_keys_that_are_maps_in_maps_take_no_more_than_they_came_with(begin: bytes) -> None:
    key = begin * 90 + packs("a") + packs(1) * 90
    for data in (
        b"\x93" + packs(TAG, SECONDS) + b"\x81" + key + packs(1),
        packs([TAG, packs([SECONDS, 1]) + b"\x92\1\x81" + key]),
    ):
        [step] = fed(data)
        assert step.decoded.refused
        assert sum(len(one.data) for one in step.decoded.refused) <= 2 * len(data)


def test_a_key_that_is_a_small_map_is_written_as_json() -> None:
    [step] = fed(b"\x93" + packs(TAG, SECONDS) + b"\x82" + packs({"a": 1}, 2, [3], 4))
    assert orjson.loads(records(step.decoded)[0]["body"]) == {'{"a":1}': 2, "[3]": 4}


def test_a_time_of_more_nanoseconds_than_a_second_has_is_none() -> None:
    odd = event_time(2**32 - 1, 2**32 - 1)
    [step] = fed(packs([TAG, odd, {"log": "x"}], [TAG, [[odd, "text"]]]))
    assert records(step.decoded)[0]["attributes"]["fluent.time"] == '"0:' + "f" * 16 + '"'
    assert msgpack.unpackb(step.decoded.refused[0].data) == [odd, "text"]


def test_keys_and_texts_that_json_has_no_word_for_are_kept() -> None:
    odd = b"\x84" + packs("bad", b"\xff\x00", 7) + packs("seven") + packs(b"k\xfe", "v") + packs("same", 1)
    data = b"\x94" + packs(TAG, SECONDS) + odd.replace(b"\x84", b"\x85") + packs("same", 2) + b"\x80"
    [step] = fed(data)
    [found] = records(step.decoded)
    assert orjson.loads(found["body"]) == {"bad": "\\xff\x00", "7": "seven", "k\\xfe": "v", "same": 2, "same.1": 1}
    in_text = b"\x93" + packs(TAG, SECONDS) + b"\x81" + packs("log") + b"\xa4caf\xe9"
    assert records(fed(in_text)[0].decoded)[0]["body"] == "caf\\xe9"
    assert (
        record_of({"x": msgpack.ExtType(5, b"\x01\x02"), "t": event_time(1, 2)})["body"]
        == '{"x":"5:0102","t":1000000002}'
    )
    assert record_of({"n": float("inf")})["body"] == '{"n":null}'


def test_a_key_that_comes_again_takes_no_other_keys_place() -> None:
    pair = [("a.1", 0), ("a", 1), ("a", 2), ("a", 3), ("b", 4)]
    record = bytes([0x80 + len(pair)]) + b"".join(packs(key) + packs(value) for key, value in pair)
    [step] = fed(b"\x93" + packs(TAG, SECONDS) + record)
    assert orjson.loads(records(step.decoded)[0]["body"]) == {"a.1": 0, "a.2": 1, "a.3": 2, "a": 3, "b": 4}


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


def test_an_event_that_is_too_deep_or_none_is_refused_alone() -> None:
    assert orjson.loads(record_of(nested(64))["body"]) == nested(64)
    [step] = fed(packs([TAG, [[1, nested(65)], [1, "text"], [1], "x", [2, {"log": "good"}]], {"chunk": "c"}]))
    reasons = [(one.index, one.reason) for one in step.decoded.refused]
    assert [index for index, _ in reasons] == [0, 1, 2, 3]
    assert [reason for _, reason in reasons[:3]] == [
        "more than 64 levels",
        "a record that is no map",
        "no time and record",
    ]
    assert msgpack.unpackb(step.decoded.refused[1].data) == [1, "text"]
    assert [one["body"] for one in records(step.decoded)] == ["good"]
    assert step.answer


def test_packed_records_that_end_early_keep_those_before() -> None:
    for data, reason in (
        (TOGETHER[:-3], "the packed records end early"),
        (packs(*EVENTS[:2]) + b"\xc1", "what follows is no record (FormatError)"),
    ):
        [step] = fed(packs([TAG, data]))
        assert [one["body"] for one in records(step.decoded)] == ["line 0", "line 1"]
        [refused] = step.decoded.refused
        assert (refused.index, refused.reason, refused.data) == (2, reason, data[len(packs(*EVENTS[:2])) :])


@pytest.mark.parametrize(
    ("packed", "kind", "reason"),
    [
        (b"this is no gzip, however long", "gzip", "what is packed in it is damaged (IsalError)"),
        (gzip.compress(TOGETHER)[:-9], "gzip", "what is packed in it ends early"),
        (zstd.compress(TOGETHER)[:-5], "zstd", "what is packed in it ends early"),
        (TOGETHER, "lzma", "it is packed in a way that is not known"),
        (gzip.compress(bytes(2**20)) * 65, "gzip", "more than 67,108,864 bytes are packed in it"),
    ],
    ids=["damaged", "half", "half zstd", "unknown", "bomb"],
)
def test_a_pack_that_cannot_be_opened_is_a_dead_letter(packed: bytes, kind: str, reason: str) -> None:
    [step] = fed(packs([TAG, packed, {"compressed": kind}]))
    [refused] = step.decoded.refused
    assert (refused.reason, refused.data, step.over) == (reason, packed, "")


def test_packs_behind_each_other_share_the_room() -> None:
    assert inflated(gzip.compress(b"a" * 5) + gzip.compress(b"b" * 5), "gzip", 10) == b"aaaaabbbbb"
    with pytest.raises(ValueError, match="more than 9 bytes"):
        inflated(gzip.compress(b"a" * 5) + gzip.compress(b"b" * 5), "gzip", 9)


def test_more_records_than_a_request_may_hold_are_refused() -> None:
    [step] = fed(packs([TAG, packs([1, {}]) * (MOST_RECORDS + 1)]))
    assert step.decoded.parts[0].records == MOST_RECORDS
    assert [(one.reason, one.data) for one in step.decoded.refused] == [("more than 100,000 records", packs([1, {}]))]


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"{}",
        b"\xc1",
        packs(["tag"]),
        packs({"a": 1}),
        packs([1, 2, {}]),
        b"\xdd\xff\xff\xff\xff",
    ],
    ids=["http", "json", "never used", "short", "map", "no tag", "a length that lies"],
)
def test_what_is_no_message_ends_the_connection(data: bytes) -> None:
    [step] = fed(MODES["packed"] + data)
    assert step.over.startswith("what came is no message")
    assert len(records(step.decoded)) == 3
    assert step.decoded.refused[0].data == MODES["packed"] + data


def test_a_message_that_is_too_large_ends_the_connection() -> None:
    talk = Forward(largest=10_000)
    pieces = [b"\x92" + packs(TAG) + b"\xdd\x00\x00\xff\xff"] + [packs(event(1)) * 20] * 30
    over = [talk.feed(piece, NOW).over for piece in pieces]
    assert over.index("a message is larger than allowed") < 15


def test_heartbeats_are_nothing() -> None:
    [step] = fed(packs(None, None))
    assert (step.decoded.parts, step.answer, step.over) == ((), b"", "")
    assert Forward().end(NOW).decoded.parts == ()


class Client:
    """What a client says in the handshake; by the protocol's page, not by the code under test."""

    def __init__(self, talk: Forward, key: str, user: str = "", password: str = "", host: str = "client") -> None:
        kind, options = msgpack.unpackb(talk.hello())
        assert kind == "HELO"
        self.host, self.key, self.salt, self.nonce = host, key, b"salty", options["nonce"]
        digest = sha512(self.salt + host.encode() + self.nonce + key.encode()).hexdigest()
        proof = sha512(options["auth"] + user.encode() + password.encode()).hexdigest() if options["auth"] else ""
        self.ping = packs(["PING", host, self.salt, digest, user, proof])

    def believes(self, pong: Sequence[Any]) -> bool:
        """Whether the server has shown that it has the key."""
        kind, right, reason, host, digest = pong
        proof = sha512(self.salt + host.encode() + self.nonce + self.key.encode()).hexdigest()
        return (kind, right, reason, digest) == ("PONG", True, "", proof) and host != self.host


def test_a_client_with_the_key_is_let_in_and_sees_that_the_server_has_it() -> None:
    talk = Forward(Secrets("s3cret"))
    client = Client(talk, "s3cret")
    data = client.ping + MODES["packed"]
    steps = fed(*(data[at : at + 7] for at in range(0, len(data), 7)), talk=talk)
    assert client.believes(msgpack.unpackb(b"".join(step.answer for step in steps)))
    assert len(records(*(step.decoded for step in steps))) == 3
    assert (talk.ready, talk.user) == (True, "")


@pytest.mark.parametrize(
    ("key", "user", "password", "reason"),
    [
        ("s3cret", "ann", "right", ""),
        ("other", "ann", "right", "shared key mismatch"),
        ("s3cret", "ann", "wrong", "username/password mismatch"),
        ("s3cret", "bob", "", "username/password mismatch"),
        ("s3cret", "", "", "username/password mismatch"),
    ],
)
def test_users_prove_who_they_are(key: str, user: str, password: str, reason: str) -> None:
    talk = Forward(Secrets("s3cret", {"ann": "right"}))
    [step] = fed(Client(talk, key, user, password).ping + MODES["packed"], talk=talk)
    assert msgpack.unpackb(step.answer)[:3] == ["PONG", not reason, reason]
    assert (step.over, talk.user) == (reason, "" if reason else "ann")
    assert len(records(step.decoded)) == (0 if reason else 3)
    assert step.decoded.refused == ()


@pytest.mark.parametrize(
    "data", [MODES["packed"], packs(None), packs(["PING", 1, 2, 3, 4]), packs(["PING", 1, 2, 3, 4, 5])]
)
def test_who_shows_no_key_sends_nothing(data: bytes) -> None:
    [step] = fed(data, talk=Forward(Secrets("s3cret")))
    assert step.over
    assert step.decoded == forward.NOTHING


def test_before_the_key_little_is_listened_to() -> None:
    talk = Forward(Secrets("s3cret"))
    assert [
        bool(step.over) for step in fed(b"\x96" + b"\xc6\x00\xff\xff\xff", bytes(8000), bytes(8000), talk=talk)
    ] == [False, False, True]


integers = st.integers(-(2**63), 2**64 - 1)
exts = st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=9))
keys = st.text(max_size=8) | st.binary(max_size=3) | st.integers(0, 9)
leaves = st.none() | st.booleans() | integers | st.floats() | st.text(max_size=5) | st.binary(max_size=5) | exts
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)
shapes = st.one_of(
    values,
    st.lists(values, max_size=5),
    st.tuples(st.text(max_size=3), st.lists(st.tuples(values, values), max_size=4), values),
    st.tuples(st.text(max_size=3), values, values, values),
    st.tuples(st.text(max_size=3), st.lists(values, max_size=3).map(lambda inner: packs(*inner)), values),
)


def checked(data: bytes) -> None:
    talk = Forward()
    step = talk.feed(data, NOW)
    for found in records(step.decoded):
        assert found["observed_time_unix_nano"] == OBSERVED
        assert isinstance(found["body"], str)
    assert step.over or talk.held <= len(data)


@given(st.lists(shapes, max_size=4))
def test_any_values_are_records_dead_letters_or_the_end(sent: list[Any]) -> None:
    checked(packs(*sent))


@given(st.binary(max_size=200))
def test_any_bytes_are_records_dead_letters_or_the_end(data: bytes) -> None:
    checked(data)
    checked(b"\x92" + packs(TAG) + data)
    checked(packs([TAG, data]))


@given(st.sampled_from(sorted(MODES)), st.integers(0, 200), st.binary(min_size=1, max_size=4))
def test_messages_with_a_fault_in_them_are_records_dead_letters_or_the_end(mode: str, place: int, fault: bytes) -> None:
    data = MODES[mode]
    place %= len(data)
    checked(data[:place] + fault + data[place + len(fault) :])
