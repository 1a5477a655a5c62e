"""How PyIceberg reaches the files of a lake that lie elsewhere: as the rest of Logshed does, with the same settings.

So no secret stands among the properties of a table or of a catalog, where it could be shown or be written down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyiceberg.io.fsspec import FsspecFileIO, FsspecInputFile, FsspecOutputFile

from logshed.lake import remote

if TYPE_CHECKING:
    from pyiceberg.io import InputFile, InputStream, OutputFile, OutputStream

NAME = f"{__name__}.LakeIO"


class _Input(FsspecInputFile):
    """A file to read."""

    def open(self, seekable: bool = True) -> InputStream:
        with remote.told(self.location):
            return super().open(seekable)


class _Output(FsspecOutputFile):
    """A file to write."""

    def create(self, overwrite: bool = False) -> OutputStream:  # noqa: ARG002 - its name is new: nobody is asked
        with remote.told(self.location):
            return super().create(overwrite=True)


class LakeIO(FsspecFileIO):
    """Files by their addresses."""

    def new_input(self, location: str) -> FsspecInputFile:
        """A file to read."""
        return _Input(location, self._reached(location))

    def new_output(self, location: str) -> FsspecOutputFile:
        """A file to write."""
        return _Output(location, self._reached(location))

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Remove a file."""
        place = location if isinstance(location, str) else location.location
        with remote.told(place):
            self._reached(place).rm_file(place)

    def _reached(self, location: str) -> Any:
        """The filesystem of an address, or of a path of this machine."""
        return remote.filesystem(location) if "://" in location.removeprefix("file://") else self.get_fs("file")
