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
from logshed.sources.ssh_jumps import MOST_JUMPS, Jump, jumps, key_files
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
        there = Jump(self._user, self.address, self._port)
        options = self._options(there, keys)
        try:
            return await self._logged_in(there, options)
        except SourceError:
            raise
        except _errors() as error:
            failed: Exception = error
        if keys.known and keys.refused is None and not isinstance(failed, asyncssh.PermissionDenied):
            try:  # it may have a key of another kind than those that are known of it: ask for any, to say so
                return await self._logged_in(there, {**options, "server_host_key_algs": "default"})
            except _errors() as error:
                failed = error
        raise self._refusal(failed, keys, self.name, self._user)

    async def _logged_in(self, there: Jump, options: dict[str, Any]) -> Any:
        async with _turn.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(CONNECTING)):
            return await asyncio.wait_for(self._reached(there, options), self._settings.connect_seconds)

    async def _reached(self, there: Jump, options: dict[str, Any], through: tuple[Jump, ...] = ()) -> Any:
        """A connection to a host, through the hosts that it is reached through, each of which is verified as well."""
        if len(through) > MOST_JUMPS:
            raise ValueError(f"ProxyJump leads through more than {MOST_JUMPS} hosts, or in a circle")
        tunnel = None
        try:
            for number, jump in enumerate(jumps(there)):
                tunnel = await self._jumped(jump, tunnel, (*through, jump), is_first=not number)
            found = await asyncssh_module().connect(there.host, tunnel=tunnel, **options)
        except BaseException:
            if tunnel is not None:
                tunnel.close()
            raise
        if tunnel is not None:
            found.set_tunnel(tunnel)
        return found

    async def _jumped(self, jump: Jump, tunnel: Any, through: tuple[Jump, ...], *, is_first: bool) -> Any:
        """A connection to a host that others are reached through."""
        keys = HostKeys(self._settings.known_hosts, accept_new=self._settings.accept_new)
        options = self._options(jump, keys)
        if "client_keys" in options:  # its own keys count as well
            options["client_keys"] += key_files(jump)
            del options["agent_path"]
        try:
            if is_first:
                return await self._reached(jump, options, through)
            found = await asyncssh_module().connect(jump.host, tunnel=tunnel, **options)
            found.set_tunnel(tunnel)
        except SourceError:
            raise
        except _errors() as error:
            raise self._refusal(error, keys, f"{jump.name}, on the way to {self.name}", jump.user) from None
        return found

    def _options(self, there: Jump, keys: HostKeys) -> dict[str, Any]:
        settings = self._settings
        given = there.options
        if settings.key is not None and settings.key.get_secret_value():
            given |= {"client_keys": [private_key(settings.key, settings.passphrase)], "agent_path": None}
        return {
            **given,
            "client_factory": _client(keys),
            "known_hosts": keys.match,
            "command": None,
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

    def _refusal(self, error: Exception, keys: HostKeys, name: str, user: str) -> SourceError:
        """Why no connection came about."""
        asyncssh, settings = asyncssh_module(), self._settings
        said = shown(str(error).encode())
        kind: type[SourceError] = UnreachableError
        cause = f"{said}; look at the host's log"
        if keys.refused is not None:
            return keys.refused
        if isinstance(error, asyncssh.PermissionDenied):
            who = user or "the user"
            kind, cause = SourceError, f"it does not let {who} in with this key; check the user and the key"
        elif isinstance(error, asyncssh.HostKeyNotVerifiable):
            kind, cause = SourceError, f"{said}; add its key to {keys.file}"
        elif isinstance(error, TimeoutError):
            cause = f"no answer in {settings.connect_seconds:g} s; check the address and the network"
        elif isinstance(error, OSError) and error.errno is not None:
            why = os.strerror(error.errno).lower() if error.errno > 0 else "its name is not known"
            cause = f"{why}; check the address, and that SSH runs there"
        elif isinstance(error, ValueError):
            kind, cause = SourceError, f"{said}; look at ~/.ssh/config"
        return kind(f"cannot connect to {name}: {cause}")


def _client(keys: HostKeys) -> Any:
    """What asks whether the key of a host may be used."""

    class Client(asyncssh_module().SSHClient):  # type: ignore[misc]
        def validate_host_public_key(self, host: str, addr: str, port: int, key: Any) -> bool:
            del addr
            return keys.accepts(host, port, key)

    return Client


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
