"""Inputs that repeat a piece, by which what takes time or memory out of proportion shows itself.

Each is a beginning, a piece, and an end; a number in a piece counts up where it says ``%d``.
"""

from __future__ import annotations

import gzip
from functools import reduce
from typing import TYPE_CHECKING

import cramjam
import msgpack

from logshed.receivers import loki
from logshed.receivers.common import otlp_wire
from logshed.receivers.common.inflate import zstd

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 65_536
_JSON = "POST {}\ncontent-type: application/json\n\n"
_PLACES: dict[str, tuple[str, ...]] = {
    "otlp-json": ("/v1/logs", '/v1/logs {"resourceLogs":', '/v1/logs {"resourceLogs":[{"scopeLogs":[{"logRecords":['),
    "elastic": ("/a/_doc", '/_bulk {"index":{"_index":"a"}}\n', '/_bulk {"index":'),
    "loki-json": ('/loki/api/v1/push {"streams":', '/loki/api/v1/push {"streams":[{"stream":'),
    "splunk": ("/services/collector", '/services/collector {"event":1,"fields":', "/services/collector/raw"),
    "lines": ("/v1/raw", "/v1/ndjson"),
    "webhook": ("/v1/webhook",),
}
"""Where JSON stands in requests: the address, and the beginning of the body."""
_IN_JSON: tuple[tuple[bytes, bytes, bytes], ...] = (
    (b"", b"[", b""),
    (b"", b'{"a":', b""),
    (b"{", b'"a":1,', b'"a":1}'),
    (b"{", b'"a":{"b":1},"a.b":1,', b'"a":1}'),
    (b"{", b'"a.%d":1,', b'"a":1,"a":2}'),
    (b'{"a":{', b'"k%d":{"b":1},', b'"z":1}}'),
    (b'{"a":"', b"\\ud800", b'"}'),
    (b'{"a":', b"9", b"}"),
    (b'{"a":[', b"1e999,", b"1]}"),
    (b"", b'"', b""),
    (b"[", b"null,", b"1]"),
    (b"", b"{} ", b""),
    (b"", b"}   ", b""),
    (b"", b"\xff", b""),
    (b"", b"\n", b""),
    (b"", b'{"a":1,"a":2}\n', b""),
    (b"", b"[" * 100 + b"\n", b""),
)
_PUSH = b'POST /loki/api/v1/push\ncontent-type: application/json\n\n{"streams":[{"stream":"{'
_FORM = b"POST /v1/webhook\ncontent-type: application/x-www-form-urlencoded\n\npayload="
_RECORDS = _JSON.format("/v1/logs").encode() + b'{"resourceLogs":[{"scopeLogs":[{"logRecords":['
_OTHERS: tuple[tuple[str, bytes, bytes, bytes], ...] = (
    ("otlp-json", _RECORDS, b"0,", b"0]}]}]}"),
    ("otlp-json", _RECORDS + b'{"attributes":[', b'{"key":"a"},', b"{}]}]}]}]}"),
    ("elastic", b"POST /_bulk\n\n", b'{"create":{"_index":"%d"}}\n{"m":1}\n', b""),
    ("elastic", b"POST /a/_bulk\n\n", b'{"delete":{}}\n', b""),
    ("loki-json", _PUSH, b'a=\\"b\\",', b'}","values":[["1","x"]]}]}'),
    ("loki-json", _PUSH + b'a=\\"', b"\\\\a", b'","values":[["1","x"]]}]}'),
    ("loki-json", _PUSH + b"a", b" ", b'","values":[["1","x"]]}]}'),
    ("webhook", _FORM, b"%ff", b""),
    ("webhook", _FORM, b"&", b""),
    ("syslog", b"\0", b"1 <", b""),
    ("syslog", b"\1", b"<1>a", b""),
    ("syslog", b"\1", b"1", b""),
    ("syslog", b"\19999999 <", b"a", b""),
    ("forward", b"\0", b"\x91", b""),
    ("forward", b"\1", b"\x91", b""),
    ("forward", b"\0", msgpack.packb(["a", 1, {}, {"chunk": "c"}]), b""),
    ("forward", b"\0\x93\xa1a\x01\xde\x4e\x20", b"\xa1a\x01", b""),
    ("forward", b"\0\x93\xa1a\x01\xde\x4e\x20", b"\x90\x01", b""),
    ("forward", b"\0\x92\xa1a\xdd\x00\x00\x3f\x00", b"\x90", b""),
)


def inputs(name: str, size: int = SIZE) -> Iterator[bytes]:
    """Inputs of a target.

    Args:
        name: Of the target.
        size: Bytes of each, about.
    """
    for place in _PLACES.get(name, ()):
        address, _, body = place.partition(" ")
        start = (_JSON.format(address) + body).encode()
        yield from (_grown(start + begin, piece, end, size) for begin, piece, end in _IN_JSON)
    yield from (_grown(begin, piece, end, size) for of, begin, piece, end in _OTHERS if of == name)
    yield from _MADE.get(name, lambda _: ())(size)


def _grown(begin: bytes, piece: bytes, end: bytes, size: int) -> bytes:
    room = size - len(begin) - len(end)
    if b"%d" not in piece:
        return begin + piece * (room // len(piece)) + end
    grown, number = bytearray(begin), 0
    while len(grown) + len(piece) + len(str(number)) <= size - len(end):
        grown += piece % number
        number += 1
    return bytes(grown + end)


def _field(number: int, data: bytes) -> bytes:
    """A field of a message of protobuf, of the kind that has a length."""
    size, length = len(data), b""
    while size > 127:
        length += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + data


def _inside(numbers: tuple[int, ...], data: bytes) -> bytes:
    return reduce(lambda inner, number: _field(number, inner), reversed(numbers), data)


def _otlp(size: int) -> Iterator[bytes]:
    """Empty messages by the thousand at each level, values inside values, and text that is none."""
    empty, record = min(size, otlp_wire.LARGEST) // 4 - 16, (1, 2, 2)
    levels = ((), (1,), (1, 1), (1, 2), (*record,), (*record, 5, 5), (*record, 5, 6))
    for within, number in zip(levels, (1, 2, 1, 2, 6, 1, 1), strict=True):
        yield _inside(within, bytes([number << 3 | 2, 0]) * empty)
    named = _field(6, _field(1, b"\xff"))
    yield _inside(record, named * (empty // 3))
    for levels_deep in (40, 90, 1_000):
        yield _inside((*record, 5), _inside((5, 1) * levels_deep, b""))


def _loki(size: int) -> Iterator[bytes]:
    """The same of a push, as it is and as what snappy makes twenty times as much of."""
    head = b"POST /loki/api/v1/push\n\n"
    labels = b"{" + b'host="b",hostname="c",' * 2_800 + b"}"
    most = min(size * 15, loki.LARGEST) // 2 - 16
    pushes = [_inside(within, piece * (size // 4)) for within, piece in (((), b"\n\0"), ((1,), b"\x12\0"))]
    bombs = [
        b"\n\0" * most,
        _inside((1, 2), b"\x1a\0" * most),
        _inside((1,), _inside((2,), b"\x1a\0" * 9_000) * (most // 36_000)),
    ]
    for push in (*pushes, *bombs, _field(1, _field(1, labels) + b"\x12\0")):
        yield head + bytes(cramjam.snappy.compress_raw(push))


def _forward(_: int) -> Iterator[bytes]:
    yield b"\0" + msgpack.packb(["a", zstd.compress(b"\x92\1\x80" * 2**15), {"compressed": "zstd"}])


def _bodies(size: int) -> Iterator[bytes]:
    """What a thousand times as much is packed in, and thousands of packs with nothing in them."""
    for kind, pack in {"gzip": gzip.compress, "zstd": zstd.compress}.items():
        head, nothing = f"POST /\ncontent-encoding: {kind}\n\n".encode(), pack(b"")
        yield head + pack(bytes(2**24))
        yield (head + nothing * (size // len(nothing)))[:size]
        yield f"POST /\ncontent-encoding: {kind}, {kind}\n\n".encode() + pack(pack(bytes(2**24)))


_MADE = {"otlp-protobuf": _otlp, "loki-protobuf": _loki, "forward": _forward, "bodies": _bodies}
