"""Reads the body of a request within limits of size, time and memory, and unpacks it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from logshed.receivers.common.inflate import KINDS, TooMuchError, inflated
from logshed.receivers.model import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive

    from logshed.doors.http_limits import HttpLimits
    from logshed.doors.shares import Held, Shares

FIRST = 65_536
"""Bytes that room is asked for before any came; then twice as much each time."""
UNTOLD = -1
"""The length of a body that comes in pieces, whose length nobody told."""
MOST_ENCODINGS = 2
FREE_BYTES = 4 * 2**20
"""What any body may be unpacked to, however small it was."""
_SAME = {"x-gzip": "gzip"}
_PLAIN = frozenset({"", "identity", "snappy"})
"""What is not unpacked here: snappy is left to the decoder, since most of Loki's clients pack so without saying it."""


class GoneError(Exception):
    """The client went away before its request had come."""


def declared(headers: Mapping[str, str]) -> int:
    """The length of a request's body as its headers tell it; ``UNTOLD`` where it comes in pieces."""
    length = headers.get("content-length", "0")
    return UNTOLD if "transfer-encoding" in headers or not (length.isascii() and length.isdigit()) else int(length)


def encodings(headers: Mapping[str, str]) -> tuple[str, ...]:
    """How a body is packed, the last first, which is the order to unpack it.

    Raises:
        BadRequestError: In a way that is not known, or in too many.
    """
    told = headers.get("content-encoding")
    if told is None:
        return ()
    names = [_SAME.get(name, name) for one in told.split(",") if (name := one.strip().lower()) not in _PLAIN]
    if len(names) > MOST_ENCODINGS:
        raise BadRequestError(415, f"the body is packed more than {MOST_ENCODINGS} times; pack it once")
    if not KINDS.issuperset(names):
        raise BadRequestError(415, f"the content encoding is none of {', '.join(sorted(KINDS))}")
    return tuple(reversed(names))


def unpacked(body: bytes, kinds: tuple[str, ...], limits: HttpLimits, most: int | None = None) -> bytes:
    """A body as it was before it was packed.

    Args:
        body: As it was sent.
        kinds: How it is packed.
        limits: What it may become.
        most: Bytes that it may become, if that is less.

    Raises:
        TooMuchError: It would be more than ``most``.
        BadRequestError: It would be more than is taken, or it is damaged.
    """
    allowed = min(limits.inflated_bytes, max(FREE_BYTES, limits.ratio * len(body)))
    for kind in kinds:
        try:
            body = inflated(body, kind, allowed if most is None else min(allowed, most))
        except TooMuchError as error:
            if most is not None and most < allowed:
                raise
            raise BadRequestError(413, f"the body cannot be unpacked: {error}; send less at a time") from None
        except ValueError as error:
            raise BadRequestError(400, f"the body cannot be unpacked: {error}") from None
    return body


async def read(receive: Receive, length: int, held: Held, limits: HttpLimits) -> bytes:
    """The body of a request.

    Args:
        receive: Gives its pieces.
        length: As ``declared`` says.
        held: Room for it, which grows with it, so that who only announces much keeps no one out.
        limits: How much, and how long.

    Raises:
        BadRequestError: It is too long or too slow, or there is no room for it.
        GoneError: The client went away.
    """
    most = limits.request_bytes if length == UNTOLD else length
    pieces: list[bytes] = []
    got = 0
    loop = asyncio.get_running_loop()
    until = loop.time() + limits.body_seconds
    try:
        async with asyncio.timeout_at(until) as within:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise GoneError
                piece = message.get("body", b"")
                got += len(piece)
                if got > most:
                    raise _too_long(most)
                pieces.append(piece)
                if not message.get("more_body", False):
                    break
                if got > held.amount - FIRST:
                    await _grow(held, max(got, min(2 * got + FIRST, most)), limits)
                within.reschedule(until + got / limits.slowest_bytes)
    except TimeoutError:
        raise BadRequestError(408, "the body took too long to come") from None
    held.set(got)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


async def room(shares: Shares, who: str, length: int, limits: HttpLimits) -> Held:
    """Room in memory for the beginning of a body.

    Args:
        shares: All the room.
        who: Whose the body is.
        length: As ``declared`` says.
        limits: How long to wait.

    Raises:
        BadRequestError: The body is longer than is taken, or there was no room in time.
    """
    if length > limits.request_bytes:
        raise _too_long(limits.request_bytes)
    try:
        return await shares.take(who, FIRST if length == UNTOLD else min(length, FIRST), limits.wait_seconds)
    except TimeoutError:
        raise _crowded() from None


async def _grow(held: Held, amount: int, limits: HttpLimits) -> None:
    try:
        await held.grow(amount, limits.wait_seconds)
    except TimeoutError:
        raise _crowded() from None


def _too_long(most: int) -> BadRequestError:
    return BadRequestError(413, f"the body has more than {most:,} bytes; send less at a time")


def _crowded() -> BadRequestError:
    return BadRequestError(429, "too much is on its way at once; send the records again later")
