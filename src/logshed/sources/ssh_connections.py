"""Connections to one host over SSH: its key verified, nothing forwarded, what goes wrong named with what to do."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from logshed.errors import SourceError, UnreachableError
from logshed.sources.host_keys import HostKeys
from logshed.sources.hosts import shown
from logshed.sources.ssh_keys import asyncssh_module, private_key
from logshed.ssh_settings import address

if TYPE_CHECKING:
    from logshed.ssh_settings import Ssh

SESSIONS = 8
"""Commands on one connection; OpenSSH allows ten (MaxSessions)."""
CONNECTING = 4
"""Connections that are made at once; OpenSSH turns some away beyond ten (MaxStartups)."""
ALIVE_S, ALIVE_TIMES = 10.0, 3
"""How often a host is asked whether it is there, at least, and after how many questions without an answer it is not."""
_CLOSE_S = 1.0

_turn: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


@dataclass(slots=True, eq=False)
class Connection:
    """A connection and how many commands run on it."""

    ssh: Any
    most: int = SESSIONS
    busy: int = field(default=0)

    def leave(self) -> None:
        """One that ran on it has ended."""
        self.busy -= 1


class Connections:
    """Connections to a host, made when they are needed.

    Args:
        settings: Address, user, key, limits.
        name: What to call the host; empty takes the address.

    Attributes:
        address: The host's address.
        name: What to call it.

    Raises:
        ValueError: The address is none.
    """

    def __init__(self, settings: Ssh, name: str = "") -> None:
        user, self.address, port = address(settings.host)
        self._user = user or settings.user
        self._port = port or settings.port
        self._settings = settings
        self.name = name or (self.address if self._port in (None, 22) else f"{self.address}:{self._port}")
        self._open: list[Connection] = []
        self._opening = asyncio.Lock()

    def __len__(self) -> int:
        """How many there are."""
        return len(self._open)

    async def close(self) -> None:
        """Close them."""
        found, self._open = self._open, []
        for connection in found:
            await _closed(connection.ssh)

    async def free(self) -> Connection:
        """A connection with room for one more command, which is counted on it.

        Raises:
            UnreachableError: The host does not answer.
            SourceError: Its key, the user or the user's key is wrong.
        """
        async with self._opening:
            self._open = [one for one in self._open if not one.ssh.is_closed()]
            found = next((one for one in self._open if one.busy < one.most), None)
            if found is None:
                found = Connection(await self._connected())
                self._open.append(found)
            found.busy += 1
            return found

    async def drop(self, connection: Connection) -> None:
        """Close one that is of no more use."""
        self._open = [one for one in self._open if one is not connection]
        await _closed(connection.ssh)

    async def _connected(self) -> Any:
        asyncssh, settings = asyncssh_module(), self._settings
        keys = HostKeys(settings.known_hosts, accept_new=settings.accept_new)

        class Client(asyncssh.SSHClient):  # type: ignore[misc,name-defined]
            def validate_host_public_key(self, host: str, addr: str, port: int, key: Any) -> bool:
                del addr
                return keys.accepts(host, port, key)

        options = self._options(keys)
        try:
            return await self._logged_in(Client, options)
        except SourceError:
            raise
        except _errors() as error:
            failed: Exception = error
        if keys.known and keys.refused is None and not isinstance(failed, asyncssh.PermissionDenied):
            try:  # it may have a key of another kind than those that are known of it: ask for any, to say so
                return await self._logged_in(Client, {**options, "server_host_key_algs": "default"})
            except _errors() as error:
                failed = error
        raise self._refusal(failed, keys)

    async def _logged_in(self, client: type[Any], options: dict[str, Any]) -> Any:
        async with _turn.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(CONNECTING)):
            connecting = asyncssh_module().connect(self.address, client_factory=client, **options)
            return await asyncio.wait_for(connecting, self._settings.connect_seconds)

    def _options(self, keys: HostKeys) -> dict[str, Any]:
        settings = self._settings
        given: dict[str, Any] = {
            **({"username": self._user} if self._user else {}),
            **({"port": self._port} if self._port else {}),
        }
        if settings.key is not None and settings.key.get_secret_value():
            given |= {"client_keys": [private_key(settings.key, settings.passphrase)], "agent_path": None}
        return {
            **given,
            "known_hosts": keys.match,
            "agent_forwarding": False,
            "x11_forwarding": False,
            "request_pty": False,
            "env": None,
            "send_env": None,
            "password_auth": False,
            "kbdint_auth": False,
            "host_based_auth": False,
            "gss_auth": False,
            "gss_kex": False,
            "ignore_encrypted": True,
            "keepalive_interval": min(ALIVE_S, settings.silence_seconds / ALIVE_TIMES),
            "keepalive_count_max": ALIVE_TIMES,
            "login_timeout": settings.connect_seconds,
        }

    def _refusal(self, error: Exception, keys: HostKeys) -> SourceError:
        """Why no connection came about."""
        asyncssh, settings = asyncssh_module(), self._settings
        said = shown(str(error).encode())
        kind: type[SourceError] = UnreachableError
        cause = f"{said}; look at the host's log"
        if keys.refused is not None:
            return keys.refused
        if isinstance(error, asyncssh.PermissionDenied):
            user = self._user or "the user"
            kind, cause = SourceError, f"it does not let {user} in with this key; check the user and the key"
        elif isinstance(error, asyncssh.HostKeyNotVerifiable):
            kind, cause = SourceError, f"{said}; add its key to {keys.file}"
        elif isinstance(error, TimeoutError):
            cause = f"no answer in {settings.connect_seconds:g} s; check the address and the network"
        elif isinstance(error, OSError) and error.errno is not None:
            why = os.strerror(error.errno).lower() if error.errno > 0 else "its name is not known"
            cause = f"{why}; check the address, and that SSH runs there"
        elif isinstance(error, ValueError):
            kind, cause = SourceError, f"{said}; look at ~/.ssh/config"
        return kind(f"cannot connect to {self.name}: {cause}")


def _errors() -> tuple[type[Exception], ...]:
    """What goes wrong while a connection is made."""
    asyncssh = asyncssh_module()
    return (asyncssh.Error, asyncssh.KeyImportError, OSError, TimeoutError, ValueError)


async def _closed(ssh: Any) -> None:
    ssh.close()
    await within(ssh.wait_closed())


async def within(closing: Any) -> None:
    """Wait a little for something that closes; a host that does not answer closes nothing."""
    try:
        await asyncio.wait_for(closing, _CLOSE_S)
    except (TimeoutError, OSError, asyncssh_module().Error):
        return
