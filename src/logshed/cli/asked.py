"""Whom a command asks: a lake on this machine, or a server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from logshed.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from logshed.api import Lake

VARIABLE = "LOGSHED_SERVER"
_given: list[str] = []
"""The address that stands on the command line; one at most."""


def ask_at(url: str | None) -> None:
    """Let this process ask a server."""
    _given[:] = [url] if url else []


def refused(command: str) -> None:
    """Refuse ``--server`` for a command that works on a lake's files, or on none.

    Raises:
        UsageError: It was given.
    """
    if _given:
        raise UsageError(
            f"cannot run {command} at a server: it works on files here; leave --server out, and do it where the lake is"
        )


def opened(lake: Path | None, *, check: bool = True) -> Lake:
    """The lake that is asked: the server's where one is named, else the one on this machine.

    Args:
        lake: What ``--lake`` says.
        check: Whether to look now if there is one.

    Raises:
        UsageError: Both are named, or the server's address or token is wrong.
    """
    url = _given[0] if _given else "" if lake is not None else os.environ.get(VARIABLE, "")
    if not url:
        from logshed.api import Lake  # noqa: PLC0415 - heavy

        return Lake.open(lake, check=check)
    if lake is not None:
        raise UsageError("cannot ask a server about a lake on this machine: give --server or --lake")
    from logshed.remote import RemoteLake  # noqa: PLC0415 - heavy

    return RemoteLake.at(url)
