"""Looks whether a cluster listens at an address, and says in a line why one cannot be joined.

Its own client may wait for minutes, or end the process.
"""

from __future__ import annotations

import re
import socket

from logshed.errors import EngineError

TIMEOUT_S = 5.0
MOST = 300
"""Characters of a cause that are told."""


def assert_listens(address: str, what: str, port: int) -> None:
    """Raise unless something listens there.

    Args:
        address: ``host``, ``host:port`` or the same with a scheme; several hosts with commas between them.
        what: What should, for the error.
        port: Port of an address that names none.

    Raises:
        EngineError: Nothing does, at any of the hosts.
    """
    causes = []
    for place in re.sub(r"^[a-z0-9]+://", "", address).partition("/")[0].split(","):
        host, _, own = place.rpartition(":") if re.search(r":\d+$", place) else (place, "", str(port))
        try:
            with socket.create_connection((host.strip("[]"), int(own)), TIMEOUT_S):
                return
        except OSError as error:
            causes.append(f"{host}:{own}: {error.strerror or error}")
    raise EngineError(
        f"cannot reach {what} at {address}: {', '.join(causes)}; look whether it runs there, or correct --address"
    )


def cause(error: Exception) -> str:
    """What a cluster's client says, in one line: where versions differ, they stand in lines of their own."""
    told = " ".join(str(error).split()) or type(error).__name__
    return told[:MOST].rstrip(".")
