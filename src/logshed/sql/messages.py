"""What a process that runs people's statements and the one that started it say to each other, over a socket."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

from logshed.sql.tables import TableColumn

_HEAD = struct.Struct("!I")
LONGEST = 64 * 1024 * 1024
"""Bytes of a message: what a statement asks is its text and its values."""


def send(line: socket.socket, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
    """Say something, and hand over open files with it."""
    data = json.dumps(message).encode()
    socket.send_fds(line, [_HEAD.pack(len(data))], files)
    line.sendall(data)


def receive(line: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """What was said, and the open files that came with it.

    Raises:
        EOFError: The other side has gone.
    """
    head, files, _, _ = socket.recv_fds(line, _HEAD.size, 1)
    while head and len(head) < _HEAD.size:
        head += _some(line, _HEAD.size - len(head))
    if not head:
        raise EOFError
    (size,) = _HEAD.unpack(head)
    if size > LONGEST:
        raise EOFError
    data = bytearray()
    while len(data) < size:
        data += _some(line, size - len(data))
    return json.loads(bytes(data)), list(files)


def _some(line: socket.socket, size: int) -> bytes:
    found = line.recv(min(size, 1 << 20))
    if not found:
        raise EOFError
    return found


def told(columns: list[TableColumn]) -> list[list[Any]]:
    """Columns as a message holds them."""
    return [[one.field_id, one.name, one.kind, one.key_id, one.value_id, one.attribute] for one in columns]


def heard(columns: list[list[Any]]) -> list[TableColumn]:
    """Columns of a message."""
    return [TableColumn(*one) for one in columns]
