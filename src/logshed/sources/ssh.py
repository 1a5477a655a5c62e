"""Hosts over SSH: allowed commands on verified hosts; no terminal, no environment, no agent or ports forwarded."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from logshed.errors import SourceError, UnreachableError
from logshed.sources import commands
from logshed.sources.host_keys import HostKeys
from logshed.sources.hosts import shown
from logshed.sources.ssh_keys import asyncssh_module, private_key
from logshed.ssh_settings import address

if TYPE_CHECKING:
    from logshed.sources.commands import Argv
    from logshed.sources.hosts import Reader
    from logshed.ssh_settings import Ssh

SESSIONS = 8
"""Commands on one connection; OpenSSH allows ten (MaxSessions)."""
CONNECTING = 4
"""Connections that are made at once; OpenSSH turns some away beyond ten (MaxStartups)."""
ALIVE_S, ALIVE_TIMES = 10.0, 3
_CLOSE_S = 1.0

_turn: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class SshHost:
    """A host over SSH. Connections are made when commands need them.

    Args:
        settings: Address, user, key, limits.
        name: What to call it; empty takes the address.

    Raises:
        ValueError: The address is none.
    """

    def __init__(self, settings: Ssh, name: str = "") -> None:
        user, self.address, port = address(settings.host)
        self._user = user or settings.user
        self._port = port or settings.port
        self._settings = settings
        self.name = name or (self.address if self._port in (None, 22) else f"{self.address}:{self._port}")
        self._connections: list[_Connection] = []
        self._opening = asyncio.Lock()

    async def start(self, argv: Argv) -> SshRunning:
        """Start an allowed command.

        Raises:
            UsageError: It is not allowed; no connection was made.
            UnreachableError: The host does not answer.
            SourceError: Its key, the user or the user's key is wrong.
        """
        asyncssh = asyncssh_module()
        line = commands.quoted(argv)
        while True:
            connection = await self._free()
            try:
                process = await asyncio.wait_for(
                    connection.ssh.create_process(
                        line, encoding=None, env=None, send_env=None, request_pty=False, x11_forwarding=False
                    ),
                    self._settings.connect_seconds,
                )
            except asyncssh.ChannelOpenError as error:
                connection.leave()
                if not connection.busy:
                    raise SourceError(
                        f"cannot run {argv[0]} on {self.name}: it refuses: {shown(str(error).encode())}; "
                        "see docs/collect.md for its settings"
                    ) from None
                connection.most = connection.busy  # it allows fewer than others do
            except (asyncssh.Error, OSError, TimeoutError):
                connection.leave()
                await self._drop(connection)
                raise self._cut() from None
            except BaseException:
                connection.leave()
                raise
            else:
                return SshRunning(process, connection, self)

    async def close(self) -> None:
        """Close the connections."""
        found, self._connections = self._connections, []
        for connection in found:
            await _closed(connection.ssh)

    def _cut(self) -> UnreachableError:
        return UnreachableError(
            f"cannot read from {self.name}: the connection was cut; look at the network and the host"
        )

    async def _free(self) -> _Connection:
        """A connection with room for one more command, which is counted on it."""
        async with self._opening:
            self._connections = [one for one in self._connections if not one.ssh.is_closed()]
            found = next((one for one in self._connections if one.busy < one.most), None)
            if found is None:
                found = _Connection(await self._connected())
                self._connections.append(found)
            found.busy += 1
            return found

    async def _drop(self, connection: _Connection) -> None:
        self._connections = [one for one in self._connections if one is not connection]
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
            "keepalive_interval": ALIVE_S,
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


@dataclass(slots=True, eq=False)
class _Connection:
    """A connection and how many commands run on it."""

    ssh: Any
    most: int = SESSIONS
    busy: int = field(default=0)

    def leave(self) -> None:
        self.busy -= 1


class SshRunning:
    """A command on a host."""

    def __init__(self, process: Any, connection: _Connection, host: SshHost) -> None:
        self._process = process
        self._connection: _Connection | None = connection
        self._host = host

    @property
    def stdout(self) -> Reader:
        """Its standard output."""
        return _Output(self._process.stdout, self._host)

    @property
    def stderr(self) -> Reader:
        """Its standard error."""
        return _Output(self._process.stderr, self._host)

    async def ended(self) -> int:
        """Its exit status.

        Raises:
            UnreachableError: The connection was cut.
        """
        await self._process.wait_closed()
        if self._process.exit_signal is not None:
            return 128
        if self._process.exit_status is None:
            raise self._host._cut()  # noqa: SLF001 - one thing in two classes
        return int(self._process.exit_status)

    async def end(self) -> None:
        """End it there, too: a program that prints nothing would not notice that nobody listens."""
        if self._connection is None:
            return
        if self._process.exit_status is None and not self._connection.ssh.is_closed():
            self._process.terminate()
        self._process.close()
        await _within(self._process.wait_closed())
        self._connection.leave()
        self._connection = None


class _Output:
    """An output of a command, of which a cut connection is an error of ours."""

    def __init__(self, reader: Any, host: SshHost) -> None:
        self._reader = reader
        self._host = host

    async def read(self, n: int = -1, /) -> bytes:
        try:
            return bytes(await self._reader.read(n))
        except (asyncssh_module().Error, OSError):
            raise self._host._cut() from None  # noqa: SLF001 - as above


def _errors() -> tuple[type[Exception], ...]:
    """What goes wrong while a connection is made."""
    asyncssh = asyncssh_module()
    return (asyncssh.Error, asyncssh.KeyImportError, OSError, TimeoutError, ValueError)


async def _closed(ssh: Any) -> None:
    ssh.close()
    await _within(ssh.wait_closed())


async def _within(closing: Any) -> None:
    """Wait a little for something that closes; a host that does not answer closes nothing."""
    try:
        await asyncio.wait_for(closing, _CLOSE_S)
    except (TimeoutError, OSError, asyncssh_module().Error):
        return
