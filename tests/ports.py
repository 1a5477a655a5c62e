"""Ports of loopback for what listens later, or never: nobody else is given them meanwhile."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

RANGE = range(15_000, 32_000)
"""Below those that the system gives away: a port that it gave, and that was closed, it soon gives to somebody else."""
GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")
STRIDE = 211
"""So that processes of the tests, whose numbers follow each other, begin far from each other."""


def _turns() -> cycle[int]:
    begin = os.getpid() * STRIDE % len(RANGE)
    return cycle([*RANGE[begin:], *RANGE[:begin]])


_NEXT = _turns()


def free_port() -> int:
    """A port that nobody has, of TCP and of UDP; a process is given each once until it has been given all."""
    if GIVEN.is_file() and int(GIVEN.read_text().split()[0]) < RANGE.stop:
        with socket.create_server(("127.0.0.1", 0)) as free:
            return int(free.getsockname()[1])
    return next(port for port in _NEXT if _nobody_has(port))


def _nobody_has(port: int) -> bool:
    with ExitStack() as stack:
        try:
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                stack.enter_context(socket.socket(type=kind)).bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
