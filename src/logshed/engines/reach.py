"""Looks whether a cluster listens at an address, since its own client may wait for minutes, or end the process."""

from __future__ import annotations

import re
import socket

from logshed.errors import EngineError

TIMEOUT_S = 5.0


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
