"""Where a replay emits to: standard output, a file, an address of syslog or HTTP."""

from __future__ import annotations

import errno
import os
import select
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl
import pyarrow as pa

from logshed.errors import ReplayError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from logshed.pipeline.replay_records import Form


@dataclass(frozen=True, slots=True)
class Payload:
    """Records as they go out, one after the other.

    Attributes:
        data: Their bytes.
        edges: Where each begins; one more than there are records.
    """

    data: memoryview
    edges: NDArray[np.int64]

    @classmethod
    def of(cls, texts: pl.Series) -> Payload:
        """Texts as they are, without a copy for each."""
        array = texts.to_arrow().cast(pa.large_string())
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        _, edges, data = array.buffers()
        found = np.frombuffer(edges, np.int64, len(array) + 1, array.offset * 8)
        return cls(memoryview(data or b""), found)

    def part(self, first: int, last: int) -> memoryview:
        """The bytes of records ``first`` up to ``last``, which is not among them."""
        return self.data[self.edges[first] : self.edges[last]]


class Sink(Protocol):
    """Takes records."""

    def make(self, records: pl.DataFrame) -> Payload:
        """Records (as ``replay_records.FRAME``) as they go out; it may run in a thread."""
        ...

    def send(self, payload: Payload, first: int, last: int) -> None:
        """Send records ``first`` up to ``last``, which is not among them.

        Raises:
            ReplayError: They are not taken; the text ends with the cause.
        """
        ...

    def close(self) -> None:
        """Send what waits, and let go.

        Raises:
            ReplayError: It is not taken.
        """
        ...


class Stream:
    """A file descriptor, to which each record goes with a line feed.

    Args:
        fd: The descriptor; it stays open.
        name: What errors call it.
        terminal: Whether people look at it: what could move its cursor is written as escapes.
    """

    def __init__(self, fd: int, name: str, *, terminal: bool = False) -> None:
        self._fd, self._name, self._terminal = fd, name, terminal

    def make(self, records: pl.DataFrame) -> Payload:
        """As in ``Sink``."""
        texts = pl.col("text")
        if self._terminal:
            texts = texts.str.replace_many(_CONTROLS, _ESCAPES)
        return Payload.of(records.select(texts + "\n").to_series())

    def send(self, payload: Payload, first: int, last: int) -> None:
        """As in ``Sink``."""
        left = payload.part(first, last)
        try:
            while left:
                left = left[self._written(left) :]
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            raise ReplayError(f"cannot write to {self._name}: {error.strerror}; make room or correct --to") from None

    def _written(self, data: memoryview) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:  # whoever shares a terminal or a pipe may have set it so
            select.select([], [self._fd], [])
            return 0

    def close(self) -> None:
        """As in ``Sink``."""


class AppendedFile(Stream):
    """A file; what it holds stays, and records are added.

    Args:
        path: Its path.

    Raises:
        ReplayError: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ReplayError(f"cannot write to {path}: {error.strerror}; correct --to") from None
        super().__init__(fd, str(path))

    def close(self) -> None:
        """As in ``Sink``."""
        os.close(self._fd)


def opened(to: str, form: Form) -> Sink:
    """What an address means: ``-``, a file, ``syslog://``, ``syslog+tcp://``, ``http://`` or ``https://``.

    Args:
        to: The address.
        form: What the text of records is.

    Raises:
        UsageError: It is none of these.
        ReplayError: It cannot be opened.
    """
    from logshed.pipeline.replay_http import Posts  # noqa: PLC0415 - it knows what is here
    from logshed.pipeline.replay_syslog import Connection, Datagrams  # noqa: PLC0415 - as above

    if to == "-":
        return Stream(1, "standard output", terminal=os.isatty(1))
    if "://" not in to:
        return AppendedFile(Path(to))
    kinds: dict[str, Callable[[], Sink]] = {
        "syslog": lambda: Datagrams(to),
        "syslog+tcp": lambda: Connection(to),
        "http": lambda: Posts(to, form),
        "https": lambda: Posts(to, form),
    }
    scheme = to.partition("://")[0].lower()
    if scheme not in kinds:
        known = ", ".join(f"{kind}://" for kind in kinds)
        raise UsageError(f"cannot replay to {scheme}://: there is no such place; write -, a file, or {known}")
    return kinds[scheme]()


_CONTROLS = [
    chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
]
_ESCAPES = [f"\\x{ord(sign):02x}" if ord(sign) < 256 else f"\\u{ord(sign):04x}" for sign in _CONTROLS]  # noqa: PLR2004
"""What could move a terminal's cursor, colour it, or turn the direction of its text around; lines may end."""
