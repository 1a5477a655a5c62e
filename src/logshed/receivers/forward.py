"""Fluentd's forward protocol, version 1, as Fluentd, Fluent Bit, Docker and the fluent-logger libraries speak it.

The modes Message, Forward, PackedForward and CompressedPackedForward; times as integers and as EventTime; an
acknowledgement for each chunk that asks for one; the handshake with a shared key, and with users. Fluent Bit's
metadata of records is kept. What does not fit the protocol ends the connection, since nothing says where the next
message begins.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from hashlib import sha512
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

import msgpack

from logshed.receivers.common.events import Beside, ext, group, line, octets, packed, pairs, text
from logshed.receivers.common.gather import Lines, named
from logshed.receivers.common.inflate import inflated
from logshed.receivers.model import MOST_RECORDS, RECEIVED, Decoded, Part, Refused
from logshed.receivers.streaming import NOTHING, Step, nanoseconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

NAME = "forward"
LARGEST, LARGEST_INFLATED = 2**24, 2**26
"""Bytes of a message, and of what is packed in one."""
LARGEST_RECORD = 2**22
"""Bytes of a record that is packed with others in a message."""
ENOUGH, ENOUGH_BYTES = 20_000, 2**24
"""Records, and bytes of them, after which those that came with them wait: some bytes can hold millions."""
LONGEST_TAG = 1000
"""Bytes of a tag; what can be printed of its first 200 characters names a stream."""
LARGEST_PING = 2**13
"""Bytes that may come before the client has proved who it is."""
_PING_PARTS = 6
_PIECE = 2**20
_LOGS = (0, None)  # of Fluent Bit's kinds of signals


@dataclass(frozen=True, slots=True)
class Secrets:
    """What clients have to know.

    Attributes:
        shared_key: All clients' key.
        users: Passwords by user; empty asks for none.
        name: What this side calls itself; clients refuse one of their own name.
    """

    shared_key: str
    users: Mapping[str, str] = field(default_factory=dict)
    name: str = "logshed"


@dataclass(slots=True)
class _Gathered:
    """Lines by stream, with the ids of those that came in chunks that have one."""

    lines: dict[str, Lines] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    count: int = 0
    size: int = 0

    @property
    def enough(self) -> bool:
        return self.count >= ENOUGH or self.size >= ENOUGH_BYTES

    def add(self, stream: str, line: bytes, one: str) -> None:
        into = self.lines.get(stream)
        if into is None:
            self.lines[stream] = into = Lines()
        into.append(line + b"\n")
        self.ids.setdefault(stream, []).append(one)
        self.count += 1
        self.size += len(line)

    def refuse(self, reason: str, data: bytes) -> None:
        self.refused.append(Refused(self.count, reason, data))
        self.count += 1
        self.size += len(data)

    def decoded(self) -> Decoded:
        if not self.count:
            return NOTHING
        parts = tuple(Part(stream, bytes(lines.data), lines.count, RECEIVED) for stream, lines in self.lines.items())
        ids = tuple(one for stream in self.lines for one in self.ids[stream])
        return Decoded(parts, tuple(self.refused), ids if any(ids) else ())


class Forward:
    """One connection.

    Args:
        secrets: What clients have to know; None lets all in.
        largest: Bytes of a message.
    """

    heavy = True

    def __init__(self, secrets: Secrets | None = None, largest: int = LARGEST) -> None:
        self.user = ""
        self.ready = secrets is None
        self._secrets = secrets
        self._nonce, self._salt = token_bytes(16), token_bytes(16) if secrets and secrets.users else b""
        self._unpacker, self._largest = _unpacker(largest), largest
        self._came = self._done = 0
        self._last = b""

    @property
    def held(self) -> int:
        """Bytes of a message that has not come whole."""
        return self._came - self._done

    def hello(self) -> bytes:
        """The question for the key, where there is one."""
        if self.ready:
            return b""
        options = {"nonce": self._nonce, "auth": self._salt, "keepalive": True}
        return bytes(msgpack.packb(["HELO", options]))

    def feed(self, data: bytes, now: datetime) -> Step:
        """Take bytes, however the network cut them."""
        gathered, answers, over, more = _Gathered(), [], "", False
        observed = nanoseconds(now)
        self._last = data or self._last
        try:
            self._came += len(data)
            self._unpacker.feed(data)
            for message in self._unpacker:
                self._done = self._unpacker.tell()
                if self.ready:
                    answers.append(_take(message, gathered, observed))
                else:
                    answer, over = self._greeted(message)
                    answers.append(answer)
                more = gathered.enough
                if over or more:
                    break
            if not more and self.held > (self._largest if self.ready else LARGEST_PING):
                over = "a message is larger than allowed"
        except (ValueError, TypeError, msgpack.UnpackException, msgpack.BufferFull) as error:
            over = f"what came is no message of the forward protocol ({type(error).__name__})"
        if over and self.ready:
            gathered.refuse(over, self._last)
        return Step(gathered.decoded(), b"".join(answers), over=over, more=more and not over)

    def end(self, now: datetime) -> Step:  # noqa: ARG002 - other protocols need it
        """A message that has not come whole is no message: its client knows that, and sends it again."""
        return Step()

    def _greeted(self, message: Any) -> tuple[bytes, str]:
        """The answer to a client's proof, and why the connection ends."""
        if not (isinstance(message, list) and len(message) == _PING_PARTS and message[0] == "PING"):
            return b"", "the client shows no key"
        host, salt, digest, user, password = (octets(part) for part in message[1:])
        secrets = self._secrets
        if secrets is None:
            raise AssertionError
        key = secrets.shared_key.encode()
        reason = ""
        if not hmac.compare_digest(digest, _digest(salt, host, self._nonce, key)):
            reason = "shared key mismatch"
        elif secrets.users:
            named = user.decode("utf-8", "replace")
            known = secrets.users.get(named)
            expected = _digest(self._salt, user, (known or "").encode())
            if not hmac.compare_digest(password, expected) or known is None:
                reason = "username/password mismatch"
            self.user = "" if reason else named
        if reason:
            return bytes(msgpack.packb(["PONG", False, reason, "", ""])), reason
        self.ready = True
        proof = _digest(salt, secrets.name.encode(), self._nonce, key).decode()
        return bytes(msgpack.packb(["PONG", True, "", secrets.name, proof])), ""


def _digest(*parts: bytes) -> bytes:
    return sha512(b"".join(parts)).hexdigest().encode()


def _unpacker(largest: int) -> Any:
    return msgpack.Unpacker(
        max_buffer_size=largest,
        max_array_len=MOST_RECORDS,
        max_map_len=MOST_RECORDS,
        strict_map_key=False,
        unicode_errors="surrogateescape",
        ext_hook=ext,
        object_pairs_hook=pairs,
    )


def _take(message: Any, gathered: _Gathered, observed: int) -> bytes:
    """Gather a message's records.

    Returns:
        Its acknowledgement, if it asks for one.

    Raises:
        ValueError: It is none.
    """
    if message is None:  # a heartbeat
        return b""
    if not (isinstance(message, list) and len(message) > 1 and isinstance(message[0], str | bytes)):
        raise ValueError("no array of a tag and records")
    together, listed = isinstance(message[1], str | bytes), isinstance(message[1], list)
    place = 2 if together or listed else 3
    options = message[place] if len(message) > place and isinstance(message[place], dict) else {}
    chunk = options.get("chunk")
    if len(octets(message[0])) > LONGEST_TAG:
        gathered.refuse(f"a tag of more than {LONGEST_TAG:,} bytes", packed(message))
    elif options.get("fluent_signal") not in _LOGS:
        gathered.refuse("its records are no logs", packed(message))
    else:
        lines = _Lines(text(message[0]), text(chunk), gathered, observed)
        if together:
            _unpack(octets(message[1]), options.get("compressed"), lines)
        elif listed:
            for entry in message[1]:
                lines.add(entry)
        else:
            lines.add([[message[1], options.get("metadata")], *message[2:3]])
    return bytes(msgpack.packb({"ack": chunk}, unicode_errors="surrogateescape")) if octets(chunk) else b""


class _Lines:
    """Gathers the records of one message."""

    def __init__(self, tag: str, chunk: str, gathered: _Gathered, observed: int) -> None:
        self._gathered, self._chunk = gathered, chunk
        self._beside, self._stream = Beside(tag, observed), named(tag)
        self._number = 0

    def refuse(self, reason: str, data: bytes) -> None:
        """Note what is no record."""
        self._gathered.refuse(reason, data)

    def add(self, entry: Any) -> None:
        """Take an entry: a time, in a list with metadata perhaps, and a record."""
        self._number += 1
        gathered = self._gathered
        try:
            if not (isinstance(entry, list) and len(entry) > 1):
                raise ValueError("no time and record")  # noqa: TRY301 - refused like all others
            time, metadata = (*entry[0], None, None)[:2] if isinstance(entry[0], list) else (entry[0], None)
            held = group(time, entry[1], metadata)
            if held is not None:
                self._beside = self._beside._replace(group=held)
                return
            made = line(time, entry[1], metadata, self._beside)
        except ValueError as error:
            gathered.refuse(str(error), packed(entry))
            return
        gathered.add(self._stream, made, f"{self._chunk}:{self._number}" if self._chunk else "")


def _unpack(data: bytes, compressed: Any, lines: _Lines) -> None:
    """Take the entries that are packed in a message; what cannot be read of them is refused."""
    try:
        plain = data if compressed in (None, "text") else inflated(data, str(compressed), LARGEST_INFLATED)
    except ValueError as error:
        lines.refuse(str(error), data)
        return
    done, reason = 0, "the packed records end early"
    try:
        for number, (entry, end) in enumerate(_entries(plain)):
            if number == MOST_RECORDS:
                reason = f"more than {MOST_RECORDS:,} records"
                break
            lines.add(entry)
            done = end
    except msgpack.BufferFull:
        reason = f"a record of more than {LARGEST_RECORD:,} bytes"
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        reason = f"what follows is no record ({type(error).__name__})"
    if done < len(plain):
        lines.refuse(reason, plain[done:])


def _entries(plain: bytes) -> Iterator[tuple[Any, int]]:
    """What is packed, and where each ends; a piece at a time, since the unpacker has a copy of what it is fed."""
    unpacker = _unpacker(LARGEST_RECORD + _PIECE)
    for at in range(0, len(plain), _PIECE):
        unpacker.feed(plain[at : at + _PIECE])
        for entry in unpacker:
            yield entry, unpacker.tell()
