"""Syslog over TCP, TLS and UDP: messages out of streams and datagrams; what stands in them is read at ingest.

Streams are framed by counted octets or by line feeds (RFC 6587, RFC 5425), also mixed. A count is followed by a space
and by the ``<`` that every message begins with; a line that merely begins with a number is a line. NUL ends a message
as well, as Python's ``SysLogHandler`` does it. A datagram is one message (RFC 5426).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from logshed.receivers.model import RECEIVED, Decoded, Part
from logshed.receivers.streaming import NOTHING, Step, nanoseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

NAME = "syslog"
LONGEST = 2**16
"""Bytes of a message that are kept unless told otherwise."""
SEVERAL_LINES = "/lines"
"""What is added to the name of a stream whose messages have line feeds in them."""
_COUNT = re.compile(rb"([1-9][0-9]{0,6}) <")
_PERHAPS_COUNT = re.compile(rb"[1-9][0-9]{0,6} ?\Z")
_COUNT_AFTER_LINE = re.compile(rb"\n[1-9][0-9]{0,6} <")
_BETWEEN, _ENDS, _BEHIND = b"\n\0", re.compile(rb"[\n\0]"), b"\n\r\0"
_DIGITS = b"123456789"


class Syslog:
    """One connection.

    Args:
        peer: The client's address, which names the stream.
        longest: Bytes of a message; what is beyond is not kept.
    """

    user, ready, heavy = "", True, False

    def __init__(self, peer: str, longest: int = LONGEST) -> None:
        self._peer, self._longest = peer, longest
        self._held = bytearray()
        self._wanted = 0  # bytes before which no message of what is held can be whole; 0 where one may be any time
        self._counted = False
        self._skip = 0  # bytes of a counted message that still come and are not kept
        self._skip_line = False
        self._cut = 0

    @property
    def held(self) -> int:
        """Bytes of a message that has not come whole; at least one while the rest of one is passed over."""
        return len(self._held) or int(self._skip > 0 or self._skip_line)

    def hello(self) -> bytes:
        """Nothing: the client begins."""
        return b""

    def feed(self, data: bytes, now: datetime) -> Step:
        """Take bytes, however the network cut them."""
        data = self._passed_over(data)
        self._cut = 0
        if self._waits(data):
            self._held += data
            return Step()
        buffer = bytes(self._held) + data if self._held else data
        self._wanted = 0
        lines = self._plain(buffer)
        if lines is None:
            lines = self._framed(buffer)
        return Step(decoded(self._peer, lines, now), cut=self._cut)

    def end(self, now: datetime) -> Step:
        """What came of a last message that nothing ends."""
        last, self._held, self._wanted = bytes(self._held), bytearray(), 0
        counted = _COUNT.match(last)
        return Step(decoded(self._peer, [last[counted.end() - 1 :] if counted else last], now))

    def _passed_over(self, data: bytes) -> bytes:
        """What follows the end of a message that was too long."""
        if self._skip:
            passed = min(self._skip, len(data))
            self._skip -= passed
            data = data[passed:]
        elif self._skip_line:
            found = _ENDS.search(data)
            self._skip_line = found is None
            data = data[found.end() :] if found else b""
        return data

    def _waits(self, data: bytes) -> bool:
        """Whether no message is whole with some bytes either: a client may send its message in a thousand pieces."""
        if len(self._held) + len(data) >= self._wanted:
            return False
        return self._counted or not _ENDS.search(data)

    def _plain(self, buffer: bytes) -> list[bytes] | None:
        """The lines of a buffer that holds nothing else, quickly; None where it may."""
        last = buffer.rfind(b"\n") + 1
        if not last or buffer[0] in _DIGITS or b"\0" in buffer or _COUNT_AFTER_LINE.search(buffer, 0, last + 16):
            return None
        lines = buffer[: last - 1].split(b"\n")
        if max(map(len, lines)) > self._longest or len(buffer) - last > self._longest:
            return None
        self._hold(buffer[last:])
        return lines

    def _framed(self, buffer: bytes) -> list[bytes]:
        """The messages of a buffer one by one; what has not come whole is held."""
        at, size, lines = 0, len(buffer), []
        while at < size:
            if buffer[at] in _BETWEEN:
                at += 1
                continue
            counted = _COUNT.match(buffer, at) if buffer[at] in _DIGITS else None
            if counted:
                begin = counted.end() - 1
                end = following = begin + int(counted[1])
            elif buffer[at] in _DIGITS and _PERHAPS_COUNT.match(buffer, at):
                break
            else:
                begin, found = at, _ENDS.search(buffer, at)
                end, following = found.span() if found else (size + 1, size + 1)
            if min(end, size) - begin > self._longest:
                self._cut += 1
            elif end > size:
                break
            lines.append(buffer[begin : min(end, begin + self._longest)])
            at = following
            if end > size:  # the end of a message that is too long has still to come
                self._skip, self._skip_line = (end - size, False) if counted else (0, True)
        self._hold(buffer[at:])
        return lines

    def _hold(self, rest: bytes) -> None:
        """Keep the beginning of a message."""
        self._held = bytearray(rest)
        counted = _COUNT.match(rest)
        self._counted = counted is not None
        if counted:
            self._wanted = min(counted.end() - 1 + int(counted[1]), counted.end() + self._longest)
        elif rest and not _PERHAPS_COUNT.match(rest):
            self._wanted = self._longest + 1


def datagrams(came: Mapping[str, Sequence[bytes]], now: datetime, longest: int = LONGEST) -> Step:
    """The messages of datagrams.

    Args:
        came: Datagrams by the address of their sender.
        now: When.
        longest: Bytes of a message; what is beyond is not kept.
    """
    parts: list[Part] = []
    cut = 0
    for peer, bodies in came.items():
        cut += sum(len(body) > longest for body in bodies)
        parts += decoded(peer, [body[:longest] for body in bodies], now).parts
    return Step(Decoded(tuple(parts)), cut=cut)


def decoded(peer: str, messages: Iterable[bytes], now: datetime) -> Decoded:
    """Messages as lines; one with line feeds in it becomes an object, in a stream of its own.

    Args:
        peer: Names the stream.
        messages: Without their frames; line ends behind them do not count, and empty ones are none.
        now: When they came.
    """
    whole = [line for message in messages if (line := message.rstrip(_BEHIND))]
    if not whole:
        return NOTHING
    lines = b"\n".join(whole) + b"\n"
    if lines.count(b"\n") == len(whole):
        return Decoded((Part(peer, lines, len(whole)),))
    single = [line for line in whole if b"\n" not in line]
    several = [line for line in whole if b"\n" in line]
    observed = nanoseconds(now)
    objects = [
        orjson.dumps({"observed_time_unix_nano": observed, "body": line.decode("utf-8", "backslashreplace")})
        for line in several
    ]
    parts = [Part(peer, b"\n".join(single) + b"\n", len(single))] if single else []
    return Decoded((*parts, Part(peer + SEVERAL_LINES, b"\n".join(objects) + b"\n", len(objects), RECEIVED)))
