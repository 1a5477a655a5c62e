"""Cuts a stream of an HTTP answer into lines, with a bound on what one line may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LINE_BYTES = 2**24
"""Bytes of a line that are kept; what follows up to its end is dropped."""


class Content(Protocol):
    """What comes of an answer."""

    async def readany(self) -> bytes:
        """Bytes that have come; none at the end."""


class Lines:
    """The lines of an answer.

    Attributes:
        rest: What came after the last line feed.

    Args:
        content: The answer.
    """

    def __init__(self, content: Content) -> None:
        self._content = content
        self._open: list[bytes] = []
        self._size = 0

    @property
    def rest(self) -> bytes:
        """What came after the last line feed."""
        return b"".join(self._open)

    async def chunks(self) -> AsyncIterator[list[bytes]]:
        """Whole lines without their line feeds, as many as have come together; it ends with the answer."""
        while data := await self._content.readany():
            *lines, rest = data.split(b"\n")
            if lines:
                self._keep(lines[0])
                lines[0] = self.rest
                self._open, self._size = [], 0
            self._keep(rest)
            if lines:
                yield lines

    async def everything(self, most: int) -> bytes:
        """The whole answer.

        Raises:
            ValueError: It is longer than ``most`` bytes.
        """
        parts, size = [], 0
        while data := await self._content.readany():
            parts.append(data)
            size += len(data)
            if size > most:
                raise ValueError(f"more than {most:,} bytes")
        return b"".join(parts)

    def _keep(self, data: bytes) -> None:
        if data and self._size < LINE_BYTES:
            self._open.append(data[: LINE_BYTES - self._size])
            self._size += len(data)
