"""Files of a host by the way that it allows: over a shell, or where it runs no commands, over SFTP."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from logshed.errors import SourceError, UnreachableError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from logshed.sources.hosts import Note
    from logshed.sources.machines import Entry, Glob, Machine
    from logshed.sources.remote_files import RemoteFiles
    from logshed.sources.sftp_files import SftpFiles

log = logging.getLogger(__name__)


class HostFiles:
    """The files of a host. The first answer settles the way.

    Args:
        shell: They over a shell.
        sftp: They over SFTP.
    """

    def __init__(self, shell: RemoteFiles, sftp: SftpFiles) -> None:
        self.name = shell.name
        self.scheme = shell.scheme
        self.address = shell.address
        self._shell = shell
        self._sftp = sftp
        self._way: Machine | None = None

    async def listed(self, glob: Glob) -> list[Entry]:
        """The regular files in the folders that a glob looks into.

        Raises:
            SourceError: There is no such folder, or it cannot be read.
        """
        if self._way is not None:
            return await self._way.listed(glob)
        try:
            found = await self._shell.listed(glob)
        except UnreachableError:
            raise
        except (SourceError, UsageError) as error:
            if self._shell.works:
                self._way = self._shell
                raise
            return await self._otherwise(glob, error)
        self._way = self._shell
        return found

    def blocks(self, entry: Entry, start: int) -> AsyncIterator[bytes]:
        """A file's bytes from an offset to its end."""
        return self._chosen.blocks(entry, start)

    async def is_there(self, entry: Entry) -> bool:
        """Whether the file lies there still, under this path."""
        return await self._chosen.is_there(entry)

    def left_out(self) -> Mapping[str, str]:
        """Files that are not read because of their names, and why."""
        return self._chosen.left_out()

    def noted(self, note: Note) -> None:
        """Have what it is asked noted."""
        self._shell.noted(note)
        self._sftp.noted(note)

    async def close(self) -> None:
        """Close the connections."""
        await self._sftp.close()
        await self._shell.close()

    @property
    def _chosen(self) -> Machine:
        return self._way or self._shell

    async def _otherwise(self, glob: Glob, refusal: Exception) -> list[Entry]:
        """What SFTP lists; where there is none either, the shell's refusal is the error."""
        try:
            found = await self._sftp.listed(glob)
        except UnreachableError:
            raise
        except SourceError:
            if not self._sftp.works:
                raise refusal from None
            self._way = self._sftp
            raise
        self._way = self._sftp
        log.info("%s runs no commands: its files are read over SFTP.", self.name)
        return found
