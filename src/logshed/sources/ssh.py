"""Hosts over SSH: allowed commands on verified hosts; no terminal, no environment, no agent or ports forwarded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from logshed.errors import SourceError, UnreachableError
from logshed.sources import commands
from logshed.sources.hosts import shown
from logshed.sources.ssh_connections import Connections, within
from logshed.sources.ssh_keys import asyncssh_module

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from logshed.sources.commands import Argv
    from logshed.sources.hosts import Reader
    from logshed.sources.ssh_connections import Connection
    from logshed.ssh_settings import Ssh

_T = TypeVar("_T")


class SshHost:
    """A host over SSH. Connections are made when commands need them.

    Args:
        settings: Address, user, key, limits.
        name: What to call it; empty takes the address.

    Raises:
        ValueError: The address is none.
    """

    def __init__(self, settings: Ssh, name: str = "") -> None:
        self.connections = Connections(settings, name)
        self.name = self.connections.name
        self.address = self.connections.address
        self._seconds = settings.connect_seconds

    async def start(self, argv: Argv) -> SshRunning:
        """Start an allowed command.

        Raises:
            UsageError: It is not allowed; no connection was made.
            UnreachableError: The host does not answer.
            SourceError: Its key, the user or the user's key is wrong.
        """
        asyncssh_module()
        line = commands.quoted(argv)
        how: dict[str, Any] = {"encoding": None, "env": None, "send_env": None, "request_pty": False}
        process, connection = await self._opened(
            f"run {argv[0]}", lambda ssh: ssh.create_process(line, x11_forwarding=False, **how)
        )
        return SshRunning(process, connection, self)

    async def sftp(self) -> tuple[Any, Callable[[], Awaitable[None]]]:
        """Begin a session of SFTP: the library's client, and what ends it.

        Raises:
            UnreachableError: The host does not answer.
            SourceError: It offers none; or its key, the user or the user's key is wrong.
        """
        client, connection = await self._opened(
            "use SFTP", lambda ssh: ssh.start_sftp_client(env=None, send_env=None, path_encoding=None)
        )

        async def end() -> None:
            client.exit()
            await within(client.wait_closed())
            connection.leave()

        return client, end

    async def close(self) -> None:
        """Close the connections."""
        await self.connections.close()

    def cut(self) -> UnreachableError:
        """What a connection that broke is."""
        return UnreachableError(
            f"cannot read from {self.name}: the connection was cut; look at the network and the host"
        )

    async def _opened(self, doing: str, opening: Callable[[Any], Awaitable[_T]]) -> tuple[_T, Connection]:
        """Something that runs on a connection, and the connection."""
        asyncssh = asyncssh_module()
        while True:
            connection = await self.connections.free()
            try:
                return await asyncio.wait_for(opening(connection.ssh), self._seconds), connection
            except asyncssh.ChannelOpenError as error:
                connection.leave()
                await asyncio.sleep(0)  # a connection that has just broken is closed by then
                if connection.ssh.is_closed():
                    raise self.cut() from None
                if not connection.busy:
                    raise self._refused(doing, str(error)) from None
                connection.most = connection.busy  # it allows fewer than others do
            except (asyncssh.Error, OSError, TimeoutError) as error:
                connection.leave()
                if isinstance(error, asyncssh.SFTPError) and not connection.ssh.is_closed():
                    raise self._refused(doing, "it offers none") from None
                await self.connections.drop(connection)
                raise self.cut() from None
            except BaseException:
                connection.leave()
                raise

    def _refused(self, doing: str, why: str) -> SourceError:
        return SourceError(
            f"cannot {doing} on {self.name}: it refuses: {shown(why.encode())}; see docs/collect.md for its settings"
        )


class SshRunning:
    """A command on a host."""

    def __init__(self, process: Any, connection: Connection, host: SshHost) -> None:
        self._process = process
        self._connection: Connection | None = connection
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
            raise self._host.cut()
        return int(self._process.exit_status)

    async def end(self) -> None:
        """End it there, too: a program that prints nothing would not notice that nobody listens."""
        if self._connection is None:
            return
        if self._process.exit_status is None and not self._connection.ssh.is_closed():
            self._process.terminate()
        self._process.close()
        await within(self._process.wait_closed())
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
            raise self._host.cut() from None
