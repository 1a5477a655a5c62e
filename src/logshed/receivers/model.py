"""What a receiver is given, what it makes of it, and what its client is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from logshed.access import Grant

DEEPEST = 64
"""Levels of objects and lists inside each other that a value may have."""
MOST_RECORDS = 100_000
"""Records that a request may hold."""
RECEIVED = "received/"
"""The format choice of structured records, one a line; that of the text in them is told later."""


@dataclass(frozen=True, slots=True)
class Request:
    """What came, decompressed and within limits.

    Attributes:
        path: The address's path, as it was sent: with its escapes.
        query: What stands after the question mark.
        headers: By their names in small letters.
        body: The bytes.
        peer: The client's address.
        now: When it came, with a zone.
    """

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    peer: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """Records of one stream.

    Attributes:
        stream: What the client calls it (service, index, job, host ...); the source is ``<protocol>:<stream>``.
        lines: One record a line, each ending in a line feed: UTF-8 JSON or raw text.
        records: How many there are.
        format: The format choice of the lines; empty is told at ingest.
        collection: Asked for by the client; empty takes the door's or the token's.
    """

    stream: str
    lines: bytes
    records: int
    format: str = ""
    collection: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that cannot be decoded: a dead letter.

    Attributes:
        index: Its place in the request, from 0 on.
        reason: Why, in a few words.
        data: Its bytes.
    """

    index: int
    reason: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Decoded:
    """The records of a request.

    Attributes:
        parts: By stream.
        refused: Records that cannot be decoded.
        ids: Of the records, where the protocol has them, so that a repeated one is stored once.
    """

    parts: tuple[Part, ...]
    refused: tuple[Refused, ...] = ()
    ids: tuple[str, ...] = ()


class BadRequestError(Exception):
    """A whole request that cannot be decoded.

    Attributes:
        status: The HTTP status that says so.
        text: Why, for the client.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client is told.

    Attributes:
        status: The HTTP status.
        body: The bytes.
        headers: Beside those that the door sets.
    """

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Came:
    """A decoded request on its way to the disk.

    Attributes:
        protocol: Name of the receiver's file.
        decoded: Its records.
        grant: What its sender may do.
        peer: The sender's address.
        collection: The door's, where a record names none.
        request_id: By which a repeated request is known; empty where the client gave none.
    """

    protocol: str
    decoded: Decoded
    grant: Grant
    peer: str = ""
    collection: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """An address that clients of a protocol call.

    Attributes:
        methods: GET, POST ...
        path: In Starlette's syntax.
        decode: Makes records of a request; None where there are none and the address only answers.
        answer: What is said once the records are on disk; with ``decode`` the request's body is gone by then.
        refuse: What is said of a request that is not taken: its HTTP status and why.
        open: Whether it is answered without a token, as those that only look whether we live have none.
    """

    methods: tuple[str, ...]
    path: str
    decode: Callable[[Request], Decoded] | None
    answer: Callable[[Request, Decoded], Reply]
    refuse: Callable[[Request, int, str], Reply]
    open: bool = False
