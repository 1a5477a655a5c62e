"""Hosts through which other hosts are reached, as ``ProxyJump`` of ``~/.ssh/config`` names them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from logshed.sources.ssh_keys import asyncssh_module
from logshed.ssh_settings import address

MOST_JUMPS = 8
"""Hosts in a row: with more, they lead in a circle."""


@dataclass(frozen=True, slots=True)
class Jump:
    """A host that others are reached through; what is empty is as ``~/.ssh/config`` has it."""

    user: str
    host: str
    port: int | None

    @property
    def name(self) -> str:
        """What to call it."""
        return self.host if self.port in (None, 22) else f"{self.host}:{self.port}"

    @property
    def options(self) -> dict[str, Any]:
        """User and port as asyncssh takes them."""
        return {**({"username": self.user} if self.user else {}), **({"port": self.port} if self.port else {})}


def jumps(host: Jump) -> list[Jump]:
    """The hosts that one is reached through, the nearest first; none where it is reached as it is.

    Raises:
        ValueError: ``ProxyJump`` names something else.
    """
    text = _options(host).tunnel or ""
    if text.lower() == "none":
        return []
    return [Jump(*address(one.strip())) for one in text.split(",") if one]


def key_files(host: Jump) -> list[str]:
    """The keys that ``~/.ssh/config`` names for a host, where they are."""
    named = _options(host).config.get("IdentityFile", ())
    return [str(one) for one in named if Path(str(one)).expanduser().is_file()]


def _options(host: Jump) -> Any:
    asyncssh = asyncssh_module()
    return asyncssh.SSHClientConnectionOptions(
        config=(), host=host.host, known_hosts=None, client_keys=None, **host.options
    )
