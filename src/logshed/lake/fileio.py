"""How PyIceberg reaches the files of a lake that lie elsewhere: as the rest of Logshed does, with the same settings.

So no secret stands among the properties of a table or of a catalog, where it could be shown or be written down.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, cast

from pyiceberg.io.fsspec import FsspecFileIO, FsspecInputFile, FsspecOutputFile

from logshed.errors import StorageError
from logshed.lake import remote, storage

if TYPE_CHECKING:
    from pyiceberg.io import InputFile, InputStream, OutputFile, OutputStream

NAME = f"{__name__}.LakeIO"


class _Input(FsspecInputFile):
    """A file to read."""

    def __len__(self) -> int:
        return storage.size(self.location)

    def open(self, seekable: bool = True) -> InputStream:  # noqa: ARG002 - all are
        if not self.location.endswith(".parquet"):  # metadata is small, and read whole
            return cast("InputStream", io.BytesIO(storage.read(self.location)))
        with remote.told(self.location):
            stream: InputStream = remote.opened(self.location)
        return stream


class _Whole(io.BytesIO):
    """Holds what is written until it is closed, and writes it in one request: these files are small."""

    def __init__(self, location: str) -> None:
        super().__init__()
        self._location = location

    def close(self) -> None:
        if not self.closed:
            storage.write(self._location, self.getvalue())
        super().close()


class _Output(FsspecOutputFile):
    """A file to write."""

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002 - its name is new: nobody is asked
        return cast("OutputStream", _Whole(self.location))


class LakeIO(FsspecFileIO):
    """Files by their addresses."""

    def new_input(self, location: str) -> FsspecInputFile:
        """A file to read."""
        return _Input(location, self._reached(location)) if storage.is_remote(location) else super().new_input(location)

    def new_output(self, location: str) -> FsspecOutputFile:
        """A file to write."""
        return (
            _Output(location, self._reached(location)) if storage.is_remote(location) else super().new_output(location)
        )

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Remove a file.

        Raises:
            OSError: It cannot be removed. PyIceberg goes on then: the commit before it is done, and a file that stays
                is one that nothing names.
        """
        place = location if isinstance(location, str) else location.location
        try:
            storage.remove(place)
        except StorageError as error:
            raise OSError(str(error)) from error

    def _reached(self, location: str) -> Any:
        """The filesystem of an address, or of a path of this machine."""
        return remote.filesystem(location) if storage.is_remote(location) else self.get_fs("file")
